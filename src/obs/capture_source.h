// SPDX-License-Identifier: MIT
// One "vGPU capture" in OBS: what the guest shows, as a source of a scene.
#pragma once

#include "base/clock.h"
#include "frame/frame_source.h"
#include "obs/capture_settings.h"
#include "obs/handles.h"
#include "obs/obs_log.h"
#include "obs/plane_texture.h"
#include "obs/session.h"
#include "obs/session_worker.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {

/// The session belongs to OBS' graphics thread from the moment it is open: tick() polls right before the picture is
/// drawn, so that what is drawn is the newest, no other thread has to be woken and no frame crosses threads. A poll is
/// a few ioctls. What may take long, opening and closing, is the worker's, which hands the session over as a whole.
///
/// tick(), render(), show() and hide() are called on the graphics thread; all else on any.
class CaptureSource final : private FrameSourceObserver {
public:
    /// The libobs objects outlive it.
    CaptureSource(obs_data& settings, obs_source& source);
    ~CaptureSource() override;
    CaptureSource(const CaptureSource&) = delete;
    CaptureSource& operator=(const CaptureSource&) = delete;

    void update(obs_data& settings);
    void show() noexcept { showing_ = true; }
    /// From here on nothing is polled or opened. What is open stays so.
    void hide() noexcept { showing_ = false; }
    void tick();
    /// Inside the graphics context.
    void render();

    /// Of what is drawn, in pixels; the last picture's while the guest shows none, zero before the first.
    [[nodiscard]] Size size() const noexcept;
    /// What goes on, for the user: a line or two.
    [[nodiscard]] std::string status() const;

private:
    void bufferRetired(const Buffer& buffer) override { retired_.push_back(buffer.id()); }
    void sourceEnded() override { ended_ = true; }

    void adoptSettings();
    void awaitSession();
    void adopt(std::unique_ptr<Session> session);
    void pollSession();
    void endSession(const std::string& reason);
    void closeSession();
    void failed(const OpenFailure& failure);
    /// Keeps a copy of the picture on screen, if the user wants to see it while there is none.
    void keepLastPicture();
    void forgetRetired();
    void refreshTextures(const Frame& frame);
    void drawCursor(const Plane& cursor, const Rect& visible);
    void describePicture(const BufferLayout& layout);
    void setStatus(std::string status);
    void setPictureSize(Size size) noexcept;

    ObsLog log_;
    SessionWorker worker_;

    mutable std::mutex mutex_; ///< of the next two
    std::optional<CaptureSettings> newSettings_;
    std::string status_;
    std::atomic<bool> showing_ = false;
    std::atomic<std::uint64_t> shownSize_ = 0; ///< width in the upper half

    CaptureSettings settings_;
    std::unique_ptr<Session> session_;
    bool opening_ = false;
    TimePoint nextAttempt_;
    Nanoseconds attemptInterval_;
    std::string lastFailure_; ///< logged already

    PlaneTexture primary_;
    PlaneTexture cursor_;
    gs_texture_t* primaryTexture_ = nullptr; ///< of the last picture drawn; a texture of primary_
    gs_texture_t* cursorTexture_ = nullptr;
    TextureTargetPtr lastPicture_;
    Damage damage_;       ///< since the last render
    bool polled_ = false; ///< since the last render
    BufferId cursorBuffer_ = 0;
    Size pictureSize_;
    BufferLayout describedLayout_;
    PlaneTexture::Way describedWay_ = PlaneTexture::Way::none;
    std::vector<BufferId> retired_;
    bool ended_ = false;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// When the guest shall see another monitor: as the window's size has come to rest.
#pragma once

#include "base/log.h"
#include "base/mode_request.h"
#include "frame/frame_sink.h"
#include "loop/scheduler.h"
#include "wayland/window_sink.h"

#include <memory>
#include <optional>

namespace vgpuview {

/// Decides on sizes and times alone; knows no Wayland object.
class ResizeFollower final {
public:
    /// asked: what the user wants at the start; its refresh rate goes for later sizes too.
    ResizeFollower(Scheduler& scheduler, FrameSink& sink, Log& log, GuestResize mode, std::optional<ModeRequest> asked);
    ResizeFollower(const ResizeFollower&) = delete;
    ResizeFollower& operator=(const ResizeFollower&) = delete;

    /// asked: the monitor of the size that was asked for, where one was.
    void attach(FrameDemand& demand, const std::optional<GuestMonitor>& asked);
    /// Before each frame: the source that it is from.
    void sourceIs(const SourceDescription& source);
    /// The window covers this much of the screen. picture: what the guest shows now, or empty.
    void windowIs(const GuestMonitor& window, Size picture);
    /// The guest follows the window, so the window does not follow the guest.
    [[nodiscard]] bool leads() const noexcept { return told_ && following_; }

private:
    void tell();

    Scheduler& scheduler_;
    FrameSink& sink_;
    Log& log_;
    GuestResize mode_;
    std::optional<std::uint32_t> refreshMilliHz_;
    FrameDemand* demand_ = nullptr;
    std::unique_ptr<Timer> timer_;
    std::optional<GuestMonitor> wanted_; ///< told, or to be told when the timer fires
    bool told_ = false;
    bool following_ = false; ///< the source's monitor can be chosen
    bool fixedSaid_ = false;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// When the window asks for frames: as the compositor takes them, and not at all while nobody sees it.
#pragma once

#include "frame/frame_sink.h"
#include "loop/scheduler.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace vgpuview {

/// How a hidden window shows.
enum class Visibility {
    told,    ///< the compositor says so (the suspended state of xdg_toplevel)
    guessed, ///< by frame callbacks that do not come
};

/// Decides on times alone; knows no Wayland object.
class Pacing final {
public:
    /// commitForCallback: commits no change and asks for a frame callback, to learn whether anyone looks.
    Pacing(Scheduler& scheduler, FrameSink& sink, Visibility visibility, std::function<void()> commitForCallback);
    Pacing(const Pacing&) = delete;
    Pacing& operator=(const Pacing&) = delete;

    void attach(FrameDemand& demand) noexcept { demand_ = &demand; }
    /// When to ask for the frame that can be taken from now on; by default at once.
    void askAt(std::function<TimePoint(TimePoint now)> when) { when_ = std::move(when); }
    /// The window is there and takes frames from now on.
    void start();
    /// The engine showed a frame; it asks no more until asked again.
    void shown() noexcept { wanting_ = false; }
    /// A frame callback was asked for.
    void callbackRequested();
    [[nodiscard]] bool callbackOutstanding() const noexcept { return callbackSince_.has_value(); }
    /// It came: time for the next frame.
    void callbackDone();
    /// The frame that was shown waits for the compositor to import its buffer.
    void waitingForImport();
    void importDone() noexcept { importSince_.reset(); }
    void suspended(bool isSuspended);
    /// Something happened that tells of a window in sight (a configure, a new output).
    void awaken();

    [[nodiscard]] bool hidden() const noexcept { return hidden_ || suspended_; }

private:
    void want();
    void resume();
    void dontWant();
    void armFor(TimePoint when);
    void tick();

    Scheduler& scheduler_;
    FrameSink& sink_;
    Visibility visibility_;
    std::function<void()> commitForCallback_;
    std::function<TimePoint(TimePoint)> when_;
    FrameDemand* demand_ = nullptr;
    std::unique_ptr<Timer> timer_;
    bool armed_ = false;
    bool started_ = false;
    bool wanting_ = false;
    bool suspended_ = false;
    bool hidden_ = false;
    std::optional<TimePoint> callbackSince_;
    std::optional<TimePoint> importSince_;
    TimePoint lastCallback_;
};

} // namespace vgpuview

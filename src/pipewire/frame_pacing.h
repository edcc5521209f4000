// SPDX-License-Identifier: MIT
// When a stream may hand on its next frame.
#pragma once

#include "loop/scheduler.h"

#include <functional>
#include <memory>

namespace vgpuview {

/// No more often than the consumers want frames, never before the graph has run with the last one, and again where one
/// was lost. No timer runs before begin() and after stop().
class FramePacing {
public:
    struct Events {
        std::function<void(TimePoint due)> frameDue = {}; ///< take the next frame, not before that time
        std::function<void()> wholeFrameDue = {};         ///< take one now, even if nothing changed
        std::function<void()> firstFrameDue = {};         ///< the same, for consumers that have had none
    };
    enum class Cycle {
        awaited, ///< the graph runs, and cycleDone() tells when it has
        unknown, ///< another node drives the graph
    };

    /// The scheduler outlives it. Events come from the loop's timers, the two for whole frames from begin() as well.
    FramePacing(Scheduler& scheduler, Events events);

    void setInterval(Nanoseconds interval) noexcept { interval_ = interval; }
    [[nodiscard]] Nanoseconds interval() const noexcept { return interval_; }

    /// Consumers started, joined, or got a new pool: a first frame, several times.
    void begin();
    void stop();
    /// A new pool was announced. begin() says that it is there.
    void swapBegun();
    [[nodiscard]] bool busy() const noexcept { return cycling_ || swapping_; }
    void handedOn(Cycle cycle);
    void cycleDone();
    /// When the next frame is due, after one was taken.
    [[nodiscard]] TimePoint advance();

private:
    void repeatFirstFrame();
    void frameLost();

    Scheduler& scheduler_;
    Events events_;
    Nanoseconds interval_{};
    TimePoint due_{};
    bool swapping_ = false; ///< a new pool is under way
    bool cycling_ = false;  ///< the graph has not run with the last frame yet
    Nanoseconds patience_;
    Nanoseconds repeatDelay_{};
    std::unique_ptr<Timer> nextFrameTimer_;
    std::unique_ptr<Timer> lossTimer_;
    std::unique_ptr<Timer> repeatTimer_;
};

} // namespace vgpuview

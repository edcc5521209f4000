// SPDX-License-Identifier: MIT
// What the compositor tells about frames that reached the screen. Source: presentation-time.xml.
#pragma once

#include "base/histogram.h"
#include "loop/event_loop.h"
#include "wayland/proxy.h"

#include <array>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <utility>

namespace vgpuview {

struct PresentationCounters {
    std::uint64_t presented = 0;
    std::uint64_t zeroCopy = 0; ///< scanned out from the guest's memory, with no composition
    std::uint64_t discarded = 0;
    DurationHistogram latency; ///< from the poll of the vGPU to light
};

/// A frame that reached the screen, on our clock.
struct PresentedFrame {
    TimePoint queriedAt;
    TimePoint committedAt;
    TimePoint presentedAt;
    bool zeroCopy = false;
    Nanoseconds refresh; ///< until the next one could be shown; 0: not constant
};

/// Asks for feedback on commits, up to 32 at a time, in fixed memory.
class Presentation final {
public:
    /// presentation may be null: then nothing is known. It outlives this object.
    Presentation(EventLoop& loop, wp_presentation* presentation);
    Presentation(const Presentation&) = delete;
    Presentation& operator=(const Presentation&) = delete;

    [[nodiscard]] bool known() const noexcept { return presentation_ != nullptr; }
    /// For the surface's next commit, which shows what the vGPU said at that time.
    void follow(wl_surface* surface, TimePoint queriedAt);
    /// Hears of each frame whose time can be told on our clock.
    void observe(std::function<void(const PresentedFrame&)> observer) { observer_ = std::move(observer); }
    [[nodiscard]] const PresentationCounters& counters() const noexcept { return counters_; }

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    struct Feedback {
        void presented(std::uint32_t secondsHigh, std::uint32_t secondsLow, std::uint32_t nanoseconds,
                       std::uint32_t refresh, std::uint32_t sequenceHigh, std::uint32_t sequenceLow,
                       std::uint32_t flags);
        void discarded();
        void eventFailed(std::exception_ptr failure) noexcept { owner->eventFailed(std::move(failure)); }

        Presentation* owner = nullptr;
        Proxy<struct wp_presentation_feedback> feedback;
        TimePoint queriedAt;
        TimePoint committedAt;
    };

    void clockId(std::uint32_t clock);
    /// A time of the compositor's clock on ours; nothing where that clock cannot be read.
    [[nodiscard]] std::optional<TimePoint> onOurClock(Nanoseconds time) const noexcept;

    EventLoop& loop_;
    wp_presentation* presentation_;
    clockid_t clock_ = CLOCK_MONOTONIC;
    std::array<Feedback, 32> pool_;
    PresentationCounters counters_;
    std::function<void(const PresentedFrame&)> observer_;
};

} // namespace vgpuview

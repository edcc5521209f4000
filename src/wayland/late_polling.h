// SPDX-License-Identifier: MIT
// When to ask the vGPU so that what it says is as new as can be when it reaches the screen.
#pragma once

#include "base/clock.h"

#include <cstdint>
#include <optional>

namespace vgpuview {

/// Learns from presentation feedback how long before a refresh the compositor takes what that refresh shows, and names
/// the time just before. What it learns is bounded by what was seen: a frame that was shown in time had a lead that is
/// enough, one that was not had too small a one. All times on one clock; knows no Wayland object, never allocates.
class LatePolling final {
public:
    /// When to poll: now where nothing is known, or not any more (no feedback for a while, a refresh that varies). Less
    /// than two refreshes away.
    [[nodiscard]] TimePoint next(TimePoint now) const noexcept;
    /// When to poll again after a poll at this time that brought nothing new; after the interval where nothing is
    /// known.
    [[nodiscard]] TimePoint nextAfter(TimePoint now, Nanoseconds interval) const noexcept;
    /// A frame goes to the compositor.
    void committed(TimePoint at) noexcept;
    /// It was shown. refresh: as wp_presentation_feedback.presented tells it; 0: not constant.
    void presented(TimePoint committedAt, TimePoint presentedAt, Nanoseconds refresh) noexcept;

    /// How long before a refresh the vGPU is polled; nothing while that is not known.
    [[nodiscard]] std::optional<Nanoseconds> lead(TimePoint now) const noexcept;

private:
    [[nodiscard]] bool known(TimePoint now) const noexcept;
    /// The first refresh that a commit at that time may make.
    [[nodiscard]] TimePoint targetOf(TimePoint commit) const noexcept;
    [[nodiscard]] Nanoseconds guard() const noexcept;
    void restart(Nanoseconds refresh) noexcept;
    void inTime() noexcept;
    void tooLate(Nanoseconds lead) noexcept;

    Nanoseconds refresh_{0};    ///< 0: not known, or not constant
    TimePoint lastRefresh_;     ///< at which a frame was shown
    TimePoint lastTarget_;      ///< of the newest commit
    Nanoseconds lead_{0};       ///< planned
    Nanoseconds tooShort_{0};   ///< the largest lead that was seen not to be enough, forgotten slowly
    unsigned samples_ = 0;      ///< until there are enough, frames are polled at once
    unsigned streak_ = 0;       ///< of frames in time, since the lead was last shortened
    bool missed_ = false;       ///< a frame was not in time; the newest such one
    Nanoseconds missedLead_{0}; ///< of that frame
    unsigned sinceMiss_ = 0;
    unsigned patience_ = 0; ///< frames in time before what was too short is tried again
};

} // namespace vgpuview

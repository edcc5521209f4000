// SPDX-License-Identifier: MIT
// When to ask the guest, so that its picture is as young as possible at the monitor's next refresh.
#pragma once

#include "base/clock.h"

namespace vgpuview {

/// A picture has to be committed some time before the refresh that is to show it. How long before, is learnt: from how
/// long commits take, and from pictures that came a refresh too late.
class Pacer {
public:
    /// A commit took this long.
    void committed(Nanoseconds duration) noexcept;
    /// A picture that was committed at committedAt was shown at shownAt.
    void presented(TimePoint committedAt, TimePoint shownAt, Nanoseconds refreshInterval) noexcept;
    /// When to ask for the next picture; now where there is no time to lose or nothing known.
    [[nodiscard]] TimePoint askAt(TimePoint now, Nanoseconds refreshInterval) const noexcept;
    /// Nothing is known of the next refresh any more: another mode, another session.
    void reset() noexcept;

private:
    [[nodiscard]] Nanoseconds margin() const noexcept { return reserve_ + commitDuration_; }

    static constexpr Nanoseconds smallestReserve = std::chrono::milliseconds(2);

    Nanoseconds reserve_ = smallestReserve;
    Nanoseconds commitDuration_{0}; ///< the longest of late, fading
    TimePoint lastShown_{};
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// When to ask the guest, so that its picture is as young as possible at the monitor's next refresh.
#include "monitor/pacer.h"

#include <algorithm>

namespace vgpuview {

namespace {

// A long commit is remembered for some seconds of frames. A frame too late for about a minute of them: each attempt to
// ask later again may cost a refresh.
constexpr int commitFading = 128;
constexpr int reserveFading = 4096;
constexpr Nanoseconds largestReserve = std::chrono::milliseconds(100);

} // namespace

void Pacer::committed(Nanoseconds duration) noexcept {
    commitDuration_ = std::max(duration, commitDuration_ - commitDuration_ / commitFading);
}

void Pacer::presented(TimePoint committedAt, TimePoint shownAt, Nanoseconds refreshInterval) noexcept {
    const TimePoint missed = lastShown_ + refreshInterval;
    const bool wasAskedLate = committedAt > lastShown_ && committedAt < missed;
    const bool tooLate = shownAt > missed + refreshInterval / 2;
    if (wasAskedLate && tooLate)
        reserve_ = std::min(reserve_ * 2, std::min(refreshInterval, largestReserve));
    else
        reserve_ = std::max(smallestReserve, reserve_ - (reserve_ - smallestReserve) / reserveFading);
    lastShown_ = shownAt;
}

TimePoint Pacer::askAt(TimePoint now, Nanoseconds refreshInterval) const noexcept {
    const TimePoint latest = lastShown_ + refreshInterval - margin();
    // A time of presentation in the future is a driver's mistake.
    return lastShown_ <= now && latest > now ? latest : now;
}

void Pacer::reset() noexcept {
    *this = Pacer();
}

} // namespace vgpuview

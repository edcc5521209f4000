// SPDX-License-Identifier: MIT
// When to ask the vGPU so that what it says is as new as can be when it reaches the screen.
#include "wayland/late_polling.h"

#include <algorithm>

namespace vgpuview {

namespace {

constexpr unsigned samplesToLearn = 6;
constexpr unsigned framesPerStep = 4;
constexpr unsigned framesOfOneCause = 8;
constexpr unsigned leastPatience = 64;
constexpr unsigned mostPatience = 4096;
constexpr Nanoseconds fastestRefresh = std::chrono::microseconds(500);
constexpr Nanoseconds slowestRefresh = std::chrono::milliseconds(200);
constexpr Nanoseconds leastGuard = std::chrono::microseconds(300);
// The refresh is told to the nanosecond, but clocks drift and outputs sleep.
constexpr Nanoseconds memory = std::chrono::seconds(1);

} // namespace

bool LatePolling::known(TimePoint now) const noexcept {
    return refresh_ != Nanoseconds(0) && samples_ >= samplesToLearn && now - lastRefresh_ < memory;
}

std::optional<Nanoseconds> LatePolling::lead(TimePoint now) const noexcept {
    return known(now) ? std::optional(lead_) : std::nullopt;
}

Nanoseconds LatePolling::guard() const noexcept {
    return std::max(refresh_ / 16, leastGuard);
}

TimePoint LatePolling::targetOf(TimePoint commit) const noexcept {
    // One whose time has just passed may do: else a callback that comes at that very time would cost a refresh.
    const Nanoseconds least = std::max(lead_ - refresh_ / 4, tooShort_ + Nanoseconds(1));
    const Nanoseconds ahead = commit + least - lastRefresh_;
    // Rounded up, also where it lies before that refresh.
    const auto refreshes =
        ahead > Nanoseconds(0) ? (ahead + refresh_ - Nanoseconds(1)) / refresh_ : -(-ahead / refresh_);
    return lastRefresh_ + refreshes * refresh_;
}

TimePoint LatePolling::next(TimePoint now) const noexcept {
    if (!known(now))
        return now;
    TimePoint target = targetOf(now);
    // What the newest commit is for has been taken.
    if (target < lastTarget_ + refresh_ / 2)
        target += refresh_;
    return std::max(target - lead_, now);
}

TimePoint LatePolling::nextAfter(TimePoint now, Nanoseconds interval) const noexcept {
    return known(now) ? next(now + refresh_ / 2) : now + interval;
}

void LatePolling::committed(TimePoint at) noexcept {
    if (known(at))
        lastTarget_ = targetOf(at);
}

void LatePolling::restart(Nanoseconds refresh) noexcept {
    *this = {};
    if (refresh >= fastestRefresh && refresh <= slowestRefresh)
        refresh_ = refresh;
    patience_ = leastPatience;
}

void LatePolling::presented(TimePoint committedAt, TimePoint presentedAt, Nanoseconds refresh) noexcept {
    // Another output, or a rate that was changed. A few compositors measure it anew each time.
    if (refresh_ == Nanoseconds(0) || refresh < refresh_ - refresh_ / 8 || refresh > refresh_ + refresh_ / 8)
        restart(refresh);
    if (refresh_ == Nanoseconds(0))
        return;
    refresh_ = refresh;
    const Nanoseconds taken = presentedAt - committedAt;
    if (taken <= Nanoseconds(0) || taken > 8 * refresh_) {
        lastRefresh_ = std::max(lastRefresh_, presentedAt);
        return;
    }
    if (samples_ < samplesToLearn) {
        lead_ = samples_ == 0 ? taken : std::min(lead_, taken);
        lead_ = std::min(lead_, 2 * refresh_);
        ++samples_;
    } else if (presentedAt - lastRefresh_ < memory) {
        const TimePoint target = targetOf(committedAt);
        if (presentedAt > target + refresh_ / 2) {
            tooLate(target - committedAt);
        } else {
            if (presentedAt < target - refresh_ / 2)
                lead_ = std::min(lead_, taken);
            inTime();
        }
    }
    lastRefresh_ = presentedAt;
}

void LatePolling::inTime() noexcept {
    if (++sinceMiss_ >= patience_ && tooShort_ > Nanoseconds(0)) {
        tooShort_ = std::max(tooShort_ - guard(), Nanoseconds(0));
        sinceMiss_ = 0;
    }
    if (++streak_ < framesPerStep)
        return;
    streak_ = 0;
    const Nanoseconds least = tooShort_ + guard();
    // At first in large steps; once the limit was met, in small ones, so that a busy machine, which wakes up late at
    // times, misses few.
    const Nanoseconds step = missed_ ? std::max((lead_ - least) / 64, guard() / 16) : (lead_ - least) / 8 + guard() / 8;
    if (lead_ > least)
        lead_ = std::max(least, lead_ - step);
}

void LatePolling::tooLate(Nanoseconds lead) noexcept {
    streak_ = 0;
    // A busy machine loses a frame now and then, whatever its lead: only two that come together tell of a deadline.
    const bool confirmed = missed_ && sinceMiss_ < framesOfOneCause;
    const Nanoseconds known = confirmed ? std::min(lead, missedLead_) : Nanoseconds(0);
    if (known > Nanoseconds(0)) {
        // What was tried before and failed again is let be for longer.
        const Nanoseconds difference = known > tooShort_ ? known - tooShort_ : tooShort_ - known;
        patience_ = difference <= 2 * guard() ? std::min(patience_ * 2, mostPatience) : leastPatience;
        tooShort_ = std::clamp(std::max(tooShort_, known), Nanoseconds(0), 2 * refresh_);
    }
    missed_ = true;
    missedLead_ = lead;
    sinceMiss_ = 0;
    lead_ = std::clamp(std::max(lead_ + 2 * guard(), tooShort_ + guard()), Nanoseconds(0), 2 * refresh_);
}

} // namespace vgpuview

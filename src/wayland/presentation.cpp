// SPDX-License-Identifier: MIT
// What the compositor tells about frames that reached the screen.
#include "wayland/presentation.h"

#include <algorithm>

namespace vgpuview {

Presentation::Presentation(EventLoop& loop, wp_presentation* presentation)
    : loop_(loop)
    , presentation_(presentation) {
    for (Feedback& feedback : pool_)
        feedback.owner = this;
    if (!presentation_)
        return;
    static constexpr wp_presentation_listener listener{.clock_id = EventHandler<&Presentation::clockId>::call};
    wp_presentation_add_listener(presentation_, &listener, this);
}

void Presentation::follow(wl_surface* surface, TimePoint queriedAt) {
    if (!presentation_)
        return;
    const auto free = std::find_if(pool_.begin(), pool_.end(), [](const Feedback& entry) { return !entry.feedback; });
    if (free == pool_.end())
        return;
    static constexpr wp_presentation_feedback_listener listener{
        .sync_output = ignoreEvent,
        .presented = EventHandler<&Feedback::presented>::call,
        .discarded = EventHandler<&Feedback::discarded>::call,
    };
    free->queriedAt = queriedAt;
    free->committedAt = loop_.now();
    free->feedback.reset(wp_presentation_feedback(presentation_, surface));
    wp_presentation_feedback_add_listener(free->feedback.get(), &listener, &*free);
}

void Presentation::clockId(std::uint32_t clock) {
    clock_ = static_cast<clockid_t>(clock);
}

std::optional<TimePoint> Presentation::onOurClock(Nanoseconds time) const noexcept {
    if (clock_ == CLOCK_MONOTONIC)
        return TimePoint(time);
    timespec theirs{};
    if (::clock_gettime(clock_, &theirs) != 0)
        return {};
    const Nanoseconds theirNow = std::chrono::seconds(theirs.tv_sec) + Nanoseconds(theirs.tv_nsec);
    // Clocks drift apart slowly, so the offset is taken anew each time.
    return loop_.now() - (theirNow - time);
}

void Presentation::Feedback::presented(std::uint32_t secondsHigh, std::uint32_t secondsLow, std::uint32_t nanoseconds,
                                       std::uint32_t refresh, std::uint32_t, std::uint32_t, std::uint32_t flags) {
    feedback.reset();
    ++owner->counters_.presented;
    if ((flags & WP_PRESENTATION_FEEDBACK_KIND_ZERO_COPY) != 0)
        ++owner->counters_.zeroCopy;
    // More than that many seconds overflows a duration; no clock has run for so long.
    constexpr std::uint64_t longestUptime = 1ULL << 33;
    const std::uint64_t seconds = std::uint64_t{secondsHigh} << 32 | secondsLow;
    if (seconds >= longestUptime || nanoseconds >= 1'000'000'000)
        return;
    const Nanoseconds time = std::chrono::seconds(seconds) + Nanoseconds(nanoseconds);
    const std::optional<TimePoint> shownAt = owner->onOurClock(time);
    if (!shownAt)
        return;
    owner->counters_.latency.add(*shownAt - queriedAt);
    if (owner->observer_)
        owner->observer_({.queriedAt = queriedAt,
                          .committedAt = committedAt,
                          .presentedAt = *shownAt,
                          .zeroCopy = (flags & WP_PRESENTATION_FEEDBACK_KIND_ZERO_COPY) != 0,
                          .refresh = Nanoseconds(refresh)});
}

void Presentation::Feedback::discarded() {
    feedback.reset();
    ++owner->counters_.discarded;
}

} // namespace vgpuview

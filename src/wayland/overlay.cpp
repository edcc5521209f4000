// SPDX-License-Identifier: MIT
// Figures over the picture, in a corner of the window.
#include "wayland/overlay.h"

#include "text/text_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace vgpuview {

namespace {

constexpr Nanoseconds period = std::chrono::seconds(1);
constexpr Point place{8, 8};
constexpr double fontPixels = 14;
constexpr double marginPixels = 6;

std::string percentilesOf(const DurationHistogram& histogram) {
    const std::optional<Percentiles> percentiles = histogram.percentiles();
    if (!percentiles)
        return "not known";
    const auto text = [](Nanoseconds time) {
        return time < std::chrono::milliseconds(1) ? fmt::format("{} us", time.count() / 1000)
                                                   : fmt::format("{:.1f} ms", static_cast<double>(time.count()) / 1e6);
    };
    return fmt::format("p50 {}, p95 {}", text(percentiles->p50), text(percentiles->p95));
}

} // namespace

Overlay::Overlay(Scheduler& scheduler, const Globals& globals, const Surface& parent, ReleaseObserver& observer,
                 std::function<OverlayFacts()> facts, std::function<void()> changed)
    : scheduler_(scheduler)
    , globals_(globals)
    , parent_(parent)
    , facts_(std::move(facts))
    , changed_(std::move(changed))
    , timer_(scheduler.makeTimer([this] { tick(); }))
    , pictures_(globals, observer, WL_SHM_FORMAT_ARGB8888) {}

void Overlay::toggle() {
    on_ = !on_;
    if (on_) {
        second_ = {};
        lastSequence_.reset();
        surface_.emplace(globals_, parent_, Surface::Pointer::passes);
        surface_->move(place);
        draw();
        timer_->arm(scheduler_.now() + period);
    } else {
        timer_->disarm();
        surface_->hide();
        surface_->commit();
        surface_.reset();
        pictures_.clear();
    }
    changed_();
}

void Overlay::shown(std::uint64_t sequence, Nanoseconds pollDuration) noexcept {
    if (!on_)
        return;
    if (lastSequence_ && sequence > *lastSequence_)
        second_.guestFrames += sequence - *lastSequence_;
    lastSequence_ = sequence;
    ++second_.shown;
    second_.poll.add(pollDuration);
}

void Overlay::presented(Nanoseconds sinceQuery, bool zeroCopy) noexcept {
    if (!on_)
        return;
    ++second_.presented;
    second_.zeroCopy += zeroCopy ? 1 : 0;
    second_.present.add(sinceQuery);
}

void Overlay::collect() {
    if (on_)
        pictures_.collect();
}

void Overlay::tick() {
    timer_->arm(scheduler_.now() + period);
    draw();
    second_ = {};
    changed_();
}

std::vector<std::string> Overlay::lines() const {
    const OverlayFacts facts = facts_();
    std::string zeroCopy = facts.way;
    if (second_.presented != 0 && second_.zeroCopy == second_.presented)
        zeroCopy = "zero-copy: yes, " + facts.way;
    else if (second_.zeroCopy != 0)
        zeroCopy = fmt::format("zero-copy: {} of {}, {}", second_.zeroCopy, second_.presented, facts.way);
    else if (second_.presented != 0)
        zeroCopy = "zero-copy: no, " + facts.way;
    return {fmt::format("guest {}/s, shown {}/s", second_.guestFrames, second_.shown),
            facts.picture,
            zeroCopy,
            "poll: " + percentilesOf(second_.poll),
            "on screen after: " + percentilesOf(second_.present),
            "input: " + facts.input};
}

void Overlay::draw() {
    const std::vector<std::string> text = lines();
    const double factor = static_cast<double>(scale_) / wholeScale;
    const TextStyle style{.family = "monospace",
                          .fontPixels = fontPixels * factor,
                          .marginPixels = marginPixels * factor,
                          .background = TextStyle::Background::translucent};
    const Size size = textPictureSize(text, style);
    ClientBuffer* picture = pictures_.next(size);
    if (!picture)
        return;
    drawText(text, style, size, size.width * 4, std::as_writable_bytes(pictures_.pixels()));
    surface_->show(*picture, {{0, 0}, size}, naturalWindowSize(size, scale_));
    surface_->damage(Damage::all(size));
}

} // namespace vgpuview

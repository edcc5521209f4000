// SPDX-License-Identifier: MIT
// The engine: asks the source when a sink can take a frame, finds what changed, feeds the sinks, counts.
#include "forward/forwarder.h"

#include <algorithm>
#include <utility>

namespace vgpuview {

namespace {

// A guest that turned to another buffer within this time shows its pictures by flipping, and an unchanged buffer is an
// unchanged picture. One that has not may be drawing in place, which nothing tells: then every refresh is shown.
constexpr Nanoseconds flipMemory = std::chrono::milliseconds(250);

class Guard {
public:
    explicit Guard(bool& flag)
        : flag_(flag) {
        flag_ = true;
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { flag_ = false; }

private:
    bool& flag_;
};

} // namespace

Forwarder::Forwarder(Scheduler& scheduler, ForwardEvents events)
    : scheduler_(scheduler)
    , events_(std::move(events))
    , pollTimer_(scheduler.makeTimer([this] { serve(); }))
    , announceTimer_(scheduler.makeTimer([this] { announce(); })) {}

Forwarder::~Forwarder() {
    if (source_)
        source_->observe(nullptr);
}

void Forwarder::setSource(FrameSource* source) {
    if (source_) {
        source_->observe(nullptr);
        endSource();
    }
    source_ = source;
    sourceHasEnded_ = false;
    lastFlip_.reset();
    if (!source_)
        return;
    source_->observe(this);
    if (monitor_)
        source_->setMonitor(*monitor_);
    for (Feed& feed : feeds_) {
        feed.refresh = true;
        feed.shownBuffer = 0;
        if (feed.wantedAt)
            feed.wantedAt = scheduler_.now();
    }
    armTimer();
}

void Forwarder::addSink(FrameSink& sink) {
    feeds_.push_back({.sink = &sink, .wantedAt = {}, .shownCursor = {}, .damage = {}});
    sink.attach(*this);
}

void Forwarder::removeSink(FrameSink& sink) {
    std::erase_if(feeds_, [&](const Feed& feed) { return feed.sink == &sink; });
    std::erase(closedSinks_, &sink);
    if (monitorSink_ == &sink) {
        monitorSink_ = nullptr;
        monitor_.reset();
    }
    armTimer();
}

void Forwarder::frameWanted(FrameSink& sink, TimePoint notBefore) {
    Feed* feed = feedOf(sink);
    if (!feed)
        return;
    feed->wantedAt = notBefore;
    if (serving_)
        return;
    if (notBefore <= scheduler_.now())
        serve();
    else
        armTimer();
}

void Forwarder::frameNotWanted(FrameSink& sink) {
    if (Feed* feed = feedOf(sink)) {
        feed->wantedAt.reset();
        if (!serving_)
            armTimer();
    }
}

void Forwarder::refreshWanted(FrameSink& sink) {
    if (Feed* feed = feedOf(sink)) {
        feed->refresh = true;
        if (feed->wantedAt) {
            feed->wantedAt = std::min(*feed->wantedAt, scheduler_.now());
            if (!serving_)
                armTimer();
        }
    }
}

void Forwarder::sinkClosed(FrameSink& sink) {
    frameNotWanted(sink);
    closedSinks_.push_back(&sink);
    announceTimer_->arm(scheduler_.now());
}

void Forwarder::setGuestMonitor(FrameSink& sink, const GuestMonitor& monitor) {
    if (monitor.size.empty() || (monitorSink_ && monitorSink_ != &sink))
        return;
    monitorSink_ = &sink;
    if (monitor_ == monitor)
        return;
    monitor_ = monitor;
    if (source_ && !sourceHasEnded_)
        source_->setMonitor(monitor);
}

void Forwarder::bufferRetired(const Buffer& buffer) {
    for (const Feed& feed : feeds_)
        feed.sink->forget(buffer);
}

void Forwarder::sourceEnded() {
    endSource();
    sourceHasEnded_ = true;
    announceTimer_->arm(scheduler_.now());
}

Forwarder::Feed* Forwarder::feedOf(const FrameSink& sink) noexcept {
    const auto found = std::find_if(feeds_.begin(), feeds_.end(), [&](const Feed& feed) { return feed.sink == &sink; });
    return found == feeds_.end() ? nullptr : &*found;
}

bool Forwarder::anyDue(TimePoint now) const noexcept {
    return std::any_of(feeds_.begin(), feeds_.end(),
                       [&](const Feed& feed) { return feed.wantedAt && *feed.wantedAt <= now; });
}

void Forwarder::serve() {
    if (serving_ || !source_ || sourceHasEnded_)
        return;
    const TimePoint now = scheduler_.now();
    if (anyDue(now)) {
        const Guard guard(serving_);
        pollSource(now);
        if (sourceHasEnded_)
            return;
        // By index: a sink's show() may not add or remove sinks, but the loop should not depend on it.
        for (std::size_t i = 0; i < feeds_.size(); ++i)
            if (feeds_[i].wantedAt && *feeds_[i].wantedAt <= now)
                showIfNew(feeds_[i], now);
    }
    armTimer();
}

void Forwarder::pollSource(TimePoint now) {
    const PollResult result = source_->poll();
    lastPollDuration_ = scheduler_.now() - now;
    counters_.pollDuration.add(lastPollDuration_);
    ++counters_.polls;
    if (result.status == PollStatus::ended) {
        sourceEnded();
        return;
    }
    bool changed = false;
    switch (result.primary) {
    case PrimaryChange::none:
        break;
    case PrimaryChange::possible:
        changed = !lastFlip_ || now - *lastFlip_ >= flipMemory;
        break;
    case PrimaryChange::certain:
        changed = true;
        lastFlip_ = now;
        ++counters_.guestFrames;
        break;
    }
    if (!changed)
        return;
    const std::optional<Plane>& primary = source_->frame().primary;
    const Size size = primary ? primary->buffer->layout().size : Size{};
    const bool damageUnknown = std::exchange(polledSize_, size) != size || result.damage.empty();
    for (Feed& feed : feeds_) {
        feed.primaryDirty = true;
        feed.damageUnknown = feed.damageUnknown || damageUnknown;
        feed.damage.add(result.damage);
    }
}

void Forwarder::showIfNew(Feed& feed, TimePoint now) {
    const Frame& frame = source_->frame();
    const BufferId buffer = frame.primary ? frame.primary->buffer->id() : 0;
    const CursorState cursor = frame.cursor ? CursorState{.buffer = frame.cursor->buffer->id(),
                                                          .position = frame.cursor->position,
                                                          .hotSpot = frame.cursor->hotSpot}
                                            : CursorState{};
    const bool otherBuffer = feed.refresh || buffer != feed.shownBuffer;
    const bool primaryChanged = otherBuffer || feed.primaryDirty;
    const bool cursorChanged = feed.refresh || cursor != feed.shownCursor;
    if (!primaryChanged && !cursorChanged) {
        feed.wantedAt = now + feed.sink->pollInterval();
        return;
    }
    FrameUpdate update{.frame = frame,
                       .source = source_->description(),
                       .primaryBuffers = source_->primaryBuffers(),
                       .primaryDamage = feed.damage,
                       .primaryChanged = primaryChanged,
                       .cursorChanged = cursorChanged,
                       .pollDuration = lastPollDuration_};
    if (frame.primary && (feed.refresh || feed.damageUnknown || (otherBuffer && !feed.primaryDirty)))
        update.primaryDamage = Damage::all(frame.primary->buffer->layout().size);
    feed.wantedAt.reset();
    feed.refresh = false;
    feed.primaryDirty = false;
    feed.damageUnknown = false;
    feed.damage.clear();
    feed.shownBuffer = buffer;
    feed.shownCursor = cursor;
    FrameSink& sink = *feed.sink;
    sink.show(update);
    if (events_.frameShown)
        events_.frameShown(sink);
}

void Forwarder::armTimer() {
    std::optional<TimePoint> earliest;
    if (source_ && !sourceHasEnded_)
        for (const Feed& feed : feeds_)
            if (feed.wantedAt && (!earliest || *feed.wantedAt < *earliest))
                earliest = feed.wantedAt;
    if (earliest)
        pollTimer_->arm(*earliest);
    else
        pollTimer_->disarm();
}

void Forwarder::endSource() {
    for (Feed& feed : feeds_) {
        feed.shownBuffer = 0;
        feed.shownCursor = {};
        feed.damageUnknown = true;
        feed.damage.clear();
        feed.sink->sourceGone();
    }
    pollTimer_->disarm();
}

void Forwarder::announce() {
    for (FrameSink* sink : std::exchange(closedSinks_, {}))
        if (events_.sinkClosed)
            events_.sinkClosed(*sink);
    if (sourceHasEnded_ && source_) {
        source_->observe(nullptr);
        source_ = nullptr;
        if (events_.sourceEnded)
            events_.sourceEnded();
    }
}

} // namespace vgpuview

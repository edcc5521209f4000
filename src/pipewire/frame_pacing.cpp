// SPDX-License-Identifier: MIT
// When a stream may hand on its next frame.
#include "pipewire/frame_pacing.h"

#include <algorithm>
#include <utility>

namespace vgpuview {

namespace {

// The graph says that the node runs before the consumer does, and a frame that comes too early is lost: the first one
// is repeated, each time after twice the delay, for a third of a second.
constexpr Nanoseconds firstRepeat = std::chrono::milliseconds(10);
constexpr Nanoseconds lastRepeat = std::chrono::milliseconds(160);

// How long consumers may take to look at a frame before it counts as lost and is handed on again.
constexpr Nanoseconds shortestPatience = std::chrono::milliseconds(50);
constexpr Nanoseconds longestPatience = std::chrono::seconds(1);

} // namespace

FramePacing::FramePacing(Scheduler& scheduler, Events events)
    : scheduler_(scheduler)
    , events_(std::move(events))
    , patience_(shortestPatience)
    , nextFrameTimer_(scheduler.makeTimer([this] { events_.frameDue(due_); }))
    , lossTimer_(scheduler.makeTimer([this] { frameLost(); }))
    , repeatTimer_(scheduler.makeTimer([this] { repeatFirstFrame(); })) {}

void FramePacing::begin() {
    swapping_ = false;
    repeatDelay_ = firstRepeat;
    repeatFirstFrame();
}

void FramePacing::stop() {
    nextFrameTimer_->disarm();
    lossTimer_->disarm();
    repeatTimer_->disarm();
    cycling_ = false;
    swapping_ = false;
}

void FramePacing::swapBegun() {
    swapping_ = true;
    lossTimer_->arm(scheduler_.now() + patience_);
}

void FramePacing::handedOn(Cycle cycle) {
    if (cycle == Cycle::unknown)
        return;
    cycling_ = true;
    lossTimer_->arm(scheduler_.now() + patience_);
}

void FramePacing::cycleDone() {
    if (!std::exchange(cycling_, false))
        return;
    if (!swapping_)
        lossTimer_->disarm();
    patience_ = shortestPatience;
    // By a timer even where it is due now: a wanted frame may be shown at once, and this is libpipewire's stack.
    nextFrameTimer_->arm(std::max(due_, scheduler_.now()));
}

TimePoint FramePacing::advance() {
    due_ = std::max(due_ + interval_, scheduler_.now());
    return due_;
}

void FramePacing::repeatFirstFrame() {
    if (repeatDelay_ <= lastRepeat) {
        repeatTimer_->arm(scheduler_.now() + repeatDelay_);
        repeatDelay_ *= 2;
    }
    due_ = scheduler_.now();
    events_.firstFrameDue();
}

void FramePacing::frameLost() {
    cycling_ = false;
    swapping_ = false;
    patience_ = std::min(patience_ * 2, longestPatience);
    events_.wholeFrameDue();
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// When the window asks for frames: as the compositor takes them, and not at all while nobody sees it.
#include "wayland/pacing.h"

#include <utility>

namespace vgpuview {

namespace {

// The slowest output in use refreshes 24 times a second; a compositor under load may skip a few.
constexpr Nanoseconds callbackOverdue = std::chrono::milliseconds(500);
// While the guest shows nothing new there is no commit, hence no callback: one is asked for now and then.
constexpr Nanoseconds stillTime = std::chrono::seconds(1);
constexpr Nanoseconds importOverdue = std::chrono::milliseconds(250);
// For a compositor that says the window is visible and yet sends no callbacks.
constexpr Nanoseconds fallbackInterval = std::chrono::milliseconds(100);

} // namespace

Pacing::Pacing(Scheduler& scheduler, FrameSink& sink, Visibility visibility, std::function<void()> commitForCallback)
    : scheduler_(scheduler)
    , sink_(sink)
    , visibility_(visibility)
    , commitForCallback_(std::move(commitForCallback))
    , timer_(scheduler.makeTimer([this] { tick(); })) {}

void Pacing::start() {
    if (!demand_ || started_)
        return;
    started_ = true;
    lastCallback_ = scheduler_.now();
    want();
}

void Pacing::callbackRequested() {
    callbackSince_ = scheduler_.now();
    armFor(*callbackSince_ + callbackOverdue);
}

void Pacing::callbackDone() {
    callbackSince_.reset();
    hidden_ = false;
    lastCallback_ = scheduler_.now();
    want();
}

void Pacing::waitingForImport() {
    importSince_ = scheduler_.now();
    armFor(*importSince_ + importOverdue);
}

void Pacing::suspended(bool isSuspended) {
    if (suspended_ == isSuspended)
        return;
    suspended_ = isSuspended;
    if (suspended_)
        dontWant();
    else
        resume();
}

void Pacing::awaken() {
    if (!started_ || !hidden_)
        return;
    hidden_ = false;
    resume();
}

void Pacing::resume() {
    // The callback that was asked for before may come now; it has its full time again.
    if (callbackSince_) {
        callbackSince_ = scheduler_.now();
        armFor(*callbackSince_ + callbackOverdue);
    }
    want();
}

void Pacing::want() {
    if (!started_ || suspended_ || wanting_)
        return;
    wanting_ = true;
    if (visibility_ == Visibility::guessed)
        armFor(lastCallback_ + stillTime);
    // May call show() before it returns.
    const TimePoint now = scheduler_.now();
    demand_->frameWanted(sink_, when_ ? when_(now) : now);
}

void Pacing::dontWant() {
    timer_->disarm();
    armed_ = false;
    if (std::exchange(wanting_, false))
        demand_->frameNotWanted(sink_);
}

void Pacing::armFor(TimePoint when) {
    // One that is armed stays: it looks at the state when it fires, and so is not moved with each frame.
    if (std::exchange(armed_, true))
        return;
    timer_->arm(when);
}

void Pacing::tick() {
    armed_ = false;
    if (suspended_ || hidden_)
        return;
    const TimePoint now = scheduler_.now();
    if (importSince_) {
        // The guest may have gone on to a buffer that the compositor knows.
        if (now - *importSince_ < importOverdue)
            return armFor(*importSince_ + importOverdue);
        importSince_ = now;
        armFor(now + importOverdue);
        return want();
    }
    if (callbackSince_) {
        if (now - *callbackSince_ < callbackOverdue)
            return armFor(*callbackSince_ + callbackOverdue);
        if (visibility_ == Visibility::told) {
            armFor(now + fallbackInterval);
            return want();
        }
        hidden_ = true;
        return dontWant();
    }
    if (wanting_ && visibility_ == Visibility::guessed) {
        if (now - lastCallback_ < stillTime)
            return armFor(lastCallback_ + stillTime);
        commitForCallback_();
    }
}

} // namespace vgpuview

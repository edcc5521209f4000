// SPDX-License-Identifier: MIT
// When the guest shall see another monitor: as the window's size has come to rest.
#include "wayland/resize_follower.h"

namespace vgpuview {

namespace {

// A guest blanks its screen while it changes its mode: not with each step of a drag.
constexpr Nanoseconds restTime = std::chrono::milliseconds(150);

} // namespace

ResizeFollower::ResizeFollower(Scheduler& scheduler, FrameSink& sink, Log& log, GuestResize mode,
                               std::optional<ModeRequest> asked)
    : scheduler_(scheduler)
    , sink_(sink)
    , log_(log)
    , mode_(mode)
    , refreshMilliHz_(asked ? asked->refreshMilliHz : std::nullopt)
    , timer_(scheduler.makeTimer([this] { tell(); })) {}

void ResizeFollower::attach(FrameDemand& demand, const std::optional<GuestMonitor>& asked) {
    demand_ = &demand;
    if (!asked)
        return;
    wanted_ = asked;
    tell();
}

void ResizeFollower::sourceIs(const SourceDescription& source) {
    following_ = source.monitorFixedBecause.empty();
    if (following_ || !told_ || fixedSaid_)
        return;
    fixedSaid_ = true;
    log_.info("the guest keeps its resolution and is scaled: {}", source.monitorFixedBecause);
}

void ResizeFollower::windowIs(const GuestMonitor& window, Size picture) {
    if (mode_ == GuestResize::fixed || !demand_)
        return;
    // A guest that has the right size is spared the change of its monitor.
    if (!wanted_ && window.size == picture)
        return;
    if (wanted_ && wanted_->size == window.size && wanted_->millimetres == window.millimetres &&
        (refreshMilliHz_ || wanted_->refreshMilliHz == window.refreshMilliHz))
        return;
    wanted_ = window;
    timer_->arm(scheduler_.now() + restTime);
}

void ResizeFollower::tell() {
    if (refreshMilliHz_)
        wanted_->refreshMilliHz = *refreshMilliHz_;
    told_ = true;
    log_.debug("the guest's monitor shall be {}x{} at {:.2f} Hz", wanted_->size.width, wanted_->size.height,
               wanted_->refreshMilliHz / 1000.0);
    demand_->setGuestMonitor(sink_, *wanted_);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The guest's monitor, plugged in anew whenever it shall be another one.
#include "vfio/virtual_monitor.h"

#include <system_error>
#include <utility>

namespace vgpuview {

namespace {

constexpr Nanoseconds warningInterval = std::chrono::seconds(10);

} // namespace

VirtualMonitor::VirtualMonitor(EdidRegion region, std::string serial, Scheduler& scheduler, Log& log)
    : region_(region)
    , edid_{.serial = std::move(serial), .limit = region.limits().maxSize}
    , scheduler_(scheduler)
    , log_(log)
    , warnings_(warningInterval)
    , timer_(scheduler.makeTimer([this] { plugIn(); })) {}

VirtualMonitor::~VirtualMonitor() {
    if (linkDown_)
        plugIn();
}

void VirtualMonitor::set(const GuestMonitor& monitor) noexcept {
    if (current_ == monitor)
        return;
    current_ = monitor;
    edid_.size = monitor.size;
    edid_.refreshMilliHz = monitor.refreshMilliHz;
    edid_.millimetres = monitor.millimetres;
    if (!linkDown_) {
        if (const int error = region_.setLink(LinkState::down); error < 0)
            return failed("unplug", error);
        linkDown_ = true;
    }
    if (const int error = region_.write(makeEdid(edid_)); error < 0)
        failed("describe", error);
    timer_->arm(scheduler_.now() + linkDownTime);
}

void VirtualMonitor::plugIn() noexcept {
    linkDown_ = false;
    if (const int error = region_.setLink(LinkState::up); error < 0)
        failed("plug in", error);
}

void VirtualMonitor::failed(const char* operation, int error) noexcept {
    // A device that was removed says so when it is polled.
    if (const auto heldBack = warnings_.pass(scheduler_.now()))
        log_.warning("cannot {} the guest's monitor: {} ({} more such messages left out)", operation,
                     std::generic_category().message(-error), *heldBack);
}

} // namespace vgpuview

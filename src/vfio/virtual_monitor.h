// SPDX-License-Identifier: MIT
// The guest's monitor, plugged in anew whenever it shall be another one.
#pragma once

#include "base/log.h"
#include "frame/guest_monitor.h"
#include "loop/scheduler.h"
#include "vfio/edid_block.h"
#include "vfio/edid_region.h"

#include <memory>
#include <optional>
#include <string>

namespace vgpuview {

/// How long the link stays down after the last change, so that a guest sees one monitor and not each step of a resize.
inline constexpr Nanoseconds linkDownTime = std::chrono::milliseconds(100);

/// Writes the device's EDID: link down, the block, and link up when it has come to rest. Nothing in set() blocks or
/// allocates. The device and the scheduler outlive it.
class VirtualMonitor final {
public:
    /// serial: at most 13 characters; a guest keeps its settings by it.
    VirtualMonitor(EdidRegion region, std::string serial, Scheduler& scheduler, Log& log);
    VirtualMonitor(const VirtualMonitor&) = delete;
    VirtualMonitor& operator=(const VirtualMonitor&) = delete;
    /// A link that is still down comes up: the guest keeps its monitor.
    ~VirtualMonitor();

    void set(const GuestMonitor& monitor) noexcept;

private:
    void plugIn() noexcept;
    void failed(const char* operation, int error) noexcept;

    EdidRegion region_;
    EdidMonitor edid_;
    Scheduler& scheduler_;
    Log& log_;
    RateLimit warnings_;
    std::optional<GuestMonitor> current_;
    bool linkDown_ = false;
    std::unique_ptr<Timer> timer_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The ways in: opens a device by its address, however it can be had, under its lock.
#pragma once

#include "base/unique_fd.h"
#include "vfio/address.h"
#include "vfio/devices.h"
#include "vfio/host_paths.h"
#include "vfio/io.h"

#include <optional>
#include <string>
#include <string_view>

namespace vgpuview {

/// How the device's descriptor was had.
enum class WayIn {
    cdev,       ///< VFIO character device bound to an iommufd
    group,      ///< IOMMU group and container
    process,    ///< a copy of another process' descriptor
    descriptor, ///< inherited
};
[[nodiscard]] std::string_view nameOf(WayIn way) noexcept;

/// An open device and all that keeps it open. The device's descriptor is the last member: it is closed first.
struct OpenedDevice {
    UniqueFd lock;
    UniqueFd process; ///< readable when the process ends whose descriptor was copied; empty for other ways in
    UniqueFd container;
    UniqueFd group;
    UniqueFd iommufd;
    WayIn way = WayIn::group;
    std::optional<VgpuDevice> vgpu; ///< nothing where the host does not tell which device it is
    std::optional<Holder> holder;   ///< the process whose descriptor was copied
    bool holderShowsIt = false;     ///< that process has a display of its own for the device, and so writes its EDID
    UniqueFd device;
};

/// Throws Error: not found (3), not permitted (4), held by another (5), no display (6), several to choose from (2).
[[nodiscard]] OpenedDevice openDevice(const SourceAddress& address, const HostPaths& paths, VfioIo& io);

/// Locks a device against other viewers for as long as the descriptor is open. The lock lies on the device's own folder
/// in sysfs (flock(2)): it holds between all users, leaves no file behind and goes with its owner. Throws Error (held)
/// that names the other viewer.
[[nodiscard]] UniqueFd lockDevice(const HostPaths& paths, std::string_view uuid);

} // namespace vgpuview

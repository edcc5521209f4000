// SPDX-License-Identifier: MIT
// The mediated devices of this host and who holds them, as sysfs and procfs tell.
#pragma once

#include "vfio/host_paths.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

/// A process that has a VFIO device open.
struct Holder {
    pid_t pid = 0;
    std::string processName; ///< "qemu-system-x86"
    std::string vmName;      ///< libvirt's or QEMU's name of the VM, or empty

    friend bool operator==(const Holder&, const Holder&) = default;
};

/// A mediated device. It need not have a display: only its driver knows.
struct VgpuDevice {
    std::string uuid;
    std::string type;                   ///< the type's id: "i915-GVTg_V5_4", "mbochs-medium"; or empty
    std::string typeName;               ///< the driver's own words for it, or empty
    std::string parent;                 ///< "0000:00:02.0", "mbochs"
    std::string parentDriver;           ///< "i915", "nvidia"; for a parent without driver the device's own ("mbochs")
    std::optional<unsigned> iommuGroup; ///< /dev/vfio/N
    std::string cdevName;               ///< "vfio0" of /dev/vfio/devices/vfio0, or empty
    std::optional<Holder> holder;       ///< nothing: free, or held by a process that this user may not look into

    friend bool operator==(const VgpuDevice&, const VgpuDevice&) = default;
};

/// All mediated devices, by UUID. What sysfs or procfs do not tell, or tell wrongly, stays empty. Never throws for it.
[[nodiscard]] std::vector<VgpuDevice> findDevices(const HostPaths& paths);
/// The one with this UUID (lower case).
[[nodiscard]] std::optional<VgpuDevice> findDevice(const HostPaths& paths, std::string_view uuid);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Processes that have VFIO descriptors open, and the VMs that they run, as procfs and libvirt tell.
#pragma once

#include "vfio/devices.h"

#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

/// A VFIO device descriptor of a process.
struct DeviceDescriptor {
    int fd = -1;            ///< its number in that process
    std::string cdevName;   ///< "vfio0" where it was opened as /dev/vfio/devices/vfio0, or empty
    std::string deviceName; ///< as the kernel tells in fdinfo ("vfio-device-syspath", since 6.17), or empty
};

/// The VFIO descriptors of a process.
struct VfioProcess {
    pid_t pid = 0;
    int errorNumber = 0;                   ///< why its descriptors can't be seen: ENOENT: there is no such process
    std::vector<DeviceDescriptor> devices; ///< in the order of their numbers
    std::vector<unsigned> groups;          ///< the IOMMU groups that it has open
};

[[nodiscard]] VfioProcess inspectProcess(const HostPaths& paths, pid_t pid);
/// The same for this process itself.
[[nodiscard]] VfioProcess inspectSelf(const HostPaths& paths);
/// All other processes with VFIO devices that this user may look into.
[[nodiscard]] std::vector<VfioProcess> findVfioProcesses(const HostPaths& paths);

/// Whether the kernel tells that this descriptor is the device.
[[nodiscard]] bool isDescriptorOf(const DeviceDescriptor& descriptor, const VgpuDevice& device) noexcept;
/// Whether the process has the device open, by name, by cdev or by its group.
[[nodiscard]] bool holds(const VfioProcess& process, const VgpuDevice& device) noexcept;

/// Arguments ended by NUL each; empty where it can't be read.
[[nodiscard]] std::string commandLineOf(const HostPaths& paths, pid_t pid);
[[nodiscard]] Holder describeHolder(const HostPaths& paths, pid_t pid);
/// Whether a QEMU with this command line, arguments ended by NUL, shows the device itself (`display=on` or `auto`):
/// then it writes the device's EDID. uuid: of the device, or empty: any of its devices counts.
[[nodiscard]] bool showsDisplayItself(std::string_view commandLine, std::string_view uuid);
/// The process that runs the VM: by libvirt's pid file, else by QEMU's -name.
[[nodiscard]] std::optional<pid_t> findVm(const HostPaths& paths, std::string_view name);
/// The name in a QEMU command line, arguments ended by NUL: `-name NAME` or `-name guest=NAME,...`; or empty.
[[nodiscard]] std::string vmNameFromCommandLine(std::string_view commandLine);

} // namespace vgpuview

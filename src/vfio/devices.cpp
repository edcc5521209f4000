// SPDX-License-Identifier: MIT
// The mediated devices of this host and who holds them, as sysfs and procfs tell.
#include "vfio/devices.h"

#include "vfio/address.h"
#include "vfio/host_files.h"
#include "vfio/processes.h"

#include <algorithm>

namespace vgpuview {

namespace fs = std::filesystem;

namespace {

fs::path foldersOf(const HostPaths& paths) {
    return paths.sysfs() / "bus" / "mdev" / "devices";
}

VgpuDevice describe(const fs::path& entry, const std::string& uuid) {
    VgpuDevice device;
    device.uuid = uuid;
    std::error_code error;
    const fs::path folder = fs::canonical(entry, error);
    if (error)
        return device;
    device.type = printable(linkName(folder / "mdev_type"));
    device.typeName = readHostLine(folder / "mdev_type" / "name");
    // The folder of a device lies in its parent's.
    device.parent = printable(folder.parent_path().filename().string());
    device.parentDriver = printable(linkName(folder.parent_path() / "driver"));
    if (device.parentDriver.empty())
        device.parentDriver = printable(linkName(folder / "driver"));
    device.iommuGroup = decimal(linkName(folder / "iommu_group"));
    for (const std::string& name : namesIn(folder / "vfio-dev"))
        if (name.starts_with("vfio") && decimal(std::string_view(name).substr(4)))
            device.cdevName = name;
    return device;
}

// Several processes may have a copy of the descriptor; the VM is the one that has a name, else the oldest.
void findHolder(const HostPaths& paths, const std::vector<VfioProcess>& processes, VgpuDevice& device) {
    for (const VfioProcess& process : processes) {
        if (!holds(process, device))
            continue;
        const Holder holder = describeHolder(paths, process.pid);
        if (!device.holder || (device.holder->vmName.empty() && !holder.vmName.empty()))
            device.holder = holder;
    }
}

} // namespace

std::vector<VgpuDevice> findDevices(const HostPaths& paths) {
    std::vector<VgpuDevice> devices;
    for (const std::string& name : namesIn(foldersOf(paths)))
        if (isUuid(name))
            devices.push_back(describe(foldersOf(paths) / name, name));
    if (devices.empty())
        return devices;
    const std::vector<VfioProcess> processes = findVfioProcesses(paths);
    for (VgpuDevice& device : devices)
        findHolder(paths, processes, device);
    return devices;
}

std::optional<VgpuDevice> findDevice(const HostPaths& paths, std::string_view uuid) {
    const fs::path entry = foldersOf(paths) / uuid;
    std::error_code error;
    if (!isUuid(uuid) || !fs::exists(fs::symlink_status(entry, error)))
        return {};
    VgpuDevice device = describe(entry, std::string(uuid));
    findHolder(paths, findVfioProcesses(paths), device);
    return device;
}

} // namespace vgpuview

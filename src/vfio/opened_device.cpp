// SPDX-License-Identifier: MIT
// The ways in: opens a device by its address, however it can be had, under its lock.
#include "vfio/opened_device.h"

#include "base/error.h"
#include "vfio/device.h"
#include "vfio/processes.h"
#include "vfio/uapi.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace vgpuview {

namespace {

/// Why a way in did not lead in.
struct Refusal {
    std::string operation;
    std::string object;
    int errorNumber = 0; ///< positive; 0: this host does not have this way
};

std::string permissionHint(const std::string& path) {
    return fmt::format("run as root, or give your user the node: sudo setfacl -m u:$USER:rw {}", path);
}

constexpr const char* traceHint =
    "run as root or as the VM's user; for another process' device the right to trace it is needed: sudo setcap "
    "cap_sys_ptrace+ep \"$(command -v vgpu-view)\", or sudo sysctl kernel.yama.ptrace_scope=0";

std::string pathIn(const std::filesystem::path& folder, std::string_view name) {
    return (folder / name).string();
}

// VFIO character device bound to an iommufd; no address space is attached, the planes need none.
Refusal openByCdev(const VgpuDevice& vgpu, const HostPaths& paths, VfioIo& io, OpenedDevice& opened) {
    if (vgpu.cdevName.empty())
        return {};
    const std::string node = pathIn(paths.dev() / "vfio" / "devices", vgpu.cdevName);
    const int device = io.open(node);
    if (device < 0)
        return {.operation = "open", .object = node, .errorNumber = -device};
    UniqueFd deviceFd(device);
    const std::string iommuNode = pathIn(paths.dev(), "iommu");
    const int iommufd = io.open(iommuNode);
    if (iommufd < 0)
        return {.operation = "open", .object = iommuNode, .errorNumber = -iommufd};
    UniqueFd iommufdFd(iommufd);
    BindIommufd bind{.argsz = sizeof(BindIommufd), .flags = 0, .iommufd = iommufd, .outDeviceId = 0};
    if (const int result = io.ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind); result < 0)
        // The kernel answers EINVAL for a device that is already bound.
        return {.operation = "bind", .object = node, .errorNumber = result == -EINVAL ? EBUSY : -result};
    opened.way = WayIn::cdev;
    opened.iommufd = std::move(iommufdFd);
    opened.device = std::move(deviceFd);
    return {};
}

Refusal openByGroup(const VgpuDevice& vgpu, const HostPaths& paths, VfioIo& io, OpenedDevice& opened) {
    if (!vgpu.iommuGroup)
        return {};
    const std::string node = pathIn(paths.dev() / "vfio", std::to_string(*vgpu.iommuGroup));
    const int group = io.open(node);
    if (group < 0)
        return {.operation = "open", .object = node, .errorNumber = -group};
    UniqueFd groupFd(group);
    vfio_group_status status{};
    status.argsz = sizeof(status);
    if (const int result = io.ioctl(group, VFIO_GROUP_GET_STATUS, &status); result < 0)
        return {.operation = "ask for the state of", .object = node, .errorNumber = -result};
    if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
        return {.operation = "use", .object = node, .errorNumber = EBUSY};
    const std::string containerNode = pathIn(paths.dev() / "vfio", "vfio");
    int container = io.open(containerNode);
    if (container < 0)
        return {.operation = "open", .object = containerNode, .errorNumber = -container};
    UniqueFd containerFd(container);
    if (const int result = io.ioctl(group, VFIO_GROUP_SET_CONTAINER, &container); result < 0)
        return {.operation = "put into a container", .object = node, .errorNumber = -result};
    void* const type = reinterpret_cast<void*>(static_cast<std::uintptr_t>(VFIO_TYPE1v2_IOMMU));
    if (const int result = io.ioctl(container, VFIO_SET_IOMMU, type); result < 0)
        return {.operation = "set the IOMMU type of", .object = containerNode, .errorNumber = -result};
    std::string name = vgpu.uuid;
    const int device = io.ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name.data());
    if (device < 0)
        return {.operation = "open", .object = vgpu.uuid, .errorNumber = -device};
    opened.way = WayIn::group;
    opened.container = std::move(containerFd);
    opened.group = std::move(groupFd);
    opened.device = UniqueFd(device);
    return {};
}

[[noreturn]] void throwNoRightToTrace(pid_t pid, int errorNumber) {
    throw Error(errorNumber,
                {.operation = "copy the device descriptor of",
                 .object = fmt::format("pid {}", pid),
                 .hint = errorNumber == ENOSYS ? "Linux 5.6 is the oldest kernel that can do this" : traceHint});
}

UniqueFd copyOf(VfioIo& io, int process, pid_t pid, const DeviceDescriptor& descriptor) {
    const int fd = io.copyDescriptor(process, descriptor.fd);
    if (fd < 0)
        throwNoRightToTrace(pid, -fd);
    return UniqueFd(fd);
}

/// Leaves one of the descriptors that are of one open file: many a language's mmap duplicates the one it is given.
void dropDuplicates(VfioIo& io, int processFd, VfioProcess& process) {
    if (process.devices.size() < 2)
        return;
    std::vector<UniqueFd> copies;
    std::erase_if(process.devices, [&](const DeviceDescriptor& descriptor) {
        UniqueFd copy = copyOf(io, processFd, process.pid, descriptor);
        const bool known = std::any_of(copies.begin(), copies.end(),
                                       [&](const UniqueFd& other) { return io.areSameFile(other.get(), copy.get()); });
        if (!known)
            copies.push_back(std::move(copy));
        return known;
    });
}

bool hasDisplay(VfioIo& io, int fd) noexcept {
    const DeviceCalls device(io, fd);
    return device.offers(DisplayKind::dmaBuf) >= 0 || device.offers(DisplayKind::region) >= 0;
}

std::optional<VgpuDevice> identify(const std::vector<VgpuDevice>& vgpus, const VfioProcess& process,
                                   const DeviceDescriptor& descriptor) {
    for (const VgpuDevice& vgpu : vgpus)
        if (isDescriptorOf(descriptor, vgpu))
            return vgpu;
    // Where only the group is known, it tells for certain only if the process has one device of one group.
    std::optional<VgpuDevice> only;
    if (process.devices.size() != 1 || !descriptor.deviceName.empty() || !descriptor.cdevName.empty())
        return only;
    for (const VgpuDevice& vgpu : vgpus) {
        if (!vgpu.iommuGroup ||
            std::find(process.groups.begin(), process.groups.end(), *vgpu.iommuGroup) == process.groups.end())
            continue;
        if (only)
            return {};
        only = vgpu;
    }
    return only;
}

std::string listChoices(pid_t pid, const VfioProcess& process, const std::vector<DeviceDescriptor>& choices,
                        const std::vector<VgpuDevice>& vgpus) {
    std::string list;
    for (const DeviceDescriptor& choice : choices) {
        const auto position = std::find_if(process.devices.begin(), process.devices.end(),
                                           [&](const DeviceDescriptor& other) { return other.fd == choice.fd; });
        const auto vgpu = identify(vgpus, process, choice);
        list += fmt::format("{}pid:{}/{}{}", list.empty() ? "" : ", ", pid, position - process.devices.begin(),
                            vgpu ? fmt::format(" ({})", vgpu->uuid) : std::string());
    }
    return list;
}

/// Several descriptors and nothing that tells them apart: the one that has a display.
DeviceDescriptor choose(VfioIo& io, int processFd, const VfioProcess& process,
                        const std::vector<DeviceDescriptor>& candidates, const std::vector<VgpuDevice>& vgpus) {
    if (candidates.size() == 1)
        return candidates.front();
    std::vector<DeviceDescriptor> displays;
    for (const DeviceDescriptor& candidate : candidates)
        if (hasDisplay(io, copyOf(io, processFd, process.pid, candidate).get()))
            displays.push_back(candidate);
    const std::string object = fmt::format("pid {}", process.pid);
    if (displays.empty())
        throw Error(EOPNOTSUPP, {.operation = "show",
                                 .object = object,
                                 .cause = fmt::format("none of its {} VFIO devices has a display", candidates.size())});
    if (displays.size() > 1)
        throw Error(EINVAL, {.operation = "show",
                             .object = object,
                             .cause = fmt::format("{} of its VFIO devices have a display", displays.size()),
                             .hint = "choose one: " + listChoices(process.pid, process, displays, vgpus),
                             .exit = ExitCode::usage});
    return displays.front();
}

VfioProcess inspectOrThrow(const HostPaths& paths, pid_t pid) {
    VfioProcess process = inspectProcess(paths, pid);
    const std::string object = fmt::format("pid {}", pid);
    if (process.errorNumber == ENOENT)
        throw Error(ESRCH,
                    {.operation = "attach to", .object = object, .hint = "`vgpu-view list` shows who holds a vGPU"});
    if (process.errorNumber != 0)
        throw Error(process.errorNumber, {.operation = "see the descriptors of", .object = object, .hint = traceHint});
    if (process.devices.empty())
        throw Error(ENODEV, {.operation = "attach to",
                             .object = object,
                             .cause = "it has no VFIO device open",
                             .hint = "`vgpu-view list` shows who holds a vGPU"});
    return process;
}

/// wanted: the device that was asked for by UUID, whose lock is already had.
OpenedDevice openOfProcess(pid_t pid, std::optional<unsigned> index, const HostPaths& paths, VfioIo& io,
                           const VgpuDevice* wanted) {
    OpenedDevice opened;
    opened.way = WayIn::process;
    // First of all, so that the number can't come to stand for another process in between.
    const int processFd = io.openProcess(pid);
    if (processFd < 0)
        throw Error(-processFd, {.operation = "attach to", .object = fmt::format("pid {}", pid)});
    opened.process = UniqueFd(processFd);
    VfioProcess process = inspectOrThrow(paths, pid);
    dropDuplicates(io, processFd, process);
    const std::vector<VgpuDevice> vgpus = findDevices(paths);

    std::vector<DeviceDescriptor> candidates;
    for (const DeviceDescriptor& descriptor : process.devices) {
        if (wanted && isDescriptorOf(descriptor, *wanted)) {
            candidates = {descriptor};
            break;
        }
        // One that is known to be another device is none.
        if (!wanted || (descriptor.deviceName.empty() && descriptor.cdevName.empty()))
            candidates.push_back(descriptor);
    }
    if (index) {
        if (*index >= process.devices.size())
            throw Error(ENODEV, {.operation = "attach to",
                                 .object = fmt::format("pid:{}/{}", pid, *index),
                                 .cause = fmt::format("it has {} VFIO device{} open", process.devices.size(),
                                                      process.devices.size() == 1 ? "" : "s"),
                                 .hint = "they are counted from 0"});
        candidates = {process.devices[*index]};
    }
    if (candidates.empty())
        throw Error(ENODEV, {.operation = "attach to",
                             .object = fmt::format("pid {}", pid),
                             .cause = "none of its VFIO devices is this one"});
    const DeviceDescriptor chosen = choose(io, processFd, process, candidates, vgpus);
    opened.vgpu = wanted ? std::optional(*wanted) : identify(vgpus, process, chosen);
    opened.holder = describeHolder(paths, pid);
    opened.holderShowsIt =
        showsDisplayItself(commandLineOf(paths, pid), opened.vgpu ? opened.vgpu->uuid : std::string());
    if (!wanted && opened.vgpu)
        opened.lock = lockDevice(paths, opened.vgpu->uuid);
    opened.device = copyOf(io, processFd, pid, chosen);
    return opened;
}

[[noreturn]] void throwRefusal(const VgpuDevice& vgpu, const std::vector<Refusal>& refusals) {
    if (refusals.empty())
        throw Error(ENODEV, {.operation = "open",
                             .object = vgpu.uuid,
                             .cause = "it has neither an IOMMU group nor a VFIO character device",
                             .hint = "load its driver and VFIO: sudo modprobe -a mdev vfio_iommu_type1"});
    // The one that leads to a cure goes first: a right that is missing, then a holder.
    const auto rank = [](const Refusal& refusal) {
        switch (refusal.errorNumber) {
        case EACCES:
        case EPERM:
            return 0;
        case EBUSY:
            return 1;
        default:
            return 2;
        }
    };
    const Refusal& refusal = *std::min_element(refusals.begin(), refusals.end(),
                                               [&](const Refusal& a, const Refusal& b) { return rank(a) < rank(b); });
    ErrorDetails details{.operation = refusal.operation, .object = refusal.object};
    switch (refusal.errorNumber) {
    case EACCES:
    case EPERM:
        details.hint = permissionHint(refusal.object);
        break;
    case EBUSY:
        details.operation = "open";
        details.object = vgpu.uuid;
        details.cause = "another process holds it, and this user may not see which";
        details.hint = traceHint;
        break;
    case ENOENT:
    case ENODEV:
        details.hint = "load VFIO: sudo modprobe -a vfio_iommu_type1 mdev";
        break;
    case ESRCH:
        details.hint = "this driver opens its device only for a running VM: start the VM first";
        break;
    default:
        break;
    }
    throw Error(refusal.errorNumber, std::move(details));
}

OpenedDevice openOfUuid(const std::string& uuid, const HostPaths& paths, VfioIo& io) {
    const std::optional<VgpuDevice> vgpu = findDevice(paths, uuid);
    if (!vgpu)
        throw Error(ENODEV, {.operation = "find",
                             .object = uuid,
                             .cause = "there is no such mediated device",
                             .hint = "`vgpu-view list` shows those of this host"});
    OpenedDevice opened;
    opened.lock = lockDevice(paths, uuid);
    opened.vgpu = vgpu;
    std::vector<Refusal> refusals;
    for (const auto way : {openByCdev, openByGroup}) {
        const Refusal refusal = way(*vgpu, paths, io, opened);
        if (opened.device)
            return opened;
        if (refusal.errorNumber != 0)
            refusals.push_back(refusal);
    }
    if (vgpu->holder) {
        OpenedDevice copied = openOfProcess(vgpu->holder->pid, {}, paths, io, &*vgpu);
        copied.lock = std::move(opened.lock);
        return copied;
    }
    throwRefusal(*vgpu, refusals);
}

OpenedDevice openOfVm(const std::string& name, const HostPaths& paths, VfioIo& io) {
    const std::optional<pid_t> pid = findVm(paths, name);
    if (!pid)
        throw Error(ESRCH, {.operation = "find VM",
                            .object = name,
                            .cause = "no libvirt domain and no QEMU of this name runs",
                            .hint = "`virsh list` shows the domains that run; QEMU's name is what -name gives it"});
    return openOfProcess(*pid, {}, paths, io, nullptr);
}

OpenedDevice openInherited(int fd, const HostPaths& paths) {
    const VfioProcess self = inspectSelf(paths);
    const std::string object = fmt::format("descriptor {}", fd);
    const auto found = std::find_if(self.devices.begin(), self.devices.end(),
                                    [&](const DeviceDescriptor& descriptor) { return descriptor.fd == fd; });
    OpenedDevice opened;
    opened.way = WayIn::descriptor;
    if (::fcntl(fd, F_GETFD) < 0)
        throw Error(EBADF, {.operation = "use",
                            .object = object,
                            .cause = "it is not open",
                            .hint = "fd:N takes a descriptor that vgpu-view inherits from the program that starts it",
                            .exit = ExitCode::notFound});
    opened.device = UniqueFd::duplicateOf(fd);
    // No ioctl is sent to what is no VFIO device: it might obey.
    if (found == self.devices.end())
        throw Error(EOPNOTSUPP, {.operation = "use",
                                 .object = object,
                                 .cause = "it is no VFIO device",
                                 .hint = "fd:N takes the descriptor of a VFIO device, not of a group or container"});
    VfioProcess onlyThis{.pid = self.pid, .devices = {*found}, .groups = {}};
    opened.vgpu = identify(findDevices(paths), onlyThis, *found);
    if (opened.vgpu)
        opened.lock = lockDevice(paths, opened.vgpu->uuid);
    return opened;
}

} // namespace

std::string_view nameOf(WayIn way) noexcept {
    switch (way) {
    case WayIn::cdev:
        return "cdev";
    case WayIn::group:
        return "group";
    case WayIn::process:
        return "process";
    case WayIn::descriptor:
        return "descriptor";
    }
    return "unknown";
}

OpenedDevice openDevice(const SourceAddress& address, const HostPaths& paths, VfioIo& io) {
    if (const auto* mdev = std::get_if<MdevAddress>(&address))
        return openOfUuid(mdev->uuid, paths, io);
    if (const auto* process = std::get_if<ProcessAddress>(&address))
        return openOfProcess(process->pid, process->index, paths, io, nullptr);
    if (const auto* vm = std::get_if<VmAddress>(&address))
        return openOfVm(vm->name, paths, io);
    if (const auto* descriptor = std::get_if<DescriptorAddress>(&address))
        return openInherited(descriptor->fd, paths);
    throw Error(EINVAL, {.operation = "open",
                         .object = textOf(address),
                         .cause = "it is no VFIO device",
                         .hint = "vgpu-view test shows the built-in test vGPU",
                         .exit = ExitCode::usage});
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Processes that have VFIO descriptors open, and the VMs that they run, as procfs and libvirt tell.
#include "vfio/processes.h"

#include "vfio/host_files.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace vgpuview {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view anonymousDevice = "anon_inode:[vfio-device]";
constexpr std::string_view cdevFolder = "/dev/vfio/devices/";
constexpr std::string_view groupFolder = "/dev/vfio/";
constexpr std::string_view sysPathKey = "vfio-device-syspath:";

std::string deviceNameFrom(const std::string& fdinfo) {
    const std::size_t key = fdinfo.find(sysPathKey);
    if (key == std::string::npos)
        return {};
    const std::size_t end = std::min(fdinfo.find('\n', key), fdinfo.size());
    std::string path = fdinfo.substr(key + sysPathKey.size(), end - key - sysPathKey.size());
    path.erase(0, path.find_first_not_of(" \t"));
    return fs::path(path).filename().string();
}

VfioProcess inspect(const fs::path& folder, pid_t pid) {
    VfioProcess process{.pid = pid, .devices = {}, .groups = {}};
    for (const std::string& name : namesIn(folder / "fd", &process.errorNumber)) {
        const std::optional<unsigned> number = decimal(name);
        if (!number)
            continue;
        const std::string target = linkTarget(folder / "fd" / name);
        const std::string_view link = target;
        DeviceDescriptor descriptor{.fd = static_cast<int>(*number), .cdevName = {}, .deviceName = {}};
        if (link.starts_with(cdevFolder)) {
            descriptor.cdevName = link.substr(cdevFolder.size());
        } else if (link != anonymousDevice) {
            if (link.starts_with(groupFolder))
                if (const auto group = decimal(link.substr(groupFolder.size())))
                    process.groups.push_back(*group);
            continue;
        }
        descriptor.deviceName = deviceNameFrom(readHostFile(folder / "fdinfo" / name).value_or(""));
        process.devices.push_back(std::move(descriptor));
    }
    std::sort(process.devices.begin(), process.devices.end(),
              [](const DeviceDescriptor& a, const DeviceDescriptor& b) { return a.fd < b.fd; });
    return process;
}

std::vector<pid_t> allProcesses(const HostPaths& paths) {
    std::vector<pid_t> pids;
    for (const std::string& name : namesIn(paths.procfs()))
        if (const auto pid = decimal(name); pid && *pid > 0 && *pid <= 0x7fffffffU)
            pids.push_back(static_cast<pid_t>(*pid));
    std::sort(pids.begin(), pids.end());
    return pids;
}

fs::path folderOf(const HostPaths& paths, pid_t pid) {
    return paths.procfs() / std::to_string(pid);
}

std::optional<pid_t> pidFromFile(const fs::path& path) {
    const auto pid = decimal(readHostLine(path));
    if (!pid || *pid == 0 || *pid > 0x7fffffffU)
        return {};
    return static_cast<pid_t>(*pid);
}

std::string vmNameOf(const HostPaths& paths, pid_t pid) {
    const fs::path folder = paths.run() / "libvirt" / "qemu";
    for (const std::string& name : namesIn(folder))
        if (const fs::path file = folder / name; file.extension() == ".pid" && pidFromFile(file) == pid)
            return printable(file.stem().string());
    return printable(vmNameFromCommandLine(commandLineOf(paths, pid)));
}

std::string_view nextArgument(std::string_view& commandLine) {
    const std::string_view argument = commandLine.substr(0, commandLine.find('\0'));
    commandLine.remove_prefix(std::min(commandLine.size(), argument.size() + 1));
    return argument;
}

// QEMU writes a comma within a value twice.
std::string_view nextOption(std::string_view& rest, std::string& value) {
    value.clear();
    while (!rest.empty()) {
        const char c = rest.front();
        rest.remove_prefix(1);
        if (c == ',') {
            if (rest.empty() || rest.front() != ',')
                break;
            rest.remove_prefix(1);
        }
        value += c;
    }
    return value;
}

} // namespace

VfioProcess inspectProcess(const HostPaths& paths, pid_t pid) {
    return inspect(folderOf(paths, pid), pid);
}

VfioProcess inspectSelf(const HostPaths& paths) {
    return inspect(paths.procfs() / "self", ::getpid());
}

std::vector<VfioProcess> findVfioProcesses(const HostPaths& paths) {
    std::vector<VfioProcess> found;
    const pid_t self = ::getpid();
    for (const pid_t pid : allProcesses(paths)) {
        if (pid == self)
            continue;
        VfioProcess process = inspectProcess(paths, pid);
        if (!process.devices.empty() || !process.groups.empty())
            found.push_back(std::move(process));
    }
    return found;
}

bool isDescriptorOf(const DeviceDescriptor& descriptor, const VgpuDevice& device) noexcept {
    return descriptor.deviceName == device.uuid ||
           (!descriptor.cdevName.empty() && descriptor.cdevName == device.cdevName);
}

bool holds(const VfioProcess& process, const VgpuDevice& device) noexcept {
    if (std::any_of(process.devices.begin(), process.devices.end(),
                    [&](const DeviceDescriptor& descriptor) { return isDescriptorOf(descriptor, device); }))
        return true;
    return device.iommuGroup &&
           std::find(process.groups.begin(), process.groups.end(), *device.iommuGroup) != process.groups.end();
}

std::string commandLineOf(const HostPaths& paths, pid_t pid) {
    return readHostFile(folderOf(paths, pid) / "cmdline").value_or("");
}

Holder describeHolder(const HostPaths& paths, pid_t pid) {
    return {.pid = pid, .processName = readHostLine(folderOf(paths, pid) / "comm"), .vmName = vmNameOf(paths, pid)};
}

std::optional<pid_t> findVm(const HostPaths& paths, std::string_view name) {
    const fs::path file = paths.run() / "libvirt" / "qemu" / (std::string(name) + ".pid");
    if (const auto pid = pidFromFile(file)) {
        std::error_code error;
        if (fs::exists(folderOf(paths, *pid), error))
            return pid;
    }
    for (const pid_t pid : allProcesses(paths))
        if (vmNameFromCommandLine(commandLineOf(paths, pid)) == name)
            return pid;
    return {};
}

bool showsDisplayItself(std::string_view commandLine, std::string_view uuid) {
    // As options, and as the JSON that libvirt writes.
    static constexpr std::array<std::string_view, 4> displays{",display=on", ",display=auto", R"("display":"on")",
                                                              R"("display":"auto")"};
    while (!commandLine.empty()) {
        const std::string_view argument = nextArgument(commandLine);
        const auto says = [&](std::string_view part) { return argument.find(part) != std::string_view::npos; };
        // A device that is handed over as a descriptor has no name.
        const bool isDevice = says("vfio-pci") && (uuid.empty() || says(uuid) || !says("sysfsdev"));
        if (isDevice && std::any_of(displays.begin(), displays.end(), says))
            return true;
    }
    return false;
}

std::string vmNameFromCommandLine(std::string_view commandLine) {
    const std::string program = fs::path(nextArgument(commandLine)).filename().string();
    if (program.find("qemu") == std::string::npos && program.find("kvm") == std::string::npos)
        return {};
    while (!commandLine.empty()) {
        const std::string_view argument = nextArgument(commandLine);
        if (argument != "-name" && argument != "--name")
            continue;
        std::string_view options = nextArgument(commandLine);
        std::string option;
        bool first = true;
        std::string name;
        while (!options.empty()) {
            const std::string_view text = nextOption(options, option);
            if (text.starts_with("guest="))
                name = text.substr(6);
            else if (first && text.find('=') == std::string_view::npos)
                name = text;
            first = false;
        }
        return name;
    }
    return {};
}

} // namespace vgpuview

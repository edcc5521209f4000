// SPDX-License-Identifier: MIT
// What is missing or forbidden on this host for a vGPU's screen to be seen.
#include "vfio/host_check.h"

#include "vfio/devices.h"
#include "vfio/host_files.h"
#include "vfio/processes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>

namespace vgpuview {

namespace fs = std::filesystem;

namespace {

class Examination {
public:
    Examination(const HostPaths& paths, VfioIo& io)
        : paths_(paths)
        , io_(io)
        , devices_(findDevices(paths)) {}

    void modules();
    void devices(const std::optional<SourceAddress>& source);
    std::vector<Finding> take() { return std::move(findings_); }

private:
    void add(Severity severity, std::string text, std::string cure = {}) {
        findings_.push_back({severity, std::move(text), std::move(cure)});
    }
    [[nodiscard]] bool exists(const fs::path& path) const {
        std::error_code error;
        return fs::exists(fs::symlink_status(path, error));
    }
    /// Whether this user may open the node; says so if not.
    bool mayOpen(const fs::path& node, Severity severityIfNot);
    void device(const VgpuDevice& vgpu);
    void heldDevice(const VgpuDevice& vgpu);
    void named(const SourceAddress& source);
    void process(pid_t pid);
    void tracing();
    [[nodiscard]] bool mayTraceAll() const;

    const HostPaths& paths_;
    VfioIo& io_;
    std::vector<VgpuDevice> devices_;
    std::vector<Finding> findings_;
};

void Examination::modules() {
    const fs::path container = paths_.dev() / "vfio" / "vfio";
    const fs::path iommu = paths_.dev() / "iommu";
    if (!exists(container) && !exists(iommu)) {
        add(Severity::problem, "VFIO is not loaded", "sudo modprobe -a vfio_iommu_type1 mdev");
        return;
    }
    if (exists(container))
        mayOpen(container, Severity::warning);
    else
        add(Severity::note, "there are no VFIO groups, only character devices");
    if (exists(iommu))
        mayOpen(iommu, Severity::note);
    else
        add(Severity::note, "this kernel has no iommufd; devices are opened by their group");
    if (!exists(paths_.sysfs() / "bus" / "mdev"))
        add(Severity::problem, "mediated devices are not loaded", "sudo modprobe mdev");
}

bool Examination::mayOpen(const fs::path& node, Severity severityIfNot) {
    const int result = io_.access(node.string());
    if (result >= 0) {
        add(Severity::ok, fmt::format("{} may be opened", node.string()));
        return true;
    }
    if (result == -ENOENT)
        add(severityIfNot, fmt::format("{} is missing", node.string()), "sudo modprobe vfio_iommu_type1");
    else
        add(severityIfNot, fmt::format("{} may not be opened by this user", node.string()),
            fmt::format("sudo setfacl -m u:$USER:rw {}", node.string()));
    return false;
}

void Examination::devices(const std::optional<SourceAddress>& source) {
    if (source) {
        named(*source);
        return;
    }
    if (devices_.empty())
        add(Severity::problem, "this host has no mediated device",
            "create one: uuidgen | sudo tee /sys/class/mdev_bus/PARENT/mdev_supported_types/TYPE/create");
    for (const VgpuDevice& vgpu : devices_)
        device(vgpu);
}

void Examination::named(const SourceAddress& source) {
    if (const auto* mdev = std::get_if<MdevAddress>(&source)) {
        const auto found = std::find_if(devices_.begin(), devices_.end(),
                                        [&](const VgpuDevice& vgpu) { return vgpu.uuid == mdev->uuid; });
        if (found == devices_.end())
            add(Severity::problem, fmt::format("there is no mediated device {}", mdev->uuid), "vgpu-view list");
        else
            device(*found);
    } else if (const auto* vm = std::get_if<VmAddress>(&source)) {
        if (const auto pid = findVm(paths_, vm->name))
            process(*pid);
        else
            add(Severity::problem, fmt::format("no VM {} runs", vm->name), "virsh list");
    } else if (const auto* held = std::get_if<ProcessAddress>(&source)) {
        process(held->pid);
    }
}

void Examination::device(const VgpuDevice& vgpu) {
    if (vgpu.holder) {
        heldDevice(vgpu);
        return;
    }
    if (!vgpu.iommuGroup && vgpu.cdevName.empty()) {
        add(Severity::problem, fmt::format("{} has neither an IOMMU group nor a VFIO character device", vgpu.uuid),
            "sudo modprobe -a mdev vfio_iommu_type1");
        return;
    }
    if (!vgpu.cdevName.empty())
        mayOpen(paths_.dev() / "vfio" / "devices" / vgpu.cdevName,
                vgpu.iommuGroup ? Severity::note : Severity::problem);
    if (vgpu.iommuGroup)
        mayOpen(paths_.dev() / "vfio" / std::to_string(*vgpu.iommuGroup), Severity::problem);
}

void Examination::heldDevice(const VgpuDevice& vgpu) {
    const Holder& holder = *vgpu.holder;
    add(Severity::ok, fmt::format("{} is held by {} (pid {}{}{})", vgpu.uuid, holder.processName, holder.pid,
                                  holder.vmName.empty() ? "" : ", VM ", holder.vmName));
    tracing();
}

void Examination::process(pid_t pid) {
    const VfioProcess found = inspectProcess(paths_, pid);
    if (found.errorNumber == ENOENT)
        add(Severity::problem, fmt::format("there is no process {}", pid), "vgpu-view list");
    else if (found.errorNumber != 0)
        add(Severity::problem, fmt::format("the descriptors of process {} may not be seen by this user", pid),
            "run as root, or as the VM's user");
    else if (found.devices.empty())
        add(Severity::problem, fmt::format("process {} has no VFIO device open", pid), "vgpu-view list");
    else
        tracing();
}

bool Examination::mayTraceAll() const {
    constexpr unsigned sysPtrace = 19; // CAP_SYS_PTRACE
    constexpr std::string_view key = "CapEff:";
    const std::string status = readHostFile(paths_.procfs() / "self" / "status").value_or("");
    const std::size_t found = status.find(key);
    if (found == std::string::npos)
        return false;
    const std::size_t first = std::min(status.find_first_not_of(" \t", found + key.size()), status.size());
    std::uint64_t capabilities = 0;
    std::from_chars(status.data() + first, status.data() + status.size(), capabilities, 16);
    return (capabilities >> sysPtrace & 1) != 0;
}

// Source: Documentation/admin-guide/LSM/Yama.rst of the kernel.
void Examination::tracing() {
    const auto scope = decimal(readHostLine(paths_.procfs() / "sys" / "kernel" / "yama" / "ptrace_scope")).value_or(0);
    if (scope >= 3)
        add(Severity::problem, "this kernel lets no one copy another process' descriptor (ptrace_scope 3)",
            "set kernel.yama.ptrace_scope=0 in /etc/sysctl.d and restart the host");
    else if (scope > 0 && !mayTraceAll())
        add(Severity::problem,
            fmt::format("another process' descriptor may not be copied by this user (ptrace_scope {})", scope),
            "sudo setcap cap_sys_ptrace+ep \"$(command -v vgpu-view)\"");
    else
        add(Severity::ok, mayTraceAll() ? "any process' descriptor may be copied"
                                        : "descriptors of this user's own processes may be copied");
}

} // namespace

std::vector<Finding> examineHost(const HostPaths& paths, VfioIo& io, const std::optional<SourceAddress>& source) {
    if (source && std::holds_alternative<TestAddress>(*source))
        return {};
    Examination examination(paths, io);
    examination.modules();
    examination.devices(source);
    return examination.take();
}

} // namespace vgpuview

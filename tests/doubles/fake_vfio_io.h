// SPDX-License-Identifier: MIT
// A kernel with VFIO devices, as far as this program asks it: answers as drivers do, and fails when told to.
#pragma once

#include "base/unique_fd.h"
#include "vfio/io.h"
#include "vfio/uapi.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drmMode.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vgpuview::doubles {

inline UniqueFd makeMemory(const char* name, std::uint64_t size = 0) {
    UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
        fd.reset();
    return fd;
}

inline ino_t inodeOf(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

inline bool isOpen(ino_t inode) {
    for (int fd = 0; fd < 256; ++fd)
        if (inodeOf(fd) == inode)
            return true;
    return false;
}

/// A region of a fake device. Registers are 32 bits wide and are written and read one by one.
struct FakeRegion {
    std::uint32_t flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_MMAP;
    std::uint64_t offset = 0;
    std::vector<std::byte> memory;
    std::vector<std::byte> capabilities; ///< what follows the first 32 bytes of its description
};

/// A display driver that does what the test says.
struct FakeDevice {
    bool offersDmaBuf = true;
    bool offersRegion = false;
    vfio_device_gfx_plane_info primary{}; ///< what a query answers; all zero: off
    vfio_device_gfx_plane_info cursor{};
    int primaryError = 0; ///< a positive errno: every query fails
    int cursorError = 0;
    std::deque<int> queryErrors;     ///< taken one by one by primary queries; 0: no error
    std::deque<int> fetchErrors;     ///< the same for GET_GFX_DMABUF
    bool leavesOffUntouched = false; ///< as GVT-g does
    bool ignoresPlaneType = false;   ///< as mdpy does
    bool removed = false;            ///< answers ENODEV to everything
    bool needsBind = false;          ///< opened as a cdev: EINVAL to everything before BIND_IOMMUFD
    bool heldElsewhere = false;      ///< BIND_IOMMUFD and group opens fail
    std::uint32_t regionCount = VFIO_PCI_NUM_REGIONS;
    std::map<std::uint32_t, FakeRegion> regions;
    std::map<std::uint32_t, UniqueFd> dmaBufs;
    std::function<void(FakeDevice&)> beforeFetch;

    unsigned primaryQueries = 0;
    unsigned cursorQueries = 0;
    unsigned fetches = 0;
    bool bound = false;
    bool everyStructureWasZeroed = true;

    void addDmaBuf(std::uint32_t id, std::uint64_t size) { dmaBufs[id] = makeMemory("fake dma-buf", size); }
    /// Shows a linear picture of that many pixels, four bytes each, without padding.
    void show(std::uint32_t fourcc, std::uint32_t width, std::uint32_t height, std::uint32_t token) {
        primary = {};
        primary.drm_format = fourcc;
        primary.width = width;
        primary.height = height;
        primary.stride = width * 4;
        primary.size = width * 4 * height;
        primary.dmabuf_id = token;
    }
};

class FakeVfioIo final : public VfioIo {
public:
    enum class NodeKind { cdev, group, container, iommu };
    struct Node {
        NodeKind kind = NodeKind::group;
        FakeDevice* device = nullptr;
        int error = 0;
        std::string deviceName = {}; ///< what GROUP_GET_DEVICE_FD wants to hear
    };
    struct Process {
        UniqueFd alive; ///< an eventfd or pipe of the test's
        std::map<int, FakeDevice*> descriptors;
        int error = 0;
    };

    std::map<std::string, Node> nodes;
    std::map<pid_t, Process> processes;
    std::vector<std::string> opened;
    unsigned mappings = 0;
    unsigned mapCalls = 0;
    bool groupIsViable = true;
    bool everyBindWasAnswered = true;

    /// A descriptor of the device as this process might have inherited it.
    [[nodiscard]] UniqueFd descriptorOf(FakeDevice& device) { return UniqueFd(make(device)); }

    [[nodiscard]] int open(const std::string& path) noexcept override {
        const auto node = nodes.find(path);
        if (node == nodes.end())
            return -ENOENT;
        if (node->second.error != 0)
            return -node->second.error;
        if (node->second.kind == NodeKind::group && node->second.device->heldElsewhere)
            return -EBUSY;
        opened.push_back(path);
        if (node->second.kind == NodeKind::cdev)
            return make(*node->second.device);
        UniqueFd fd = makeMemory("fake node");
        others_[inodeOf(fd.get())] = node->second;
        return fd.release();
    }
    [[nodiscard]] int access(const std::string& path) noexcept override {
        const auto node = nodes.find(path);
        return node == nodes.end() ? -ENOENT : -node->second.error;
    }
    [[nodiscard]] int ioctl(int fd, unsigned long request, void* argument) noexcept override {
        const ino_t inode = inodeOf(fd);
        if (const auto node = others_.find(inode); node != others_.end())
            return nodeIoctl(node->second, request, argument);
        const auto found = devices_.find(inode);
        return found == devices_.end() ? -ENOTTY : deviceIoctl(*found->second, request, argument);
    }
    [[nodiscard]] int map(int fd, std::uint64_t offset, std::size_t length, void** address) noexcept override {
        ++mapCalls;
        for (auto& [index, region] : devices_.at(inodeOf(fd))->regions)
            if (region.offset == offset && length <= region.memory.size()) {
                ++mappings;
                *address = region.memory.data();
                return 0;
            }
        return -EINVAL;
    }
    void unmap(void*, std::size_t) noexcept override { --mappings; }
    [[nodiscard]] std::int64_t read(int fd, std::uint64_t offset, std::span<std::byte> bytes) noexcept override {
        std::byte* from = memoryAt(fd, offset, bytes.size());
        if (!from || bytes.size() != 4)
            return -EINVAL;
        std::memcpy(bytes.data(), from, bytes.size());
        return static_cast<std::int64_t>(bytes.size());
    }
    [[nodiscard]] std::int64_t write(int fd, std::uint64_t offset, std::span<const std::byte> bytes) noexcept override {
        if (recordsWrites)
            writes.emplace_back(offset, std::vector<std::byte>(bytes.begin(), bytes.end()));
        std::byte* to = memoryAt(fd, offset, bytes.size());
        if (!to)
            return -EINVAL;
        // As pwrite may: not all at once.
        const std::size_t taken = std::min<std::size_t>(bytes.size(), 100);
        std::memcpy(to, bytes.data(), taken);
        return static_cast<std::int64_t>(taken);
    }
    [[nodiscard]] std::int64_t sizeOf(int fd) noexcept override {
        if (sizeError != 0)
            return -sizeError;
        return ::lseek(fd, 0, SEEK_END);
    }
    [[nodiscard]] int openProcess(pid_t pid) noexcept override {
        const auto process = processes.find(pid);
        if (process == processes.end())
            return -ESRCH;
        const int copy = ::fcntl(process->second.alive.get(), F_DUPFD_CLOEXEC, 3);
        pidFds_[inodeOfPipe(copy)] = pid;
        return copy;
    }
    [[nodiscard]] int copyDescriptor(int processFd, int fdOfProcess) noexcept override {
        const Process& process = processes.at(pidFds_.at(inodeOfPipe(processFd)));
        if (process.error != 0)
            return -process.error;
        const auto found = process.descriptors.find(fdOfProcess);
        return found == process.descriptors.end() ? -EBADF : make(*found->second);
    }
    [[nodiscard]] bool areSameFile(int a, int b) noexcept override {
        return devices_.at(inodeOf(a)) == devices_.at(inodeOf(b));
    }

    int sizeError = 0;
    bool recordsWrites = true;
    std::vector<std::pair<std::uint64_t, std::vector<std::byte>>> writes;

private:
    static ino_t inodeOfPipe(int fd) { return inodeOf(fd); }

    int make(FakeDevice& device) {
        UniqueFd fd = makeMemory("fake device");
        devices_[inodeOf(fd.get())] = &device;
        return fd.release();
    }

    int nodeIoctl(const Node& node, unsigned long request, void* argument) {
        switch (request) {
        case VFIO_GROUP_GET_STATUS:
            static_cast<vfio_group_status*>(argument)->flags = groupIsViable ? VFIO_GROUP_FLAGS_VIABLE : 0U;
            return 0;
        case VFIO_GROUP_SET_CONTAINER: {
            const auto container = others_.find(inodeOf(*static_cast<int*>(argument)));
            containerSet_ = container != others_.end() && container->second.kind == NodeKind::container;
            return containerSet_ ? 0 : -EINVAL;
        }
        case VFIO_SET_IOMMU:
            iommuSet_ = containerSet_ && reinterpret_cast<std::uintptr_t>(argument) == VFIO_TYPE1v2_IOMMU;
            return iommuSet_ ? 0 : -EINVAL;
        case VFIO_GROUP_GET_DEVICE_FD:
            if (!iommuSet_)
                return -EINVAL;
            return node.deviceName == static_cast<const char*>(argument) ? make(*node.device) : -ENODEV;
        default:
            return -ENOTTY;
        }
    }

    int deviceIoctl(FakeDevice& device, unsigned long request, void* argument) {
        if (request == VFIO_DEVICE_BIND_IOMMUFD) {
            const auto* bind = static_cast<const BindIommufd*>(argument);
            const auto iommufd = others_.find(inodeOf(bind->iommufd));
            if (device.heldElsewhere || iommufd == others_.end() || iommufd->second.kind != NodeKind::iommu)
                return -EINVAL;
            device.bound = true;
            return 0;
        }
        if (device.removed)
            return -ENODEV;
        if (device.needsBind && !device.bound)
            return -EINVAL;
        switch (request) {
        case VFIO_DEVICE_GET_INFO:
            static_cast<vfio_device_info*>(argument)->num_regions = device.regionCount;
            return 0;
        case VFIO_DEVICE_GET_REGION_INFO:
            return describeRegion(device, argument);
        case VFIO_DEVICE_QUERY_GFX_PLANE:
            return query(device, *static_cast<vfio_device_gfx_plane_info*>(argument));
        case VFIO_DEVICE_GET_GFX_DMABUF:
            return fetch(device, *static_cast<std::uint32_t*>(argument));
        default:
            return -ENOTTY;
        }
    }

    static int query(FakeDevice& device, vfio_device_gfx_plane_info& info) {
        if (info.argsz < offsetof(vfio_device_gfx_plane_info, dmabuf_id) + sizeof(info.dmabuf_id))
            return -EINVAL;
        const std::uint32_t way = (device.offersDmaBuf ? VFIO_GFX_PLANE_TYPE_DMABUF : 0U) |
                                  (device.offersRegion ? VFIO_GFX_PLANE_TYPE_REGION : 0U);
        if ((info.flags & VFIO_GFX_PLANE_TYPE_PROBE) != 0)
            return (info.flags & way) != 0 ? 0 : -EINVAL;
        if ((info.flags & way) == 0)
            return -EINVAL;
        vfio_device_gfx_plane_info blank{};
        blank.argsz = info.argsz;
        blank.flags = info.flags;
        blank.drm_plane_type = info.drm_plane_type;
        if (std::memcmp(&blank, &info, sizeof(info)) != 0)
            device.everyStructureWasZeroed = false;
        const bool isCursor = info.drm_plane_type == DRM_PLANE_TYPE_CURSOR;
        ++(isCursor ? device.cursorQueries : device.primaryQueries);
        if (const int error = isCursor ? device.cursorError : device.primaryError; error != 0)
            return -error;
        if (!isCursor && !device.queryErrors.empty()) {
            const int error = device.queryErrors.front();
            device.queryErrors.pop_front();
            if (error != 0)
                return -error;
        }
        const vfio_device_gfx_plane_info& answer =
            isCursor && !device.ignoresPlaneType ? device.cursor : device.primary;
        if (device.leavesOffUntouched && answer.drm_format == 0)
            return 0;
        blank = answer;
        blank.argsz = info.argsz;
        blank.flags = info.flags;
        blank.drm_plane_type = info.drm_plane_type;
        info = blank;
        return 0;
    }

    static int fetch(FakeDevice& device, std::uint32_t id) {
        ++device.fetches;
        if (device.beforeFetch)
            device.beforeFetch(device);
        if (!device.fetchErrors.empty()) {
            const int error = device.fetchErrors.front();
            device.fetchErrors.pop_front();
            if (error != 0)
                return -error;
        }
        const auto dmaBuf = device.dmaBufs.find(id);
        // Without close-on-exec, as mbochs does.
        return dmaBuf == device.dmaBufs.end() ? -ENOENT : ::dup(dmaBuf->second.get());
    }

    static int describeRegion(FakeDevice& device, void* argument) {
        auto& info = *static_cast<vfio_region_info*>(argument);
        const auto found = device.regions.find(info.index);
        if (found == device.regions.end())
            return -EINVAL;
        const FakeRegion& region = found->second;
        const auto whole = static_cast<std::uint32_t>(sizeof(info) + region.capabilities.size());
        // As mbochs does: more room than it fills is refused.
        if (info.argsz > whole || info.argsz < sizeof(info))
            return -EINVAL;
        if (info.argsz == whole && !region.capabilities.empty())
            std::memcpy(static_cast<std::byte*>(argument) + sizeof(info), region.capabilities.data(),
                        region.capabilities.size());
        info.argsz = whole;
        info.flags = region.flags | (region.capabilities.empty() ? 0U : VFIO_REGION_INFO_FLAG_CAPS);
        info.cap_offset = region.capabilities.empty() ? 0U : static_cast<std::uint32_t>(sizeof(info));
        info.offset = region.offset;
        info.size = region.memory.size();
        return 0;
    }

    std::byte* memoryAt(int fd, std::uint64_t offset, std::size_t size) {
        for (auto& [index, region] : devices_.at(inodeOf(fd))->regions)
            if (offset >= region.offset && offset - region.offset + size <= region.memory.size())
                return region.memory.data() + (offset - region.offset);
        return nullptr;
    }

    std::map<ino_t, FakeDevice*> devices_;
    std::map<ino_t, Node> others_;
    std::map<ino_t, pid_t> pidFds_;
    bool containerSet_ = false;
    bool iommuSet_ = false;
};

} // namespace vgpuview::doubles

// SPDX-License-Identifier: MIT
// The ioctls of an open VFIO device, typed.
#include "vfio/device.h"

#include "vfio/uapi.h"

#include <xf86drmMode.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vgpuview {

namespace {

std::uint32_t flagOf(DisplayKind kind) noexcept {
    return kind == DisplayKind::region ? VFIO_GFX_PLANE_TYPE_REGION : VFIO_GFX_PLANE_TYPE_DMABUF;
}

// struct vfio_region_info_cap_sparse_mmap without the areas that follow it.
struct SparseAreas {
    vfio_info_cap_header header;
    std::uint32_t count;
    std::uint32_t reserved;
};

template<typename Struct>
bool readAt(std::span<const std::byte> bytes, std::size_t offset, Struct& out) noexcept {
    if (offset > bytes.size() || sizeof(Struct) > bytes.size() - offset)
        return false;
    std::memcpy(&out, bytes.data() + offset, sizeof(Struct));
    return true;
}

// Far more than any driver has to say, and small.
constexpr std::uint32_t longestRegionAnswer = 65536;

} // namespace

void readRegionCapabilities(std::span<const std::byte> bytes, std::uint32_t firstOffset, RegionInfo& info) {
    std::size_t offset = firstOffset;
    vfio_info_cap_header header{};
    while (offset != 0 && readAt(bytes, offset, header)) {
        if (header.id == VFIO_REGION_INFO_CAP_TYPE) {
            vfio_region_info_cap_type type{};
            if (readAt(bytes, offset, type)) {
                info.type = type.type;
                info.subtype = type.subtype;
            }
        } else if (header.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
            SparseAreas sparse{};
            if (readAt(bytes, offset, sparse)) {
                info.areas.clear();
                vfio_region_sparse_mmap_area area{};
                for (std::uint32_t i = 0; i < sparse.count; ++i) {
                    if (!readAt(bytes, offset + sizeof(sparse) + i * sizeof(area), area))
                        break;
                    info.areas.push_back({.offset = area.offset, .size = area.size});
                }
            }
        }
        // Capabilities follow one another: a chain that runs backwards could run for ever.
        if (header.next <= offset)
            break;
        offset = header.next;
    }
}

int DeviceCalls::offers(DisplayKind kind) const noexcept {
    vfio_device_gfx_plane_info info{};
    info.argsz = sizeof(info);
    info.flags = VFIO_GFX_PLANE_TYPE_PROBE | flagOf(kind);
    return std::min(io_.ioctl(fd_, VFIO_DEVICE_QUERY_GFX_PLANE, &info), 0);
}

int DeviceCalls::query(DisplayKind kind, PlaneType type, PlaneAnswer& answer) const noexcept {
    vfio_device_gfx_plane_info info{};
    info.argsz = sizeof(info);
    info.flags = flagOf(kind);
    info.drm_plane_type = type == PlaneType::cursor ? DRM_PLANE_TYPE_CURSOR : DRM_PLANE_TYPE_PRIMARY;
    const int result = io_.ioctl(fd_, VFIO_DEVICE_QUERY_GFX_PLANE, &info);
    if (result < 0)
        return result;
    answer.plane = {.fourcc = info.drm_format,
                    .modifier = info.drm_format_mod,
                    .width = info.width,
                    .height = info.height,
                    .stride = info.stride,
                    .size = info.size,
                    .x = info.x_pos,
                    .y = info.y_pos,
                    .hotSpotX = info.x_hot,
                    .hotSpotY = info.y_hot};
    answer.token = kind == DisplayKind::region ? info.region_index : info.dmabuf_id;
    return 0;
}

int DeviceCalls::fetchDmaBuf(std::uint32_t id) const noexcept {
    return io_.ioctl(fd_, VFIO_DEVICE_GET_GFX_DMABUF, &id);
}

int DeviceCalls::countRegions(std::uint32_t& count) const noexcept {
    vfio_device_info info{};
    info.argsz = sizeof(info);
    const int result = io_.ioctl(fd_, VFIO_DEVICE_GET_INFO, &info);
    if (result < 0)
        return result;
    count = info.num_regions;
    return 0;
}

int DeviceCalls::describeRegion(std::uint32_t index, RegionInfo& info) const {
    vfio_region_info head{};
    head.argsz = sizeof(head);
    head.index = index;
    if (const int result = io_.ioctl(fd_, VFIO_DEVICE_GET_REGION_INFO, &head); result < 0)
        return result;
    std::vector<std::byte> answer(sizeof(head));
    if (head.argsz > sizeof(head) && (head.flags & VFIO_REGION_INFO_FLAG_CAPS) != 0) {
        answer.resize(std::min(head.argsz, longestRegionAnswer));
        head = {};
        head.argsz = static_cast<std::uint32_t>(answer.size());
        head.index = index;
        std::memcpy(answer.data(), &head, sizeof(head));
        if (const int result = io_.ioctl(fd_, VFIO_DEVICE_GET_REGION_INFO, answer.data()); result < 0)
            return result;
        std::memcpy(&head, answer.data(), sizeof(head));
    }
    info = {.readable = (head.flags & VFIO_REGION_INFO_FLAG_READ) != 0,
            .writable = (head.flags & VFIO_REGION_INFO_FLAG_WRITE) != 0,
            .mappable = (head.flags & VFIO_REGION_INFO_FLAG_MMAP) != 0,
            .offset = head.offset,
            .size = head.size,
            .areas = {}};
    if ((head.flags & VFIO_REGION_INFO_FLAG_CAPS) != 0)
        readRegionCapabilities(answer, head.cap_offset, info);
    return 0;
}

} // namespace vgpuview

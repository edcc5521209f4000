// SPDX-License-Identifier: MIT
// The region in which a driver takes the EDID of the virtual monitor.
#include "vfio/edid_region.h"

#include "vfio/uapi.h"

#include <algorithm>
#include <cerrno>

namespace vgpuview {

namespace {

// A device has nine PCI regions, and a handful of its own after them.
constexpr std::uint32_t mostRegions = 64;

} // namespace

std::optional<EdidRegion> EdidRegion::find(DeviceCalls device) {
    std::uint32_t count = 0;
    if (device.countRegions(count) < 0)
        return {};
    for (std::uint32_t index = VFIO_PCI_NUM_REGIONS; index < std::min(count, mostRegions); ++index) {
        RegionInfo info;
        if (device.describeRegion(index, info) < 0 || info.type != VFIO_REGION_TYPE_GFX ||
            info.subtype != VFIO_REGION_SUBTYPE_GFX_EDID || !info.readable)
            continue;
        EdidRegion region(device, info.offset);
        if (region.readLimits())
            return region;
    }
    return {};
}

// One field at a time: some drivers take nothing but whole, aligned registers.
bool EdidRegion::readLimits() noexcept {
    bool complete = true;
    const auto field = [&](std::size_t offset) {
        std::uint32_t value = 0;
        const auto bytes = std::as_writable_bytes(std::span(&value, 1));
        complete = device_.io().read(device_.fd(), offset_ + offset, bytes) == sizeof(value) && complete;
        return value;
    };
    blobOffset_ = field(offsetof(vfio_region_gfx_edid, edid_offset));
    limits_.maxBytes = field(offsetof(vfio_region_gfx_edid, edid_max_size));
    limits_.maxSize = {field(offsetof(vfio_region_gfx_edid, max_xres)),
                       field(offsetof(vfio_region_gfx_edid, max_yres))};
    limits_.linkUp = field(offsetof(vfio_region_gfx_edid, link_state)) == VFIO_DEVICE_GFX_LINK_STATE_UP;
    return complete;
}

int EdidRegion::writeField(std::size_t offset, std::uint32_t value) noexcept {
    const std::int64_t written =
        device_.io().write(device_.fd(), offset_ + offset, std::as_bytes(std::span(&value, 1)));
    return written == sizeof(value) ? 0 : written < 0 ? static_cast<int>(written) : -EIO;
}

int EdidRegion::setLink(LinkState state) noexcept {
    return writeField(offsetof(vfio_region_gfx_edid, link_state),
                      state == LinkState::up ? VFIO_DEVICE_GFX_LINK_STATE_UP : VFIO_DEVICE_GFX_LINK_STATE_DOWN);
}

int EdidRegion::write(std::span<const std::byte> blob) noexcept {
    if (blob.size() > limits_.maxBytes)
        return -EMSGSIZE;
    // The region's own size is no bound: one driver says less than it takes.
    if (const int result =
            writeField(offsetof(vfio_region_gfx_edid, edid_size), static_cast<std::uint32_t>(blob.size()));
        result < 0)
        return result;
    std::uint64_t position = offset_ + blobOffset_;
    while (!blob.empty()) {
        const std::int64_t written = device_.io().write(device_.fd(), position, blob);
        if (written <= 0)
            return written < 0 ? static_cast<int>(written) : -EIO;
        const std::size_t taken = std::min(static_cast<std::size_t>(written), blob.size());
        blob = blob.subspan(taken);
        position += taken;
    }
    return 0;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The region of a fake device in which it takes its monitor's EDID.
#pragma once

#include "doubles/fake_vfio_io.h"

#include <cstddef>
#include <cstring>
#include <vector>

namespace vgpuview::doubles {

inline constexpr std::uint64_t edidRegionOffset = 0x20000;
inline constexpr std::uint32_t edidBlobOffset = 2048;

inline std::vector<std::byte> typeCapability(std::uint32_t type, std::uint32_t subtype) {
    vfio_region_info_cap_type capability{};
    capability.header.id = VFIO_REGION_INFO_CAP_TYPE;
    capability.header.version = 1;
    capability.type = type;
    capability.subtype = subtype;
    std::vector<std::byte> bytes(sizeof(capability));
    std::memcpy(bytes.data(), &capability, sizeof(capability));
    return bytes;
}

/// At most 1920 x 1200, 256 bytes; the link is up.
inline void addEdidRegion(FakeDevice& device) {
    FakeRegion& region = device.regions[9];
    region.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    region.offset = edidRegionOffset;
    region.memory.resize(edidBlobOffset + 256);
    region.capabilities = typeCapability(VFIO_REGION_TYPE_GFX, VFIO_REGION_SUBTYPE_GFX_EDID);
    const vfio_region_gfx_edid edid{.edid_offset = edidBlobOffset,
                                    .edid_max_size = 256,
                                    .edid_size = 0,
                                    .max_xres = 1920,
                                    .max_yres = 1200,
                                    .link_state = VFIO_DEVICE_GFX_LINK_STATE_UP};
    std::memcpy(region.memory.data(), &edid, sizeof(edid));
    device.regionCount = 10;
}

inline vfio_region_gfx_edid edidRegisters(const FakeDevice& device) {
    vfio_region_gfx_edid registers{};
    std::memcpy(&registers, device.regions.at(9).memory.data(), sizeof(registers));
    return registers;
}

} // namespace vgpuview::doubles

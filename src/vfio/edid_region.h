// SPDX-License-Identifier: MIT
// The region in which a driver takes the EDID of the virtual monitor. Source: struct vfio_region_gfx_edid,
// linux/vfio.h.
#pragma once

#include "base/geometry.h"
#include "vfio/device.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vgpuview {

/// Limits of the driver's EDID region.
struct EdidLimits {
    std::uint32_t maxBytes = 0; ///< of the EDID blob
    Size maxSize;               ///< 0: no limit
    bool linkUp = false;        ///< when the region was found
};

enum class LinkState { up, down };

/// Only one program may write a device's EDID; a VM's own display does when it has one.
/// To change it: link down, write(), and link up 100 ms later.
class EdidRegion {
public:
    /// Nothing where the driver has no such region, or one that can't be read. The device outlives it.
    [[nodiscard]] static std::optional<EdidRegion> find(DeviceCalls device);

    [[nodiscard]] const EdidLimits& limits() const noexcept { return limits_; }
    /// 0, or -errno.
    [[nodiscard]] int setLink(LinkState state) noexcept;
    /// The blob's size, then the blob, as drivers want it. 0, or -errno: -EMSGSIZE for more than the driver takes.
    [[nodiscard]] int write(std::span<const std::byte> blob) noexcept;

private:
    EdidRegion(DeviceCalls device, std::uint64_t offset) noexcept
        : device_(device)
        , offset_(offset) {}

    [[nodiscard]] bool readLimits() noexcept;
    [[nodiscard]] int writeField(std::size_t offset, std::uint32_t value) noexcept;

    DeviceCalls device_;
    std::uint64_t offset_; ///< of the region in the descriptor
    std::uint32_t blobOffset_ = 0;
    EdidLimits limits_;
};

} // namespace vgpuview

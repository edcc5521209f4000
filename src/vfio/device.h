// SPDX-License-Identifier: MIT
// The ioctls of an open VFIO device, typed. Source: linux/vfio.h.
#pragma once

#include "frame/frame.h"
#include "frame/frame_source.h"
#include "frame/plane_check.h"
#include "vfio/io.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

/// A part of a region that can be mapped.
struct RegionArea {
    std::uint64_t offset = 0; ///< bytes from the region's start
    std::uint64_t size = 0;

    friend bool operator==(const RegionArea&, const RegionArea&) = default;
};

struct RegionInfo {
    bool readable = false;
    bool writable = false;
    bool mappable = false;
    std::uint64_t offset = 0; ///< of the region in the device's descriptor
    std::uint64_t size = 0;
    std::uint32_t type = 0; ///< VFIO_REGION_TYPE_*, 0 where the driver tells none
    std::uint32_t subtype = 0;
    std::vector<RegionArea> areas; ///< those that can be mapped where not all of it can; empty: all
};

/// Reads the chain of capabilities that follows a region's description. bytes: the whole answer of the driver,
/// untrusted; firstOffset: where the chain begins. Stops at what makes no sense.
void readRegionCapabilities(std::span<const std::byte> bytes, std::uint32_t firstOffset, RegionInfo& info);

/// A plane as the driver answered.
struct PlaneAnswer {
    ReportedPlane plane;
    std::uint32_t token = 0; ///< dma-buf id, or region index
};

/// Speaks to one device. It owns nothing: the descriptor and the seam outlive it. Answers are 0 or more, or -errno.
class DeviceCalls {
public:
    DeviceCalls(VfioIo& io, int fd) noexcept
        : io_(io)
        , fd_(fd) {}

    /// Whether planes are offered this way (DisplayKind::dmaBuf or region): 0, or -errno.
    [[nodiscard]] int offers(DisplayKind kind) const noexcept;
    /// Asks for a plane in a structure that was zeroed. 0, or -errno.
    [[nodiscard]] int query(DisplayKind kind, PlaneType type, PlaneAnswer& answer) const noexcept;
    /// The descriptor of a dma-buf, which the caller owns, or -errno. It may lack close-on-exec.
    [[nodiscard]] int fetchDmaBuf(std::uint32_t id) const noexcept;
    /// 0, or -errno. A device that was removed answers no more.
    [[nodiscard]] int countRegions(std::uint32_t& count) const noexcept;
    /// 0, or -errno. Asks in two steps: some drivers refuse more room than they fill.
    [[nodiscard]] int describeRegion(std::uint32_t index, RegionInfo& info) const;

    [[nodiscard]] VfioIo& io() const noexcept { return io_; }
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    VfioIo& io_;
    int fd_;
};

} // namespace vgpuview

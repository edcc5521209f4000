// SPDX-License-Identifier: MIT
// Makes the EDID of a monitor that has exactly the size that is asked for (VESA E-EDID standard, release A2: EDID 1.4).
#pragma once

#include "base/geometry.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace vgpuview {

using EdidBlock = std::array<std::byte, 128>;

/// The monitor that the guest shall see.
struct EdidMonitor {
    Size size;                            ///< of the preferred mode, in pixels
    std::uint32_t refreshMilliHz = 60000; ///< of the preferred mode; lowered where the block cannot say it
    std::optional<Size> millimetres = {}; ///< of the picture; nothing: as at 96 pixels an inch
    std::string name = "vgpu-view";       ///< printable ASCII is kept, at most 13 characters
    std::string serial = {};              ///< the same; empty: none
    Size limit = {};                      ///< no mode is larger; 0: the block's own limit alone
};

/// A mode as a detailed timing has it.
struct EdidTiming {
    std::uint32_t clockKiloHz = 0; ///< a multiple of 10
    std::uint32_t width = 0;
    std::uint32_t horizontalBlank = 0;
    std::uint32_t horizontalFront = 0;
    std::uint32_t horizontalSync = 0;
    std::uint32_t height = 0;
    std::uint32_t verticalBlank = 0;
    std::uint32_t verticalFront = 0;
    std::uint32_t verticalSync = 0;

    [[nodiscard]] std::uint32_t refreshMilliHz() const noexcept;
    [[nodiscard]] std::uint32_t lineHz() const noexcept;
};

/// The nearest size that a detailed timing can say (320x200 to 4095x4095) within the limit (0: none).
[[nodiscard]] Size clampToEdid(Size size, Size limit) noexcept;

/// A mode with the reduced blanking of VESA's Coordinated Video Timings 1.1, at the refresh asked for or, where a
/// detailed timing cannot say its clock, the fastest that it can. size: as clampToEdid() leaves it.
[[nodiscard]] EdidTiming reducedBlankingTiming(Size size, std::uint32_t refreshMilliHz) noexcept;

/// The block. The size is clamped; the usual sizes within the limit are offered beside the preferred one.
[[nodiscard]] EdidBlock makeEdid(const EdidMonitor& monitor);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Validation of what a driver reports about a plane. Nothing is mapped, imported or computed with before this.
#pragma once

#include "frame/frame.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace vgpuview {

/// A plane as a driver reports it (struct vfio_device_gfx_plane_info, linux/vfio.h). Untrusted.
struct ReportedPlane {
    std::uint32_t fourcc = 0;
    std::uint64_t modifier = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t stride = 0;
    std::uint32_t size = 0;
    std::uint32_t x = 0;
    std::uint32_t y = 0;
    std::uint32_t hotSpotX = 0;
    std::uint32_t hotSpotY = 0;

    friend bool operator==(const ReportedPlane&, const ReportedPlane&) = default;
};

enum class PlaneFault {
    unknownFormat,
    unknownModifier,
    zeroSize,
    tooLarge,
    strideTooSmall,
    strideTooLarge,
    sizeTooSmall, ///< the reported size can't hold the rows, not even counted in pages
    beyondBuffer, ///< stride * height is more than the buffer really has
    cursorTooLarge,
};
/// A clause for a message: "its stride is smaller than a row".
[[nodiscard]] std::string_view textOf(PlaneFault fault) noexcept;

struct PlaneOff {};

struct CheckedPlane {
    BufferLayout layout; ///< offset 0; byteSize = all that is read: the last row unpadded where linear
    Point position;
    std::optional<Point> hotSpot;
};

using PlaneVerdict = std::variant<PlaneOff, CheckedPlane, PlaneFault>;

/// Largest width or height of a primary plane that is believed.
inline constexpr std::uint32_t maxPlaneExtent = 16384;
/// Largest width or height of a cursor plane that is believed.
inline constexpr std::uint32_t maxCursorExtent = 1024;

/// Judges a report by itself. A plane with no format or no size at all is off. Position: a value beyond the largest
/// plane is taken for a negative 32-bit number, and clamped to where the cursor is just out of sight.
[[nodiscard]] PlaneVerdict checkPlane(PlaneType type, const ReportedPlane& reported) noexcept;

/// Whether the picture fits into what the descriptor or region really holds.
[[nodiscard]] bool fitsInto(const BufferLayout& layout, std::uint64_t availableBytes) noexcept;

} // namespace vgpuview

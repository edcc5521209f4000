// SPDX-License-Identifier: MIT
// Validation of what a driver reports about a plane.
#include "frame/plane_check.h"

#include <drm_fourcc.h>

namespace vgpuview {

namespace {

constexpr std::uint32_t noHotSpot = 0xffffffffU;
constexpr std::uint64_t pageSize = 4096;

// A stride may be larger than a row (the guest pans in a virtual screen), but not without bound.
constexpr std::uint32_t maxStride = maxPlaneExtent * 4 * 4;

bool modifierIsLinear(std::uint64_t modifier) noexcept {
    return modifier == DRM_FORMAT_MOD_LINEAR;
}

// Vendor of a modifier: bits 56..63. Vendors that make vGPUs with dma-buf planes, and "none" for linear.
bool modifierIsKnown(std::uint64_t modifier) noexcept {
    switch (modifier >> 56) {
    case DRM_FORMAT_MOD_VENDOR_NONE:
        return modifier == DRM_FORMAT_MOD_LINEAR;
    case DRM_FORMAT_MOD_VENDOR_INTEL:
        return modifier == I915_FORMAT_MOD_X_TILED || modifier == I915_FORMAT_MOD_Y_TILED ||
               modifier == I915_FORMAT_MOD_Yf_TILED;
    default:
        return false;
    }
}

std::int32_t signedCoordinate(std::uint32_t reported, std::uint32_t extent) noexcept {
    const auto value = static_cast<std::int32_t>(reported);
    const auto limit = static_cast<std::int32_t>(maxPlaneExtent);
    const auto floor = -static_cast<std::int32_t>(extent);
    return value < floor ? floor : value > limit ? limit : value;
}

} // namespace

std::string_view textOf(PlaneFault fault) noexcept {
    switch (fault) {
    case PlaneFault::unknownFormat:
        return "its pixel format is unknown";
    case PlaneFault::unknownModifier:
        return "its format modifier is unknown";
    case PlaneFault::zeroSize:
        return "its width, height or stride is zero";
    case PlaneFault::tooLarge:
        return "it is larger than 16384 pixels";
    case PlaneFault::strideTooSmall:
        return "its stride is smaller than a row";
    case PlaneFault::strideTooLarge:
        return "its stride is beyond all reason";
    case PlaneFault::sizeTooSmall:
        return "its size is smaller than stride times height";
    case PlaneFault::beyondBuffer:
        return "it reaches beyond its buffer";
    case PlaneFault::cursorTooLarge:
        return "it is a cursor of more than 1024 pixels";
    }
    return "it is invalid";
}

PlaneVerdict checkPlane(PlaneType type, const ReportedPlane& reported) noexcept {
    // linux/vfio.h: a disabled plane is reported with everything zero; QEMU takes no format or no size for off.
    if (reported.fourcc == 0 || reported.size == 0)
        return PlaneOff{};
    const std::optional<FormatFacts> facts = factsOf(reported.fourcc);
    if (!facts)
        return PlaneFault::unknownFormat;
    if (!modifierIsKnown(reported.modifier))
        return PlaneFault::unknownModifier;
    if (reported.width == 0 || reported.height == 0 || reported.stride == 0)
        return PlaneFault::zeroSize;
    if (reported.width > maxPlaneExtent || reported.height > maxPlaneExtent)
        return PlaneFault::tooLarge;
    if (type == PlaneType::cursor && (reported.width > maxCursorExtent || reported.height > maxCursorExtent))
        return PlaneFault::cursorTooLarge;
    const std::uint32_t row = reported.width * facts->bytesPerPixel;
    if (reported.stride < row)
        return PlaneFault::strideTooSmall;
    if (reported.stride > maxStride)
        return PlaneFault::strideTooLarge;
    // At most 2^18 * 2^14: no overflow in 64 bits.
    const std::uint64_t bytes = std::uint64_t{reported.stride} * reported.height;
    // The last row need not be padded to the stride; tiled layouts round the height up, never down.
    const std::uint64_t needed =
        modifierIsLinear(reported.modifier) ? std::uint64_t{reported.stride} * (reported.height - 1) + row : bytes;
    // Early GVT-g counts pages. What the buffer really holds is asked of the buffer; this only catches nonsense.
    if (std::uint64_t{reported.size} * pageSize < needed)
        return PlaneFault::sizeTooSmall;

    CheckedPlane plane;
    plane.layout = {.size = {reported.width, reported.height},
                    .stride = reported.stride,
                    .offset = 0,
                    .byteSize = needed,
                    .format = {reported.fourcc, reported.modifier}};
    if (type == PlaneType::cursor) {
        plane.position = {signedCoordinate(reported.x, reported.width), signedCoordinate(reported.y, reported.height)};
        const bool known = reported.hotSpotX != noHotSpot && reported.hotSpotY != noHotSpot &&
                           reported.hotSpotX < reported.width && reported.hotSpotY < reported.height;
        if (known)
            plane.hotSpot =
                Point{static_cast<std::int32_t>(reported.hotSpotX), static_cast<std::int32_t>(reported.hotSpotY)};
    }
    return plane;
}

bool fitsInto(const BufferLayout& layout, std::uint64_t availableBytes) noexcept {
    return layout.offset <= availableBytes && layout.byteSize <= availableBytes - layout.offset;
}

} // namespace vgpuview

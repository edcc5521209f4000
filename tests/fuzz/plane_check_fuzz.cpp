// SPDX-License-Identifier: MIT
// Whatever a driver reports: a plane that passes the check can be read within its bounds.
#include "frame/plane_check.h"
#include "fuzz/fuzz_target.h"

#include <drm_fourcc.h>

using namespace vgpuview;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const auto choice = input.take<std::uint8_t>();
    const PlaneType type = (choice & 1) != 0 ? PlaneType::cursor : PlaneType::primary;
    ReportedPlane reported;
    // Mostly a known format, so that the rest is judged at all.
    reported.fourcc = (choice & 2) != 0   ? DRM_FORMAT_XRGB8888
                      : (choice & 4) != 0 ? DRM_FORMAT_RGB888
                                          : input.take<std::uint32_t>();
    reported.modifier = (choice & 8) != 0    ? std::uint64_t{DRM_FORMAT_MOD_LINEAR}
                        : (choice & 16) != 0 ? std::uint64_t{I915_FORMAT_MOD_X_TILED}
                                             : input.take<std::uint64_t>();
    for (std::uint32_t* field : {&reported.width, &reported.height, &reported.stride, &reported.size, &reported.x,
                                 &reported.y, &reported.hotSpotX, &reported.hotSpotY})
        *field = input.take<std::uint32_t>();
    const PlaneVerdict verdict = checkPlane(type, reported);
    const auto* plane = std::get_if<CheckedPlane>(&verdict);
    if (!plane)
        return 0;
    const BufferLayout& layout = plane->layout;
    const auto facts = factsOf(layout.format.fourcc);
    require(facts.has_value(), "the format is known");
    const std::uint64_t row = std::uint64_t{layout.size.width} * facts->bytesPerPixel;
    require(!layout.size.empty() && row <= layout.stride, "rows lie side by side");
    require(std::uint64_t{layout.stride} * (layout.size.height - 1) + row <= layout.byteSize,
            "the last row lies within byteSize");
    require(fitsInto(layout, layout.byteSize) && !fitsInto(layout, layout.byteSize - 1), "fitsInto() is exact");
    const auto extent = static_cast<std::int32_t>(maxPlaneExtent);
    require(plane->position.x >= -extent && plane->position.x <= extent && plane->position.y >= -extent &&
                plane->position.y <= extent,
            "the position is near the screen");
    if (plane->hotSpot)
        require(!intersect({*plane->hotSpot, {1, 1}}, {{0, 0}, layout.size}).empty(), "the hot spot is in the cursor");
    return 0;
}

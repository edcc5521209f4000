// SPDX-License-Identifier: MIT
// Where on a monitor a picture of another size goes.
#pragma once

#include "base/geometry.h"

#include <cstdint>

namespace vgpuview {

enum class MonitorScale {
    fit,      ///< as large as the monitor allows, black bars where the aspect ratios differ
    integer,  ///< the largest whole multiple that fits; fit, where the picture is larger than the monitor
    original, ///< pixel for pixel, in the middle; its edges are cut where it is larger
};

/// The picture's rectangle on the monitor. Sizes must not be empty.
[[nodiscard]] Rect placePicture(Size picture, Size monitor, MonitorScale scale) noexcept;

/// Where a rectangle of the picture goes when the picture goes to place.
[[nodiscard]] Rect placeWithin(const Rect& part, Size picture, const Rect& place) noexcept;

} // namespace vgpuview

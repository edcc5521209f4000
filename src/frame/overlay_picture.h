// SPDX-License-Identifier: MIT
// A small picture that is drawn over another one, as a cursor is.
#pragma once

#include "base/geometry.h"
#include "frame/buffer.h"

#include <cstdint>
#include <span>

namespace vgpuview {

/// Valid as long as the pixels are.
struct OverlayPicture {
    BufferId id = 0;                     ///< of the buffer that the pixels come from: where it is the same, they are
    std::span<const std::uint32_t> argb; ///< 0xAARRGGBB, premultiplied, row after row
    Size size;
    Point position; ///< of its top left corner in the other picture; may lie outside
};

} // namespace vgpuview

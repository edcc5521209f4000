// SPDX-License-Identifier: MIT
// A frame as one picture of plain pixels.
#pragma once

#include "base/geometry.h"
#include "frame/frame.h"
#include "frame/pixel_reader.h"

#include <cstdint>
#include <vector>

namespace vgpuview {

/// Pixels as 0xffRRGGBB, the top row first, without padding.
struct Picture {
    Size size;
    std::vector<std::uint32_t> argb;
};

enum class CursorVisibility { hidden, visible };

/// Copies the primary plane, which is taken for opaque, and where asked for blends the cursor over it (premultiplied).
/// Buffers are mapped; where that is refused or the layout is not linear, the reader is asked, if there is one.
/// Throws Error where the frame has no primary plane or a plane can't be read.
[[nodiscard]] Picture composePicture(const Frame& frame, CursorVisibility cursor, PixelReader* reader = nullptr);

} // namespace vgpuview

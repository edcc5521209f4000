// SPDX-License-Identifier: MIT
// A way to read a buffer's pixels that is no mapping.
#pragma once

#include "frame/buffer.h"

#include <cstdint>
#include <span>

namespace vgpuview {

/// Reads dma-bufs that can't be mapped, or whose layout is not linear. A GPU does.
class PixelReader {
public:
    virtual ~PixelReader() = default;
    /// Writes width * height pixels as 0xAARRGGBB, the top row first, without padding; alpha is 255 where the format
    /// has none. False where the buffer can't be read; the pixels are then anything.
    [[nodiscard]] virtual bool read(const Buffer& from, std::span<std::uint32_t> argb) = 0;
};

} // namespace vgpuview

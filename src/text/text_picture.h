// SPDX-License-Identifier: MIT
// Lines of text as pixels, by cairo.
#pragma once

#include "base/geometry.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vgpuview {

struct TextStyle {
    enum class Background { black, translucent };

    const char* family = "sans-serif";
    double fontPixels = 20;
    double marginPixels = 8; ///< on each side
    double maxWidthPixels = 1200;
    Background background = Background::black;
};

/// What the lines need, with the margin; longer lines are cut off.
[[nodiscard]] Size textPictureSize(std::span<const std::string> lines, const TextStyle& style);

/// Draws white text into a picture of that size, each pixel 0xAARRGGBB with premultiplied alpha. strideBytes: a
/// multiple of 4. Nothing is drawn where the memory is too small.
void drawText(std::span<const std::string> lines, const TextStyle& style, Size size, std::uint32_t strideBytes,
              std::span<std::byte> pixels);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The test vGPU's pictures: pure functions of a frame number and a place, so that any pixel can be checked anywhere.
#pragma once

#include "base/geometry.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vgpuview {

/// The picture's pixel as 0xffRRGGBB: colour gradients that wander, shaded like a chess board. From one frame to the
/// next every pixel changes, less those of the frame number, which stands in binary at the top left.
[[nodiscard]] std::uint32_t patternPixel(std::uint64_t frameNumber, std::uint32_t x, std::uint32_t y) noexcept;

/// The frame number's low 32 bits: 32 cells of 8 x 16 pixels from the top left corner, the highest bit first, white for
/// one and black for zero, the last column of each cell grey.
inline constexpr Size frameNumberCell{8, 16};
inline constexpr unsigned frameNumberBits = 32;

/// Reads the frame number from a picture of 0xAARRGGBB pixels, rows without padding; nothing where there is none.
[[nodiscard]] std::optional<std::uint32_t> frameNumberIn(std::span<const std::uint32_t> argb, Size size) noexcept;

/// What the bits hold that a format has beside the colours.
enum class PatternAlpha { opaque, zero };

/// Draws the whole picture in one of the formats that patternSupports(). bytes: rows of stride bytes, the last one may
/// be cut after the last pixel; padding is left alone.
void drawPattern(std::uint64_t frameNumber, std::uint32_t fourcc, PatternAlpha alpha, Size size, std::uint32_t stride,
                 std::span<std::byte> bytes) noexcept;
/// XR24, AR24, XB24, XR30.
[[nodiscard]] bool patternSupports(std::uint32_t fourcc) noexcept;

/// The cursor: an arrow with a soft shadow; its hot spot is the arrow's tip.
inline constexpr Size patternCursorSize{64, 64};
inline constexpr Point patternCursorHotSpot{8, 6};
/// The cursor's pixel as 0xAARRGGBB with premultiplied alpha.
[[nodiscard]] std::uint32_t cursorPixel(std::uint32_t x, std::uint32_t y) noexcept;
/// Where the cursor's top left corner is: its hot spot bounces between the edges of the screen and never leaves it.
[[nodiscard]] Point cursorPosition(std::uint64_t frameNumber, Size screen) noexcept;

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The test vGPU's pictures: pure functions of a frame number and a place.
#include "synthetic/pattern.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <cstring>

namespace vgpuview {

namespace {

// A step that is even, as seen from the triangle wave, never lands on the mirrored value: each frame differs.
constexpr std::uint32_t redStep = 4;
constexpr std::uint32_t greenStep = 2;
constexpr std::uint32_t blueStep = 6;
constexpr std::uint32_t chessCell = 64;

/// A triangle wave: 0 up to 255 and down again, over 512.
constexpr std::uint32_t wave(std::uint32_t phase) noexcept {
    return (phase ^ (0 - (phase >> 8 & 1U))) & 0xffU;
}

/// 3/4 of each channel, rounded up.
constexpr std::uint32_t dimmed(std::uint32_t rgb) noexcept {
    return rgb - (rgb >> 2 & 0x3f3f3fU);
}

constexpr std::uint32_t mix(std::uint32_t number, std::uint32_t x, std::uint32_t y) noexcept {
    const std::uint32_t rgb =
        wave(x + redStep * number) << 16 | wave(y + greenStep * number) << 8 | wave(x + y - blueStep * number);
    return ((x ^ y) & chessCell) != 0 ? dimmed(rgb) : rgb;
}

constexpr bool inFrameNumber(std::uint32_t x, std::uint32_t y) noexcept {
    return y < frameNumberCell.height && x < frameNumberBits * frameNumberCell.width;
}

constexpr std::uint32_t asXr30(std::uint32_t rgb) noexcept {
    const auto widen = [](std::uint32_t channel) { return channel << 2 | channel >> 6; };
    return widen(rgb >> 16 & 0xffU) << 20 | widen(rgb >> 8 & 0xffU) << 10 | widen(rgb & 0xffU);
}

constexpr std::uint32_t asXb24(std::uint32_t rgb) noexcept {
    return (rgb & 0xff00U) | (rgb & 0xffU) << 16 | (rgb >> 16 & 0xffU);
}

template<typename Encode>
void drawRows(std::uint64_t frameNumber, Size size, std::uint32_t stride, std::span<std::byte> bytes,
              Encode encode) noexcept {
    const auto number = static_cast<std::uint32_t>(frameNumber);
    for (std::uint32_t y = 0; y < size.height; ++y) {
        std::byte* row = bytes.data() + std::size_t{y} * stride;
        for (std::uint32_t x = 0; x < size.width; ++x) {
            const std::uint32_t pixel = encode(mix(number, x, y));
            std::memcpy(row + std::size_t{x} * sizeof(pixel), &pixel, sizeof(pixel));
        }
        for (std::uint32_t x = 0; x < size.width && inFrameNumber(x, y); ++x) {
            const std::uint32_t pixel = encode(patternPixel(frameNumber, x, y) & 0xffffffU);
            std::memcpy(row + std::size_t{x} * sizeof(pixel), &pixel, sizeof(pixel));
        }
    }
}

} // namespace

std::uint32_t patternPixel(std::uint64_t frameNumber, std::uint32_t x, std::uint32_t y) noexcept {
    const auto number = static_cast<std::uint32_t>(frameNumber);
    if (!inFrameNumber(x, y))
        return 0xff000000U | mix(number, x, y);
    if (x % frameNumberCell.width == frameNumberCell.width - 1)
        return 0xff808080U;
    const std::uint32_t bit = number >> (frameNumberBits - 1 - x / frameNumberCell.width) & 1U;
    return bit != 0 ? 0xffffffffU : 0xff000000U;
}

std::optional<std::uint32_t> frameNumberIn(std::span<const std::uint32_t> argb, Size size) noexcept {
    if (size.width < frameNumberBits * frameNumberCell.width || size.height < frameNumberCell.height ||
        argb.size() < std::size_t{size.width} * size.height)
        return {};
    std::uint32_t number = 0;
    for (std::uint32_t bit = 0; bit < frameNumberBits; ++bit) {
        const std::size_t x = bit * frameNumberCell.width + frameNumberCell.width / 2 - 1;
        const std::uint32_t rgb = argb[std::size_t{frameNumberCell.height / 2} * size.width + x] & 0xffffffU;
        if (rgb != 0 && rgb != 0xffffffU)
            return {};
        number = number << 1 | (rgb != 0 ? 1U : 0U);
    }
    return number;
}

bool patternSupports(std::uint32_t fourcc) noexcept {
    return fourcc == DRM_FORMAT_XRGB8888 || fourcc == DRM_FORMAT_ARGB8888 || fourcc == DRM_FORMAT_XBGR8888 ||
           fourcc == DRM_FORMAT_XRGB2101010;
}

void drawPattern(std::uint64_t frameNumber, std::uint32_t fourcc, PatternAlpha alpha, Size size, std::uint32_t stride,
                 std::span<std::byte> bytes) noexcept {
    const bool opaque = alpha == PatternAlpha::opaque;
    const std::uint32_t alpha8 = opaque ? 0xff000000U : 0;
    const std::uint32_t alpha2 = opaque ? 0xc0000000U : 0;
    switch (fourcc) {
    case DRM_FORMAT_XRGB8888:
    case DRM_FORMAT_ARGB8888:
        return drawRows(frameNumber, size, stride, bytes, [=](std::uint32_t rgb) { return rgb | alpha8; });
    case DRM_FORMAT_XBGR8888:
        return drawRows(frameNumber, size, stride, bytes, [=](std::uint32_t rgb) { return asXb24(rgb) | alpha8; });
    case DRM_FORMAT_XRGB2101010:
        return drawRows(frameNumber, size, stride, bytes, [=](std::uint32_t rgb) { return asXr30(rgb) | alpha2; });
    default:
        return;
    }
}

std::uint32_t cursorPixel(std::uint32_t x, std::uint32_t y) noexcept {
    // Distances from the tip. The arrow is the triangle (0, 0), (0, 36), (26, 26); inset counts pixels from its edges.
    const auto inArrow = [](std::int32_t dx, std::int32_t dy, std::int32_t inset) {
        return dx >= inset && dx + inset <= dy && 26 * (dy + inset) <= 26 * 36 - 10 * dx;
    };
    const std::int32_t dx = static_cast<std::int32_t>(x) - patternCursorHotSpot.x;
    const std::int32_t dy = static_cast<std::int32_t>(y) - patternCursorHotSpot.y;
    if (inArrow(dx, dy, 2))
        return 0xffffffffU;
    if (inArrow(dx, dy, 0))
        return 0xff000000U;
    if (inArrow(dx - 3, dy - 4, 0))
        return 0x50000000U;
    return 0;
}

Point cursorPosition(std::uint64_t frameNumber, Size screen) noexcept {
    const auto bounce = [](std::uint64_t way, std::uint64_t range) {
        const std::uint64_t phase = way % (2 * range);
        return static_cast<std::int32_t>(phase < range ? phase : 2 * range - 1 - phase);
    };
    return {bounce(7 * frameNumber, screen.width) - patternCursorHotSpot.x,
            bounce(5 * frameNumber, screen.height) - patternCursorHotSpot.y};
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Pixels of any known format as 8 bit ARGB.
#include "frame/pixel_convert.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <cstring>

namespace vgpuview {

namespace {

constexpr std::uint32_t opaque = 0xff000000U;

template<unsigned bits>
constexpr std::uint32_t to8Bits(std::uint32_t value) noexcept {
    constexpr std::uint32_t largest = (1U << bits) - 1;
    return ((value & largest) * 255 + largest / 2) / largest;
}

constexpr std::uint32_t swapRedAndBlue(std::uint32_t pixel) noexcept {
    return (pixel & 0xff00ff00U) | (pixel & 0xffU) << 16 | (pixel >> 16 & 0xffU);
}

/// From 2:10:10:10 with red, or blue, above the other two.
constexpr std::uint32_t from10Bits(std::uint32_t pixel) noexcept {
    return to8Bits<2>(pixel >> 30) << 24 | to8Bits<10>(pixel >> 20) << 16 | to8Bits<10>(pixel >> 10) << 8 |
           to8Bits<10>(pixel);
}

constexpr std::uint32_t from565(std::uint16_t pixel) noexcept {
    const std::uint32_t wide = pixel;
    return opaque | to8Bits<5>(wide >> 11) << 16 | to8Bits<6>(wide >> 5) << 8 | to8Bits<5>(wide);
}

template<typename Pixel, typename Convert>
void convertEach(const std::byte* row, std::span<std::uint32_t> argb, Convert convert) noexcept {
    for (std::size_t x = 0; x < argb.size(); ++x) {
        Pixel pixel;
        std::memcpy(&pixel, row + x * sizeof(Pixel), sizeof(Pixel));
        argb[x] = convert(pixel);
    }
}

} // namespace

void convertRow(std::uint32_t fourcc, const std::byte* row, std::span<std::uint32_t> argb) noexcept {
    using Word = std::uint32_t;
    switch (fourcc) {
    case DRM_FORMAT_ARGB8888:
        std::memcpy(argb.data(), row, argb.size_bytes());
        return;
    case DRM_FORMAT_XRGB8888:
        return convertEach<Word>(row, argb, [](Word pixel) { return pixel | opaque; });
    case DRM_FORMAT_ABGR8888:
        return convertEach<Word>(row, argb, [](Word pixel) { return swapRedAndBlue(pixel); });
    case DRM_FORMAT_XBGR8888:
        return convertEach<Word>(row, argb, [](Word pixel) { return swapRedAndBlue(pixel) | opaque; });
    case DRM_FORMAT_ARGB2101010:
        return convertEach<Word>(row, argb, [](Word pixel) { return from10Bits(pixel); });
    case DRM_FORMAT_XRGB2101010:
        return convertEach<Word>(row, argb, [](Word pixel) { return from10Bits(pixel) | opaque; });
    case DRM_FORMAT_ABGR2101010:
        return convertEach<Word>(row, argb, [](Word pixel) { return swapRedAndBlue(from10Bits(pixel)); });
    case DRM_FORMAT_XBGR2101010:
        return convertEach<Word>(row, argb, [](Word pixel) { return swapRedAndBlue(from10Bits(pixel)) | opaque; });
    case DRM_FORMAT_RGB565:
        return convertEach<std::uint16_t>(row, argb, [](std::uint16_t pixel) { return from565(pixel); });
    case DRM_FORMAT_RGB888:
        // drm_fourcc.h: little endian, so blue comes first.
        for (std::size_t x = 0; x < argb.size(); ++x)
            argb[x] = opaque | std::to_integer<Word>(row[3 * x + 2]) << 16 |
                      std::to_integer<Word>(row[3 * x + 1]) << 8 | std::to_integer<Word>(row[3 * x]);
        return;
    default:
        std::fill(argb.begin(), argb.end(), opaque);
    }
}

} // namespace vgpuview

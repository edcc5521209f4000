// SPDX-License-Identifier: MIT
// Every format that a vGPU may report comes out as the same colours.
#include "base/pixel_format.h"
#include "frame/pixel_convert.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace vgpuview {
namespace {

struct FormatCase {
    const char* name;
    std::uint32_t fourcc;
    std::vector<unsigned char> bytes; ///< three pixels: opaque (255, 128, 0), (0, 0, 255), (0, 0, 0)
    std::array<std::uint32_t, 3> argb;
};

void PrintTo(const FormatCase& format, std::ostream* out) {
    *out << format.name;
}

class EachFormat : public testing::TestWithParam<FormatCase> {};

TEST_P(EachFormat, IsReadInItsByteOrder) {
    const FormatCase& format = GetParam();
    // One byte off, since a row may start anywhere.
    std::vector<std::byte> row(format.bytes.size() + 1);
    std::memcpy(row.data() + 1, format.bytes.data(), format.bytes.size());
    ASSERT_EQ(format.bytes.size(), 3 * factsOf(format.fourcc)->bytesPerPixel);

    std::array<std::uint32_t, 3> argb{};
    convertRow(format.fourcc, row.data() + 1, argb);

    EXPECT_EQ(argb, format.argb);
}

constexpr std::uint32_t orange = 0xffff8000;
constexpr std::uint32_t blue = 0xff0000ff;
constexpr std::uint32_t black = 0xff000000;

INSTANTIATE_TEST_SUITE_P(
    All, EachFormat,
    testing::Values(
        FormatCase{"XR24", DRM_FORMAT_XRGB8888, {0, 128, 255, 7, 255, 0, 0, 0, 0, 0, 0, 255}, {orange, blue, black}},
        FormatCase{
            "AR24", DRM_FORMAT_ARGB8888, {0, 128, 255, 255, 255, 0, 0, 0x80, 0, 0, 0, 0}, {orange, 0x800000ff, 0}},
        FormatCase{"XB24", DRM_FORMAT_XBGR8888, {255, 128, 0, 7, 0, 0, 255, 0, 0, 0, 0, 255}, {orange, blue, black}},
        FormatCase{
            "AB24", DRM_FORMAT_ABGR8888, {255, 128, 0, 255, 0, 0, 255, 0x80, 0, 0, 0, 0}, {orange, 0x800000ff, 0}},
        // 10 bits: red 1023, green 514 (128.1 of 255), blue 0.
        FormatCase{"XR30",
                   DRM_FORMAT_XRGB2101010,
                   {0x00, 0x08, 0xf8, 0x3f, 0xff, 0x03, 0x00, 0x00, 0, 0, 0, 0xc0},
                   {0xffff8000, blue, black}},
        FormatCase{"AR30",
                   DRM_FORMAT_ARGB2101010,
                   {0x00, 0x08, 0xf8, 0xff, 0xff, 0x03, 0x00, 0x80, 0, 0, 0, 0},
                   {0xffff8000, 0xaa0000ff, 0}},
        FormatCase{"XB30",
                   DRM_FORMAT_XBGR2101010,
                   {0xff, 0x0b, 0x08, 0x00, 0x00, 0x00, 0xf0, 0x3f, 0, 0, 0, 0},
                   {orange, blue, black}},
        FormatCase{"AB30",
                   DRM_FORMAT_ABGR2101010,
                   {0xff, 0x0b, 0x08, 0xc0, 0x00, 0x00, 0xf0, 0x7f, 0, 0, 0, 0},
                   {orange, 0x550000ff, 0}},
        // 5:6:5: red 31, green 32 (129.5 of 255), blue 0.
        FormatCase{"RG16", DRM_FORMAT_RGB565, {0x00, 0xfc, 0x1f, 0x00, 0, 0}, {0xffff8200, blue, black}},
        FormatCase{"RG24", DRM_FORMAT_RGB888, {0, 128, 255, 255, 0, 0, 0, 0, 0}, {orange, blue, black}}),
    [](const auto& format) { return format.param.name; });

TEST(PixelConvert, ScalesFiveBitsToTheNearestOfEight) {
    for (std::uint32_t value = 0; value < 32; ++value) {
        const std::array<unsigned char, 2> bytes{static_cast<unsigned char>(value), 0};
        std::uint32_t argb = 0;
        convertRow(DRM_FORMAT_RGB565, reinterpret_cast<const std::byte*>(bytes.data()), {&argb, 1});
        EXPECT_EQ(argb & 0xff, static_cast<std::uint32_t>(value * 255.0 / 31.0 + 0.5)) << value;
    }
}

TEST(PixelConvert, WritesNoMoreThanAskedFor) {
    const std::array<std::byte, 16> row{};
    std::array<std::uint32_t, 4> argb{1, 2, 3, 4};
    convertRow(DRM_FORMAT_XRGB8888, row.data(), std::span(argb).first(3));
    EXPECT_EQ(argb[2], black);
    EXPECT_EQ(argb[3], 4U);
}

} // namespace
} // namespace vgpuview

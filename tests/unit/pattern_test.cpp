// SPDX-License-Identifier: MIT
// The test vGPU's pictures are what their definition says, however they are drawn.
#include "frame/pixel_convert.h"
#include "synthetic/pattern.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <vector>

namespace vgpuview {
namespace {

/// The definition in other words than the code's.
std::uint32_t definedPixel(long frame, long x, long y) {
    if (y < 16 && x < 256) {
        if (x % 8 == 7)
            return 0xff808080;
        return (frame >> (31 - x / 8)) % 2 != 0 ? 0xffffffff : 0xff000000;
    }
    const auto triangle = [](long phase) {
        const long inPeriod = ((phase % 512) + 512) % 512;
        return std::min(inPeriod, 511 - inPeriod);
    };
    const auto shade = [&](long value) {
        return static_cast<std::uint32_t>((x / 64 + y / 64) % 2 != 0 ? value - value / 4 : value);
    };
    return 0xff000000 | shade(triangle(x + 4 * frame)) << 16 | shade(triangle(y + 2 * frame)) << 8 |
           shade(triangle(x + y - 6 * frame));
}

std::vector<std::uint32_t> drawn(std::uint64_t frame, std::uint32_t fourcc, Size size, std::uint32_t stride,
                                 PatternAlpha alpha = PatternAlpha::opaque) {
    std::vector<std::byte> bytes(std::size_t{stride} * size.height, std::byte{0xee});
    drawPattern(frame, fourcc, alpha, size, stride, bytes);
    std::vector<std::uint32_t> pixels(std::size_t{size.width} * size.height);
    for (std::uint32_t y = 0; y < size.height; ++y) {
        convertRow(fourcc, bytes.data() + std::size_t{y} * stride,
                   std::span(pixels).subspan(std::size_t{y} * size.width, size.width));
        for (std::size_t i = size.width * 4; i < stride; ++i)
            EXPECT_EQ(bytes[std::size_t{y} * stride + i], std::byte{0xee}) << "padding of row " << y;
    }
    return pixels;
}

TEST(Pattern, PixelsAreAsDefined) {
    for (const long frame : {0L, 1L, 7L, 300L, 123456L})
        for (long y = 0; y < 600; y += 3)
            for (long x = 0; x < 1100; ++x)
                ASSERT_EQ(patternPixel(static_cast<std::uint64_t>(frame), static_cast<std::uint32_t>(x),
                                       static_cast<std::uint32_t>(y)),
                          definedPixel(frame, x, y))
                    << x << "," << y << " of frame " << frame;
}

class PatternFormat : public testing::TestWithParam<std::uint32_t> {};

TEST_P(PatternFormat, IsDrawnToTheLastPixelAndNotBeyond) {
    // Odd sizes: the vectoriser's remainders, and a frame number that does not fit in.
    for (const Size size : {Size{1, 1}, Size{333, 130}, Size{77, 31}, Size{640, 480}}) {
        const std::uint32_t stride = size.width * 4 + (size.width % 2 != 0 ? 68 : 0);
        const std::vector<std::uint32_t> pixels = drawn(4711, GetParam(), size, stride);
        for (std::uint32_t y = 0; y < size.height; ++y)
            for (std::uint32_t x = 0; x < size.width; ++x)
                ASSERT_EQ(pixels[y * size.width + x], patternPixel(4711, x, y)) << x << "," << y;
    }
}

INSTANTIATE_TEST_SUITE_P(All, PatternFormat,
                         testing::Values(DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_XBGR8888,
                                         DRM_FORMAT_XRGB2101010));

TEST(Pattern, AlphaIsWhatWasAskedFor) {
    EXPECT_EQ(drawn(1, DRM_FORMAT_ARGB8888, {300, 20}, 1200, PatternAlpha::opaque)[19 * 300] >> 24, 255U);
    EXPECT_EQ(drawn(1, DRM_FORMAT_ARGB8888, {300, 20}, 1200, PatternAlpha::zero)[19 * 300] >> 24, 0U);
    EXPECT_EQ(drawn(1, DRM_FORMAT_ARGB8888, {300, 20}, 1200, PatternAlpha::zero)[0] >> 24, 0U);
}

TEST(Pattern, EveryPixelChangesWithEachFrame) {
    for (std::uint64_t frame = 0; frame < 600; ++frame)
        for (std::uint32_t y = 16; y < 90; y += 7)
            for (std::uint32_t x = 0; x < 600; ++x)
                ASSERT_NE(patternPixel(frame, x, y), patternPixel(frame + 1, x, y)) << x << "," << y << " at " << frame;
}

TEST(Pattern, TheFrameNumberCanBeReadBack) {
    for (const std::uint64_t frame : {0ULL, 1ULL, 59ULL, 0x80000001ULL, 0xffffffffULL})
        EXPECT_EQ(frameNumberIn(drawn(frame, DRM_FORMAT_XRGB2101010, {320, 200}, 1280), {320, 200}), frame);
    EXPECT_EQ(frameNumberIn(drawn(0x1'0000'0002ULL, DRM_FORMAT_XRGB8888, {320, 200}, 1280), {320, 200}), 2U);
}

TEST(Pattern, NoFrameNumberIsReadFromOtherPictures) {
    const std::vector<std::uint32_t> grey(320 * 200, 0xff808080);
    EXPECT_FALSE(frameNumberIn(grey, {320, 200}));
    EXPECT_FALSE(frameNumberIn(drawn(1, DRM_FORMAT_XRGB8888, {255, 200}, 1020), {255, 200}));
    EXPECT_FALSE(frameNumberIn(drawn(1, DRM_FORMAT_XRGB8888, {320, 200}, 1280), {320, 201}));
}

TEST(PatternCursor, IsPremultipliedAndPointsWithItsHotSpot) {
    std::set<std::uint32_t> colours;
    for (std::uint32_t y = 0; y < patternCursorSize.height; ++y) {
        for (std::uint32_t x = 0; x < patternCursorSize.width; ++x) {
            const std::uint32_t pixel = cursorPixel(x, y);
            colours.insert(pixel);
            for (const unsigned shift : {0U, 8U, 16U})
                ASSERT_LE(pixel >> shift & 0xff, pixel >> 24);
        }
    }
    EXPECT_EQ(colours, (std::set<std::uint32_t>{0, 0x50000000, 0xff000000, 0xffffffff}));
    // The tip is black; left of it and above it there is nothing.
    EXPECT_EQ(cursorPixel(8, 6), 0xff000000U);
    EXPECT_EQ(cursorPixel(7, 6), 0U);
    EXPECT_EQ(cursorPixel(8, 5), 0U);
}

TEST(PatternCursor, MovesAlwaysAndItsHotSpotStaysOnTheScreen) {
    bool leftOfScreen = false;
    bool aboveScreen = false;
    for (std::uint64_t frame = 0; frame < 2000; ++frame) {
        const Point position = cursorPosition(frame, {640, 480});
        EXPECT_NE(position, cursorPosition(frame + 1, {640, 480}));
        const Point hot{position.x + patternCursorHotSpot.x, position.y + patternCursorHotSpot.y};
        ASSERT_TRUE(hot.x >= 0 && hot.x < 640 && hot.y >= 0 && hot.y < 480) << hot.x << "," << hot.y;
        leftOfScreen |= position.x < 0;
        aboveScreen |= position.y < 0;
    }
    EXPECT_TRUE(leftOfScreen && aboveScreen);
}

} // namespace
} // namespace vgpuview

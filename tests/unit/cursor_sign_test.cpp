// SPDX-License-Identifier: MIT
// The cursor of a driver that drops the sign of its position.
#include "doubles/fake_source.h"
#include "frame/cursor_sign.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace vgpuview {
namespace {

Plane cursorAt(Point position, const BufferRef& image, std::optional<Point> hotSpot = {}) {
    return {.buffer = image, .position = position, .hotSpot = hotSpot};
}
/// As the driver reports it.
Point withoutSign(Point position) {
    return {std::abs(position.x), std::abs(position.y)};
}

const BufferRef arrow = doubles::makeMemoryBuffer({64, 64}, BufferKind::memory, DRM_FORMAT_ARGB8888);
const BufferRef cross = doubles::makeMemoryBuffer({64, 64}, BufferKind::memory, DRM_FORMAT_ARGB8888);

TEST(CursorSign, WithTheDriversHotSpotEveryPlaceIsFound) {
    constexpr Point hotSpot{20, 9};
    CursorSign sign;
    for (std::int32_t x = 0; x < 200; ++x)
        for (std::int32_t y = 0; y < 100; ++y) {
            const Point truth{x - hotSpot.x, y - hotSpot.y};
            ASSERT_EQ(sign.mend(cursorAt(withoutSign(truth), arrow, hotSpot), Point{x, y}), truth) << x << "," << y;
        }
}

TEST(CursorSign, AHotSpotThatIsNotToldIsLearnedAwayFromTheEdges) {
    constexpr Point hotSpot{20, 9};
    CursorSign sign;
    for (unsigned i = 0; i < 2; ++i) // at rest
        EXPECT_EQ(sign.mend(cursorAt({280, 191}, arrow), Point{300, 200}), (Point{280, 191}));
    for (std::int32_t x = 0; x < 100; ++x) {
        const Point truth{x - hotSpot.x, x - hotSpot.y};
        ASSERT_EQ(sign.mend(cursorAt(withoutSign(truth), arrow), Point{x, x}), truth) << x;
    }
}

TEST(CursorSign, UnlearnedOnlyWhatCannotBeOtherwiseIsTurned) {
    CursorSign sign;
    EXPECT_EQ(sign.mend(cursorAt({15, 6}, arrow), Point{5, 3}), (Point{-15, -6})) << "a hot spot left of the cursor";
    EXPECT_EQ(sign.mend(cursorAt({15, 6}, arrow), Point{35, 15}), (Point{15, 6}));
}

TEST(CursorSign, WhatIsLearnedOfOneImageIsNotBelievedOfAnother) {
    CursorSign sign;
    for (unsigned i = 0; i < 2; ++i)
        (void)sign.mend(cursorAt({240, 240}, arrow), Point{300, 300}); // a hot spot of 60,60
    EXPECT_EQ(sign.mend(cursorAt({20, 20}, arrow), Point{40, 40}), (Point{-20, -20}));
    EXPECT_EQ(sign.mend(cursorAt({20, 20}, cross), Point{40, 40}), (Point{20, 20}));
}

TEST(CursorSign, WhileItMovesNothingIsLearned) {
    CursorSign sign;
    for (std::int32_t i = 0; i < 10; ++i) // the cursor lags behind
        (void)sign.mend(cursorAt({200 + i, 200}, arrow), Point{260 + i, 260});
    EXPECT_EQ(sign.mend(cursorAt({20, 20}, arrow), Point{40, 40}), (Point{20, 20}));
}

TEST(CursorSign, WithoutAPointerTheReportStands) {
    CursorSign sign;
    EXPECT_EQ(sign.mend(cursorAt({15, 6}, arrow, Point{20, 9}), {}), (Point{15, 6}));
}

TEST(CursorSign, ACursorThatWouldBeOutOfSightIsNot) {
    CursorSign sign;
    EXPECT_EQ(sign.mend(cursorAt({64, 500}, arrow), Point{0, 0}), (Point{64, 500}));
}

} // namespace
} // namespace vgpuview

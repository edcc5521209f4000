// SPDX-License-Identifier: MIT
// What a driver reports is believed only where it makes sense.
#include "frame/plane_check.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace vgpuview {
namespace {

ReportedPlane good() {
    return {.fourcc = DRM_FORMAT_XRGB8888,
            .modifier = DRM_FORMAT_MOD_LINEAR,
            .width = 800,
            .height = 600,
            .stride = 3200,
            .size = 3200 * 600};
}

PlaneVerdict primary(const ReportedPlane& plane) {
    return checkPlane(PlaneType::primary, plane);
}

TEST(PlaneCheck, AGoodPlaneIsTaken) {
    const PlaneVerdict verdict = primary(good());
    const auto* plane = std::get_if<CheckedPlane>(&verdict);
    ASSERT_TRUE(plane);
    EXPECT_EQ(plane->layout.size, (Size{800, 600}));
    EXPECT_EQ(plane->layout.stride, 3200U);
    EXPECT_EQ(plane->layout.byteSize, 3200U * 600U);
}

TEST(PlaneCheck, NoFormatOrNoSizeIsOff) {
    EXPECT_TRUE(std::holds_alternative<PlaneOff>(primary({})));
    ReportedPlane plane = good();
    plane.size = 0;
    EXPECT_TRUE(std::holds_alternative<PlaneOff>(primary(plane)));
}

struct BadCase {
    const char* name;
    PlaneFault fault;
    void (*spoil)(ReportedPlane&);
};

void PrintTo(const BadCase& bad, std::ostream* out) {
    *out << bad.name;
}

class BadPlane : public testing::TestWithParam<BadCase> {};

TEST_P(BadPlane, IsRejectedWithItsReason) {
    ReportedPlane plane = good();
    GetParam().spoil(plane);
    const PlaneVerdict verdict = primary(plane);
    ASSERT_TRUE(std::holds_alternative<PlaneFault>(verdict));
    EXPECT_EQ(std::get<PlaneFault>(verdict), GetParam().fault);
    EXPECT_FALSE(textOf(GetParam().fault).empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, BadPlane,
    testing::Values(
        BadCase{"unknown_format", PlaneFault::unknownFormat, [](ReportedPlane& p) { p.fourcc = 0x12345678; }},
        BadCase{"packed_yuv", PlaneFault::unknownFormat, [](ReportedPlane& p) { p.fourcc = DRM_FORMAT_YUYV; }},
        BadCase{"implicit_modifier", PlaneFault::unknownModifier,
                [](ReportedPlane& p) { p.modifier = DRM_FORMAT_MOD_INVALID; }},
        BadCase{"wild_modifier", PlaneFault::unknownModifier,
                [](ReportedPlane& p) { p.modifier = 0xdeadbeefcafef00d; }},
        BadCase{"zero_width", PlaneFault::zeroSize, [](ReportedPlane& p) { p.width = 0; }},
        BadCase{"zero_height", PlaneFault::zeroSize, [](ReportedPlane& p) { p.height = 0; }},
        BadCase{"zero_stride", PlaneFault::zeroSize, [](ReportedPlane& p) { p.stride = 0; }},
        BadCase{"huge_width", PlaneFault::tooLarge, [](ReportedPlane& p) { p.width = UINT32_MAX; }},
        BadCase{"huge_height", PlaneFault::tooLarge, [](ReportedPlane& p) { p.height = 16385; }},
        BadCase{"width_that_overflows_a_row", PlaneFault::tooLarge, [](ReportedPlane& p) { p.width = 0x40000001; }},
        BadCase{"stride_below_a_row", PlaneFault::strideTooSmall, [](ReportedPlane& p) { p.stride = 3199; }},
        BadCase{"huge_stride", PlaneFault::strideTooLarge, [](ReportedPlane& p) { p.stride = 0xfffffffc; }},
        BadCase{"size_of_one", PlaneFault::sizeTooSmall, [](ReportedPlane& p) { p.size = 1; }}),
    [](const testing::TestParamInfo<BadCase>& tested) { return std::string(tested.param.name); });

TEST(PlaneCheck, AStrideLargerThanTheRowIsTakenAsItIs) {
    ReportedPlane plane = good();
    plane.stride = 5120;
    plane.size = 5120 * 600;
    const PlaneVerdict verdict = primary(plane);
    ASSERT_TRUE(std::holds_alternative<CheckedPlane>(verdict));
    EXPECT_EQ(std::get<CheckedPlane>(verdict).layout.byteSize, 5120U * 599U + 3200U);
}

TEST(PlaneCheck, TheLargestPlaneDoesNotOverflow) {
    const ReportedPlane plane{
        .fourcc = DRM_FORMAT_XRGB8888, .width = 16384, .height = 16384, .stride = 16384 * 16, .size = UINT32_MAX};
    const PlaneVerdict verdict = primary(plane);
    ASSERT_TRUE(std::holds_alternative<CheckedPlane>(verdict));
    const BufferLayout layout = std::get<CheckedPlane>(verdict).layout;
    EXPECT_EQ(layout.byteSize, std::uint64_t{16384} * 16 * 16383 + 16384 * 4);
    EXPECT_FALSE(fitsInto(layout, layout.byteSize - 1));
    EXPECT_TRUE(fitsInto(layout, layout.byteSize));
}

TEST(PlaneCheck, ASizeCountedInPagesIsUnderstood) {
    ReportedPlane plane = good();
    plane.size = (3200 * 600 + 4095) / 4096;
    EXPECT_TRUE(std::holds_alternative<CheckedPlane>(primary(plane)));
}

TEST(PlaneCheck, AnOffsetBeyondTheBufferDoesNotFit) {
    BufferLayout layout{.size = {1, 1}, .stride = 4, .offset = 100, .byteSize = 4, .format = {}};
    EXPECT_FALSE(fitsInto(layout, 99));
    EXPECT_FALSE(fitsInto(layout, 103));
    EXPECT_TRUE(fitsInto(layout, 104));
}

ReportedPlane cursor() {
    return {.fourcc = DRM_FORMAT_ARGB8888,
            .width = 64,
            .height = 64,
            .stride = 256,
            .size = 256 * 64,
            .x = 10,
            .y = 20,
            .hotSpotX = 3,
            .hotSpotY = 4};
}

CheckedPlane checkedCursor(const ReportedPlane& plane) {
    return std::get<CheckedPlane>(checkPlane(PlaneType::cursor, plane));
}

TEST(PlaneCheck, ACursorHasPositionAndHotSpot) {
    const CheckedPlane plane = checkedCursor(cursor());
    EXPECT_EQ(plane.position, (Point{10, 20}));
    EXPECT_EQ(plane.hotSpot, (Point{3, 4}));
}

TEST(PlaneCheck, AHotSpotThatIsAbsentOrOutsideIsNone) {
    ReportedPlane plane = cursor();
    plane.hotSpotX = 0xffffffff;
    EXPECT_FALSE(checkedCursor(plane).hotSpot);
    plane = cursor();
    plane.hotSpotY = 64;
    EXPECT_FALSE(checkedCursor(plane).hotSpot);
}

TEST(PlaneCheck, APositionFarOffScreenIsClamped) {
    ReportedPlane plane = cursor();
    plane.x = static_cast<std::uint32_t>(-10);
    plane.y = 0x80000000;
    EXPECT_EQ(checkedCursor(plane).position, (Point{-10, -64}));
    plane.x = 0x7fffffff;
    EXPECT_EQ(checkedCursor(plane).position.x, 16384);
}

TEST(PlaneCheck, ACursorLargerThanAnyIsRejected) {
    ReportedPlane plane = cursor();
    plane.width = 1025;
    plane.stride = 1025 * 4;
    plane.size = UINT32_MAX;
    EXPECT_EQ(std::get<PlaneFault>(checkPlane(PlaneType::cursor, plane)), PlaneFault::cursorTooLarge);
}

} // namespace
} // namespace vgpuview

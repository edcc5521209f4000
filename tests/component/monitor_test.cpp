// SPDX-License-Identifier: MIT
// The monitor sink's pictures: scanned out, composed, the cursor, the text where there is none.
#include "monitor_bed.h"

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using doubles::showsPattern;

constexpr std::uint32_t black = 0;

TEST_F(MonitorTest, AGuestOfTheMonitorsSizeIsScannedOutAndNothingIsCopied) {
    source.flip(patternBuffer({320, 200}, 7));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 7));
    const SinkReport report = sink->report();
    EXPECT_EQ(detail("composed"), 0U);
    EXPECT_EQ(report.bytesCopied, 0U);
    EXPECT_EQ(report.blits, 0U);
    EXPECT_EQ(report.imports, 1U);
    EXPECT_EQ(logged("is scanned out"), 1) << logText();
}

TEST_F(MonitorTest, EachFlipIsScannedOutWithOneImportPerBuffer) {
    const std::array buffers{patternBuffer({320, 200}, 0), patternBuffer({320, 200}, 1), patternBuffer({320, 200}, 2)};
    source.flip(buffers[0]);
    start();
    for (std::uint64_t number = 1; number < 30; ++number) {
        source.flip(buffers[number % 3]);
        const std::uint64_t before = detail("scanned_out");
        ASSERT_TRUE(until([&] { return detail("scanned_out") > before; }));
        ASSERT_TRUE(showsPattern(screen().argb, {320, 200}, number % 3));
    }
    EXPECT_EQ(sink->report().imports, 3U);
    EXPECT_GE(*sink->report().presented, 28U);
    EXPECT_TRUE(sink->report().latency.percentiles());
}

TEST_F(MonitorTest, AnUnchangedGuestCausesNoCommits) {
    source.flip(patternBuffer({320, 200}, 1));
    start();
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
    runFor(100ms);
    const unsigned before = tap.commits;
    runFor(300ms);
    EXPECT_EQ(tap.commits, before);
}

TEST_F(MonitorTest, WhatTheMonitorRefusesIsComposedAndTheReasonSaidOnce) {
    tap.refuse_scan_out = true;
    source.flip(patternBuffer({320, 200}, 3));
    start();
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; })) << logText();
    source.flip(patternBuffer({320, 200}, 4));
    ASSERT_TRUE(until([&] { return detail("composed") >= 2; }));
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 4));
    EXPECT_EQ(detail("scanned_out"), 0U);
    EXPECT_EQ(detail("scan_out_refused"), 1U) << "the same format was tried again";
    EXPECT_EQ(logged("the monitor refuses XR24 linear"), 1) << logText();
}

#if defined(MONITOR_PLANE_SCALES)
TEST_F(MonitorTest, AGuestOfAnotherShapeIsScaledByThePlaneWhereTheMonitorCan) {
    source.flip(patternBuffer({100, 100}, 1));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
    EXPECT_EQ(detail("composed"), 0U);
    EXPECT_TRUE(showsPattern(screen().argb, {100, 100}, 1));
}
#endif

TEST_F(MonitorTest, AGuestOfAnotherShapeGetsBlackBars) {
    tap.refuse_scan_out = true; // of a plane that scales, from wlroots 0.19 on
    source.flip(plainBuffer({100, 100}, 0x2040c0));
    start();
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; }));
    EXPECT_EQ(screen().at(59, 100), black);
    EXPECT_EQ(screen().at(62, 100), 0x2040c0U);
    EXPECT_EQ(screen().at(160, 2), 0x2040c0U);
    EXPECT_EQ(screen().at(257, 197), 0x2040c0U);
    EXPECT_EQ(screen().at(260, 100), black);
    EXPECT_EQ(logged("it is 100x100 and the monitor 320x200"), 1) << logText();
}

TEST_F(MonitorTest, OriginalScaleShowsPixelForPixelInTheMiddle) {
    tap.refuse_scan_out = true;
    source.flip(patternBuffer({100, 80}, 5));
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .scale = MonitorScale::original});
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; }));
    for (std::uint32_t y = 0; y < 80; ++y)
        for (std::uint32_t x = 0; x < 100; ++x)
            ASSERT_EQ(screen().at(110 + x, 60 + y), patternPixel(5, x, y) & 0xffffffU) << x << "," << y;
    EXPECT_EQ(screen().at(109, 60), black);
    EXPECT_EQ(screen().at(110, 59), black);
}

TEST_F(MonitorTest, ACursorWithoutAPlaneIsComposedAtItsPlaceAndFollowsTheGuest) {
    source.flip(plainBuffer({320, 200}, 0x101010));
    source.current.cursor = Plane{
        .buffer = plainBuffer({24, 20}, 0xffff0000, DRM_FORMAT_ARGB8888), .position = {-4, 30}, .hotSpot = Point{1, 1}};
    start();
    ASSERT_TRUE(until([&] { return tap.commits >= 1 && screen().litPixels() > 0; }));
#if defined(MONITOR_CURSOR_IS_COMPOSED)
    EXPECT_EQ(screen().at(0, 30), 0xff0000U);
    EXPECT_EQ(screen().at(19, 49), 0xff0000U);
    EXPECT_EQ(screen().at(20, 49), 0x101010U);
    EXPECT_EQ(screen().at(0, 29), 0x101010U);
    source.current.cursor->position = {100, 100};
    ASSERT_TRUE(until([&] { return screen().at(100, 100) == 0xff0000U; }));
    EXPECT_EQ(screen().at(0, 30), 0x101010U);
    source.current.cursor.reset();
    ASSERT_TRUE(until([&] { return screen().at(100, 100) == 0x101010U; }));
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << "without a cursor nothing forbids scan-out";
#else
    EXPECT_GE(detail("cursor_plane") + detail("cursor_plane_rendered"), 1U);
    EXPECT_EQ(detail("composed"), 0U);
#endif
}

TEST_F(MonitorTest, WithoutAPictureThereIsATextOnBlack) {
    start();
    ASSERT_TRUE(until([&] { return screen().litPixels() > 0; }));
    EXPECT_LT(screen().litPixels(), 320U * 200 / 4);
    EXPECT_EQ(screen().at(0, 0), black);
    source.flip(patternBuffer({320, 200}, 2));
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 2));
    source.blank();
    ASSERT_TRUE(until([&] { return screen().at(0, 0) == black && screen().litPixels() < 320U * 200 / 4; }));
}

TEST_F(MonitorTest, AnEndedSourcesBuffersAreLetGoOfAtOnce) {
    std::weak_ptr<const Buffer> buffer;
    {
        const BufferRef strong = patternBuffer({320, 200}, 2, BufferKind::memory);
        buffer = strong;
        source.flip(strong);
    }
    tap.hold = true;
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    source.current.primary.reset();
    EXPECT_FALSE(buffer.expired());
    engine.setSource(nullptr);
    EXPECT_TRUE(buffer.expired());
    ASSERT_TRUE(until([&] { return screen().litPixels() < 320U * 200 / 4; }));
}

TEST_F(MonitorTest, AMemoryBufferOnScreenIsNotDrawnInto) {
    const BufferRef first = patternBuffer({320, 200}, 1, BufferKind::memory);
    const BufferRef second = patternBuffer({320, 200}, 2, BufferKind::memory);
    tap.hold = true;
    source.flip(first);
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    EXPECT_TRUE(first->beingRead());
    source.flip(second);
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 2 && !first->beingRead(); }));
    EXPECT_TRUE(second->beingRead());
}

} // namespace
} // namespace vgpuview

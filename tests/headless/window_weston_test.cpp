// SPDX-License-Identifier: MIT
// The window on a real compositor: what weston itself says is on its screen is, pixel for pixel, what was drawn.
#include "forward/forwarder.h"
#include "synthetic/pattern.h"
#include "synthetic/test_source.h"
#include "wayland/window_sink.h"
#include "weston_bed.h"

namespace vgpuview {
namespace {

using namespace headless;

/// Pixels of the screenshot that differ from the picture with that number, outside the number itself.
std::size_t differences(const Screenshot& shot, std::uint64_t number) {
    std::size_t count = 0;
    for (std::uint32_t y = 0; y < shot.size.height; ++y)
        for (std::uint32_t x = 0; x < shot.size.width; ++x)
            if ((shot.argb[std::size_t{y} * shot.size.width + x] | 0xff000000U) != patternPixel(number, x, y))
                ++count;
    return count;
}

TEST_F(WestonTest, ShowsEveryPixelOfTheGuestsMemory) {
    TestSource source(parseTestOptions("800x600,buffers=3,cursor=off,memory=memfd"), loop, log);
    WindowSink window(loop, log, nullptr, {.start = StartMode::fullScreen});
    Forwarder engine(loop, {});
    engine.setSource(&source);
    engine.addSink(window);
    runFor(1s);
    unsigned compared = 0;
    // The shell fades in; the first screenshots may show that.
    for (unsigned tries = 0; tries < 10 && compared < 3; ++tries) {
        const std::optional<Screenshot> shot = shoot();
        ASSERT_TRUE(shot) << "weston-screenshooter made no picture";
        ASSERT_EQ(shot->size, screen);
        const std::optional<std::uint32_t> number = frameNumberIn(shot->argb, shot->size);
        if (!number && compared == 0)
            continue;
        ASSERT_TRUE(number) << "no frame number in the picture";
        EXPECT_EQ(differences(*shot, *number), 0U) << "frame " << *number;
        ++compared;
    }
    EXPECT_EQ(compared, 3U);
    const SinkReport report = window.report();
    EXPECT_EQ(report.bytesCopied, 0U);
    EXPECT_GT(report.presented.value_or(0), 20U);
    ASSERT_TRUE(report.latency.percentiles());
    EXPECT_LT(report.latency.percentiles()->p50, 1s) << "weston's clock is CLOCK_MONOTONIC_RAW";
    engine.removeSink(window);
    engine.setSource(nullptr);
}

TEST_F(WestonTest, FollowsTheGuestsModeChangesAndScalesThemToTheScreen) {
    TestSource source(
        parseTestOptions("400x300,buffers=2,cursor=off,memory=memfd,still,edid=off,modes=400x300/800x600,every=90"),
        loop, log);
    WindowSink window(loop, log, nullptr, {.scale = ScaleMode::stretch, .start = StartMode::fullScreen});
    Forwarder engine(loop, {});
    engine.setSource(&source);
    engine.addSink(window);
    runFor(1s);
    bool exact = false;
    const TimePoint deadline = loop.now() + 15s;
    while (!exact && loop.now() < deadline) {
        const std::optional<Screenshot> shot = shoot();
        ASSERT_TRUE(shot);
        ASSERT_EQ(shot->size, screen) << "the screen is covered in either mode";
        const std::optional<std::uint32_t> number = frameNumberIn(shot->argb, shot->size);
        exact = number && differences(*shot, *number) == 0;
    }
    EXPECT_TRUE(exact) << "the mode of the screen's size was never seen unscaled";
    EXPECT_GE(source.counters().reallocations, 1U);
    engine.removeSink(window);
    engine.setSource(nullptr);
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The monitor sink's life: modes, plugs, faults, the guest's EDID.
#include "base/error.h"
#include "monitor_bed.h"

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using doubles::showsPattern;

TEST_F(MonitorTest, FailedCommitsAreTriedAgain) {
    tap.fail_commits = 2;
    source.flip(patternBuffer({320, 200}, 9));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 9));
    EXPECT_EQ(detail("commit_failures"), 2U);
    EXPECT_EQ(logged("did not take a picture"), 1) << logText();
}

TEST_F(MonitorTest, ADriverThatFailsWhatItsTestLetPassGetsAComposedPicture) {
    tap.fail_scan_outs = true;
    source.flip(patternBuffer({320, 200}, 9));
    start();
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; })) << logText();
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 9));
    EXPECT_EQ(detail("commit_failures"), 3U);
    EXPECT_EQ(logged("the monitor refuses XR24 linear"), 1) << logText();
    tap.fail_scan_outs = false;
    ASSERT_TRUE(monitor_tap_resize_last(640, 400));
    source.flip(patternBuffer({640, 400}, 3));
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
}

TEST_F(MonitorTest, RandomlyRefusedCommitsNeverStopThePicture) {
    const std::array buffers{patternBuffer({320, 200}, 0), patternBuffer({320, 200}, 1)};
    source.flip(buffers[0]);
    start();
    std::uint32_t random = 1;
    for (std::uint64_t number = 1; number < 40; ++number) {
        random = random * 1664525U + 1013904223U;
        tap.fail_commits = (random >> 16) % 3 == 0 ? 1 : 0;
        tap.refuse_scan_out = (random >> 20) % 2 == 0;
        source.flip(buffers[number % 2]);
        const unsigned before = screen().pictures;
        ASSERT_TRUE(until([&] { return screen().pictures > before; })) << logText();
    }
    ASSERT_TRUE(until([&] { return tap.fail_commits == 0 && showsPattern(screen().argb, {320, 200}, 1); }));
}

TEST_F(MonitorTest, ABufferThatCanNeitherBeImportedNorReadLeavesItBlackAndIsSaid) {
    tap.refuse_scan_out = true;
    const BufferRef buffer = patternBuffer({320, 200}, 1);
    ASSERT_EQ(::ftruncate(buffer->fd(), 0), 0);
    source.flip(buffer);
    start();
    ASSERT_TRUE(until([&] { return logged("neither imported nor read") == 1; })) << logText();
    EXPECT_EQ(screen().litPixels(), 0U);
    EXPECT_GE(sink->report().importFailures, 1U);
    source.flip(patternBuffer({320, 200}, 6));
    ASSERT_TRUE(until([&] { return showsPattern(screen().argb, {320, 200}, 6); })) << logText();
}

TEST_F(MonitorTest, NoMonitorIsNoErrorItWaitsWithoutPollingUntilOneIsPluggedIn) {
    setOutputs(0);
    source.flip(patternBuffer({320, 200}, 3));
    start();
    runFor(100ms);
    EXPECT_EQ(source.polls, 0U);
    EXPECT_EQ(logged("waiting for one"), 1) << logText();
    ASSERT_TRUE(monitor_tap_plug(640, 480));
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 3));
}

TEST_F(MonitorTest, AnUnpluggedMonitorsPictureGoesOnOnTheNextOne) {
    source.flip(patternBuffer({320, 200}, 3));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    ASSERT_TRUE(monitor_tap_unplug_last());
    EXPECT_EQ(sink->outputCount(), 0U);
    EXPECT_EQ(logged("waiting for another one"), 1) << logText();
    runFor(50ms);
    const unsigned polls = source.polls;
    runFor(100ms);
    EXPECT_EQ(source.polls, polls);
    const std::string name = monitor_tap_plug(640, 480);
    ASSERT_TRUE(until([&] { return screens[name].pictures > 0 && screens[name].litPixels() > 0; })) << logText();
    EXPECT_TRUE(showsPattern(screens[name].argb, {320, 200}, 3));
    EXPECT_EQ(detail("scanned_out"), 2U) << "the unplugged monitor's frames are still in the report";
}

TEST_F(MonitorTest, TwoMonitorsMirrorTheGuest) {
    setOutputs(2);
    source.flip(patternBuffer({320, 200}, 0));
    start();
    for (std::uint64_t number = 1; number < 10; ++number) {
        source.flip(patternBuffer({320, 200}, number));
        ASSERT_TRUE(until([&] {
            return showsPattern(screens["HEADLESS-1"].argb, {320, 200}, number) &&
                   showsPattern(screens["HEADLESS-2"].argb, {320, 200}, number);
        })) << logText();
    }
}

TEST_F(MonitorTest, OnlyTheNamedMonitorIsUsed) {
    setOutputs(2);
    source.flip(patternBuffer({320, 200}, 0));
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .output = "HEADLESS-2"});
    ASSERT_TRUE(until([&] { return screens["HEADLESS-2"].pictures > 0; }));
    runFor(50ms);
    EXPECT_EQ(screens.count("HEADLESS-1"), 0U);
    EXPECT_EQ(sink->outputCount(), 1U);
}

TEST_F(MonitorTest, TheEngineAsksAtTheMonitorsRate) {
    source.flip(patternBuffer({320, 200}, 0));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    EXPECT_EQ(sink->pollInterval(), Nanoseconds(16'666'666));
}

TEST_F(MonitorTest, ItCanBeDestroyedWhileAPictureIsOnItsWay) {
    source.flip(patternBuffer({320, 200}, 0));
    start();
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
    source.flip(patternBuffer({320, 200}, 1));
    engine.removeSink(*sink);
    sink.reset();
    runFor(30ms);
}

TEST(MonitorStart, AMissingBackendIsOneClearError) {
    ::setenv("WLR_BACKENDS", "no-such-backend", 1);
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::info};
    try {
        const MonitorSink sink(loop, log, {});
        FAIL() << "it started without a backend";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notSupported);
        EXPECT_STREQ(error.what(), "cannot start the monitor output: wlroots can't make a display backend");
        EXPECT_FALSE(error.hint().empty());
    }
}

TEST_F(MonitorTest, AnOutputThatGoesWhileAPictureIsOnItsWayIsLetGoOf) {
    source.flip(patternBuffer({320, 200}, 1));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    tap.unplug_after_commit = true;
    source.flip(patternBuffer({320, 200}, 2));
    ASSERT_TRUE(until([&] { return sink->outputCount() == 0; }));
    EXPECT_EQ(logged("waiting for another one"), 1) << logText();
    const std::string name = monitor_tap_plug(640, 480);
    ASSERT_TRUE(until([&] { return showsPattern(screens[name].argb, {320, 200}, 2); })) << logText();
}

TEST_F(MonitorTest, AnOutputThatGoesWhileAComposedPictureIsOnItsWayIsLetGoOf) {
    tap.refuse_scan_out = true;
    source.flip(patternBuffer({100, 100}, 1));
    start();
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; }));
    tap.unplug_after_commit = true;
    source.flip(patternBuffer({100, 100}, 2));
    ASSERT_TRUE(until([&] { return sink->outputCount() == 0; }));
    const std::string name = monitor_tap_plug(640, 480);
    ASSERT_TRUE(until([&] { return screens[name].pictures > 0 && screens[name].litPixels() > 0; })) << logText();
}

TEST_F(MonitorTest, ALostDeviceEndsTheRunWithAClearLine) {
    source.flip(patternBuffer({320, 200}, 1));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    monitor_tap_end_backend();
    try {
        until([] { return false; });
        FAIL() << "the lost device went unnoticed";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "cannot go on with the monitor output: its device or parent compositor is gone");
    }
    EXPECT_EQ(sink->outputCount(), 0U);
    EXPECT_GE(detail("scanned_out"), 1U) << "the report still tells of the monitor";
}

TEST_F(MonitorTest, ScanOutIsTriedAgainAfterAModeChangeAndAPlug) {
    tap.refuse_scan_out = true;
    source.flip(patternBuffer({320, 200}, 1));
    start();
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; }));
    tap.refuse_scan_out = false;
    source.flip(patternBuffer({320, 200}, 2));
    ASSERT_TRUE(until([&] { return detail("composed") >= 2; }));
    ASSERT_EQ(detail("scanned_out"), 0U) << "what was refused is not tried with every picture";
    ASSERT_TRUE(monitor_tap_plug(640, 480));
    source.flip(patternBuffer({320, 200}, 3));
    ASSERT_TRUE(until([&] {
        return screen().pictures > 2 && showsPattern(screen().argb, {320, 200}, 3);
    })) << logText();
    EXPECT_GE(logged("monitor HEADLESS-1: the guest's picture is scanned out"), 1) << logText();

    tap.refuse_scan_out = true;
    source.flip(patternBuffer({320, 200}, 4));
    ASSERT_TRUE(until([&] { return showsPattern(screens["HEADLESS-2"].argb, {320, 200}, 4); }));
    tap.refuse_scan_out = false;
    const std::uint64_t before = detail("scanned_out");
    ASSERT_TRUE(monitor_tap_resize_last(640, 400));
    source.flip(patternBuffer({640, 400}, 5));
    ASSERT_TRUE(until([&] { return detail("scanned_out") > before; })) << logText();
    EXPECT_GE(logged("is now 640x400"), 1) << logText();
}

TEST_F(MonitorTest, VariableRefreshIsUsedWhereTheMonitorHasItAndTheGuestIsThenAskedAtOnce) {
    tap.refresh = MONITOR_TAP_VARIABLE_REFRESH;
    source.flip(patternBuffer({320, 200}, 1));
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .variableRefresh = VariableRefresh::on});
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
    EXPECT_EQ(detail("variable_refresh"), 1U);
    EXPECT_EQ(logged("has no variable refresh"), 0) << logText();
}

TEST_F(MonitorTest, AMonitorWithoutVariableRefreshIsUsedAllTheSame) {
    source.flip(patternBuffer({320, 200}, 1));
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .variableRefresh = VariableRefresh::on});
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
    EXPECT_EQ(detail("variable_refresh"), 0U);
    EXPECT_EQ(logged("has no variable refresh"), 1) << logText();
}

TEST_F(MonitorTest, ADriverThatRefusesVariableRefreshGetsAFixedOne) {
    tap.refresh = MONITOR_TAP_REFUSES_VARIABLE;
    source.flip(patternBuffer({320, 200}, 1));
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .variableRefresh = VariableRefresh::on});
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << logText();
    EXPECT_EQ(detail("variable_refresh"), 0U);
}

TEST_F(MonitorTest, TheGuestIsToldOfTheMonitorAndOfItsNextSize) {
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = 75'000}});
    ASSERT_EQ(source.monitors.size(), 1U);
    EXPECT_EQ(source.monitors.back().size, (Size{320, 200}));
    EXPECT_EQ(source.monitors.back().refreshMilliHz, 75'000U);
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
}

TEST_F(MonitorTest, AGuestOnAResizedMonitorIsToldSo) {
    start({});
    ASSERT_EQ(source.monitors.size(), 1U);
    const Size first = source.monitors.back().size;
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
    ASSERT_TRUE(monitor_tap_resize_last(800, 600));
    ASSERT_EQ(source.monitors.size(), 2U);
    EXPECT_NE(first, (Size{800, 600}));
    EXPECT_EQ(source.monitors.back().size, (Size{800, 600}));
}

TEST_F(MonitorTest, AGuestThatIsToKeepItsMonitorIsToldNothing) {
    start({.edid = MonitorEdid::fixed});
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
    EXPECT_TRUE(source.monitors.empty());
}

TEST_F(MonitorTest, ANamedMonitorThatIsNotThereIsWaitedFor) {
    source.flip(patternBuffer({320, 200}, 1));
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .output = "HEADLESS-2"});
    EXPECT_EQ(logged("no monitor HEADLESS-2 is connected; waiting for it"), 1) << logText();
    ASSERT_STREQ(monitor_tap_plug(640, 480), "HEADLESS-2");
    ASSERT_TRUE(until([&] { return showsPattern(screens["HEADLESS-2"].argb, {320, 200}, 1); })) << logText();
}

} // namespace
} // namespace vgpuview

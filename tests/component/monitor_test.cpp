// SPDX-License-Identifier: MIT
// The monitor sink on wlroots' headless backend with its pixman renderer: pixels, modes, plugs, refusals.
#include "base/error.h"
#include "doubles/fake_source.h"
#include "doubles/picture.h"
#include "forward/forwarder.h"
#include "monitor/monitor_sink.h"
#include "monitor_tap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using doubles::FakeSource;
using doubles::makeMemoryBuffer;
using doubles::showsPattern;

constexpr std::uint32_t black = 0;

class RecordingLog final : public Log {
public:
    RecordingLog()
        : Log(LogLevel::info) {}

    [[nodiscard]] int count(std::string_view part) const {
        return static_cast<int>(std::count_if(lines_.begin(), lines_.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        }));
    }
    [[nodiscard]] std::string all() const {
        std::string text;
        for (const std::string& line : lines_)
            text += line + "\n";
        return text;
    }

protected:
    void write(LogLevel, std::string_view message) override { lines_.emplace_back(message); }

private:
    std::vector<std::string> lines_;
};

/// What a monitor showed last.
struct Screen {
    Size size;
    std::vector<std::uint32_t> argb;
    unsigned pictures = 0;

    [[nodiscard]] std::uint32_t at(std::uint32_t x, std::uint32_t y) const {
        return argb.at(std::size_t{y} * size.width + x) & 0xffffffU;
    }
    [[nodiscard]] std::size_t litPixels() const {
        return static_cast<std::size_t>(
            std::count_if(argb.begin(), argb.end(), [](std::uint32_t pixel) { return (pixel & 0xffffffU) != 0; }));
    }
};

void fill(const Buffer& buffer, auto&& colourOf) {
    const auto mapped = MappedBuffer::map(buffer, MapAccess::readWrite);
    ASSERT_TRUE(mapped);
    const Size size = buffer.layout().size;
    for (std::uint32_t y = 0; y < size.height; ++y)
        for (std::uint32_t x = 0; x < size.width; ++x) {
            const std::uint32_t colour = colourOf(x, y);
            std::memcpy(mapped->row(y).data() + std::size_t{x} * 4, &colour, 4);
        }
}

BufferRef patternBuffer(Size size, std::uint64_t number, BufferKind kind = BufferKind::dmaBuf) {
    BufferRef buffer = makeMemoryBuffer(size, kind);
    fill(*buffer, [&](std::uint32_t x, std::uint32_t y) { return patternPixel(number, x, y); });
    return buffer;
}

BufferRef plainBuffer(Size size, std::uint32_t colour, std::uint32_t fourcc = DRM_FORMAT_XRGB8888) {
    BufferRef buffer = makeMemoryBuffer(size, BufferKind::dmaBuf, fourcc);
    fill(*buffer, [&](std::uint32_t, std::uint32_t) { return colour; });
    return buffer;
}

class MonitorTest : public testing::Test {
protected:
    MonitorTest() {
        setOutputs(1);
        ::setenv("WLR_BACKENDS", "headless", 1);
        ::setenv("WLR_RENDERER", "pixman", 1);
        ::setenv("WLR_LIBINPUT_NO_DEVICES", "1", 1);
        tap.data = this;
        tap.picture = [](void* data, const char* output, const void* pixels, std::uint32_t fourcc, std::uint32_t width,
                         std::uint32_t height, std::size_t stride) {
            Screen& screen = static_cast<MonitorTest*>(data)->screens[output];
            screen.size = {width, height};
            screen.argb.resize(std::size_t{width} * height);
            ++screen.pictures;
            for (std::uint32_t y = 0; y < height; ++y)
                convertRow(fourcc, static_cast<const std::byte*>(pixels) + y * stride,
                           std::span(screen.argb).subspan(std::size_t{y} * width, width));
        };
        monitor_tap_use(&tap);
    }
    ~MonitorTest() override {
        monitor_tap_use(nullptr);
        if (sink)
            engine.removeSink(*sink);
        sink.reset();
        engine.setSource(nullptr);
    }

    static void setOutputs(unsigned count) { ::setenv("WLR_HEADLESS_OUTPUTS", std::to_string(count).c_str(), 1); }

    void start(MonitorOptions options = {.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}}) {
        sink = std::make_unique<MonitorSink>(loop, log, std::move(options));
        engine.setSource(&source);
        engine.addSink(*sink);
    }
    /// Runs the loop until it holds, for at most five seconds.
    bool until(auto&& condition) {
        const TimePoint end = loop.now() + 5s;
        while (!condition() && loop.now() < end)
            loop.iterate(20ms);
        return condition();
    }
    void runFor(Nanoseconds duration) {
        const TimePoint end = loop.now() + duration;
        while (loop.now() < end)
            loop.iterate(end - loop.now());
    }
    [[nodiscard]] std::uint64_t detail(std::string_view name) const {
        for (const auto& [key, value] : sink->report().details)
            if (key == name)
                return std::stoull(value);
        ADD_FAILURE() << "no " << name;
        return 0;
    }
    [[nodiscard]] Screen& screen() { return screens["HEADLESS-1"]; }

    monitor_tap tap{};
    std::map<std::string, Screen> screens;
    EventLoop loop;
    RecordingLog log;
    FakeSource source;
    Forwarder engine{loop, {}};
    std::unique_ptr<MonitorSink> sink;
};

TEST_F(MonitorTest, AGuestOfTheMonitorsSizeIsScannedOutAndNothingIsCopied) {
    source.flip(patternBuffer({320, 200}, 7));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << log.all();
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 7));
    const SinkReport report = sink->report();
    EXPECT_EQ(detail("composed"), 0U);
    EXPECT_EQ(report.bytesCopied, 0U);
    EXPECT_EQ(report.blits, 0U);
    EXPECT_EQ(report.imports, 1U);
    EXPECT_EQ(log.count("is scanned out"), 1) << log.all();
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
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; })) << log.all();
    source.flip(patternBuffer({320, 200}, 4));
    ASSERT_TRUE(until([&] { return detail("composed") >= 2; }));
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 4));
    EXPECT_EQ(detail("scanned_out"), 0U);
    EXPECT_EQ(detail("scan_out_refused"), 1U) << "the same format was tried again";
    EXPECT_EQ(log.count("the monitor refuses XR24 linear"), 1) << log.all();
}

TEST_F(MonitorTest, AGuestOfAnotherShapeGetsBlackBars) {
    source.flip(plainBuffer({100, 100}, 0x2040c0));
    start();
    ASSERT_TRUE(until([&] { return detail("composed") >= 1; }));
    EXPECT_EQ(screen().at(59, 100), black);
    EXPECT_EQ(screen().at(62, 100), 0x2040c0U);
    EXPECT_EQ(screen().at(160, 2), 0x2040c0U);
    EXPECT_EQ(screen().at(257, 197), 0x2040c0U);
    EXPECT_EQ(screen().at(260, 100), black);
    EXPECT_EQ(log.count("it is 100x100 and the monitor 320x200"), 1) << log.all();
}

TEST_F(MonitorTest, OriginalScaleShowsPixelForPixelInTheMiddle) {
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

TEST_F(MonitorTest, FailedCommitsAreTriedAgain) {
    tap.fail_commits = 5;
    source.flip(patternBuffer({320, 200}, 9));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << log.all();
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 9));
    EXPECT_EQ(detail("commit_failures"), 5U);
    EXPECT_EQ(log.count("did not take a picture"), 1) << log.all();
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
        ASSERT_TRUE(until([&] { return screen().pictures > before; })) << log.all();
    }
    ASSERT_TRUE(until([&] { return tap.fail_commits == 0 && showsPattern(screen().argb, {320, 200}, 1); }));
}

TEST_F(MonitorTest, ABufferThatCanNeitherBeImportedNorReadLeavesItBlackAndIsSaid) {
    tap.refuse_scan_out = true;
    const BufferRef buffer = patternBuffer({320, 200}, 1);
    ASSERT_EQ(::ftruncate(buffer->fd(), 0), 0);
    source.flip(buffer);
    start();
    ASSERT_TRUE(until([&] { return log.count("neither imported nor read") == 1; })) << log.all();
    EXPECT_EQ(screen().litPixels(), 0U);
    EXPECT_GE(sink->report().importFailures, 1U);
    source.flip(patternBuffer({320, 200}, 6));
    ASSERT_TRUE(until([&] { return showsPattern(screen().argb, {320, 200}, 6); })) << log.all();
}

TEST_F(MonitorTest, NoMonitorIsNoErrorItWaitsWithoutPollingUntilOneIsPluggedIn) {
    setOutputs(0);
    source.flip(patternBuffer({320, 200}, 3));
    start();
    runFor(100ms);
    EXPECT_EQ(source.polls, 0U);
    EXPECT_EQ(log.count("waiting for one"), 1) << log.all();
    ASSERT_TRUE(monitor_tap_plug(640, 480));
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; })) << log.all();
    EXPECT_TRUE(showsPattern(screen().argb, {320, 200}, 3));
}

TEST_F(MonitorTest, AnUnpluggedMonitorsPictureGoesOnOnTheNextOne) {
    source.flip(patternBuffer({320, 200}, 3));
    start();
    ASSERT_TRUE(until([&] { return detail("scanned_out") >= 1; }));
    ASSERT_TRUE(monitor_tap_unplug_last());
    EXPECT_EQ(sink->outputCount(), 0U);
    EXPECT_EQ(log.count("waiting for another one"), 1) << log.all();
    runFor(50ms);
    const unsigned polls = source.polls;
    runFor(100ms);
    EXPECT_EQ(source.polls, polls);
    const std::string name = monitor_tap_plug(640, 480);
    ASSERT_TRUE(until([&] { return screens[name].pictures > 0 && screens[name].litPixels() > 0; })) << log.all();
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
        })) << log.all();
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
    RecordingLog log;
    try {
        const MonitorSink sink(loop, log, {});
        FAIL() << "it started without a backend";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notSupported);
        EXPECT_STREQ(error.what(), "cannot start the monitor output: wlroots can't make a display backend");
        EXPECT_FALSE(error.hint().empty());
    }
}

} // namespace
} // namespace vgpuview

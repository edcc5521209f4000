// SPDX-License-Identifier: MIT
// The guest's monitor follows the window: when, of which size, and what the window makes of the answer.
#include "component/wayland/window_fixture.h"
#include "doubles/fake_scheduler.h"
#include "doubles/fake_sink.h"
#include "synthetic/test_source.h"
#include "wayland/resize_follower.h"

#include <gmock/gmock.h>
#include <wayland-client-protocol.h>

#include <algorithm>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t stateMaximized = 1;
constexpr std::uint32_t stateFullScreen = 2;
constexpr std::uint32_t stateResizing = 3;

struct MonitorDemand final : FrameDemand {
    void frameWanted(FrameSink&, TimePoint) override {}
    void frameNotWanted(FrameSink&) override {}
    void refreshWanted(FrameSink&) override {}
    void sinkClosed(FrameSink&) override {}
    void setGuestMonitor(FrameSink&, const GuestMonitor& monitor) override { monitors.push_back(monitor); }
    std::vector<GuestMonitor> monitors;
};

class ResizeFollowerTest : public testing::Test {
protected:
    void make(GuestResize mode = GuestResize::follow, std::optional<ModeRequest> asked = {}) {
        std::optional<GuestMonitor> monitor;
        if (asked)
            monitor = GuestMonitor{.size = asked->size, .refreshMilliHz = 75'000};
        follower.emplace(scheduler, sink, log, mode, asked);
        follower->attach(demand, monitor);
    }
    static GuestMonitor window(std::uint32_t width) { return {.size = {width, 600}, .refreshMilliHz = 75'000}; }

    doubles::FakeScheduler scheduler;
    doubles::FakeSink sink;
    doubles::RecordingLog log{LogLevel::info};
    MonitorDemand demand;
    std::optional<ResizeFollower> follower;
};

TEST_F(ResizeFollowerTest, ADragIsToldWhenItRests) {
    make();
    for (std::uint32_t width = 800; width < 900; width += 10) {
        follower->windowIs(window(width), {640, 480});
        scheduler.advance(100ms);
    }
    EXPECT_THAT(demand.monitors, IsEmpty());
    scheduler.advance(50ms);
    EXPECT_THAT(demand.monitors, ElementsAre(window(890)));
    follower->windowIs(window(890), {640, 480});
    scheduler.advance(10s);
    EXPECT_EQ(demand.monitors.size(), 1U) << "a guest that does not follow is not told again";
    EXPECT_FALSE(scheduler.nextTimer());
}

TEST_F(ResizeFollowerTest, AGuestThatHasTheSizeIsLeftAlone) {
    make();
    follower->windowIs(window(800), {800, 600});
    scheduler.advance(1s);
    EXPECT_THAT(demand.monitors, IsEmpty());
    follower->windowIs(window(800), {720, 400});
    scheduler.advance(1s);
    EXPECT_THAT(demand.monitors, ElementsAre(window(800))) << "it began anew, in another mode";
}

TEST_F(ResizeFollowerTest, TheRateThatWasAskedForStays) {
    make(GuestResize::follow, ModeRequest{.size = {1024, 768}, .refreshMilliHz = 50'000});
    ASSERT_EQ(demand.monitors.size(), 1U) << "at once";
    EXPECT_EQ(demand.monitors[0], (GuestMonitor{.size = {1024, 768}, .refreshMilliHz = 50'000}));
    follower->windowIs(window(800), {1024, 768});
    scheduler.advance(1s);
    ASSERT_EQ(demand.monitors.size(), 2U);
    EXPECT_EQ(demand.monitors[1].refreshMilliHz, 50'000U);
    follower->windowIs(window(800), {1024, 768});
    EXPECT_FALSE(scheduler.nextTimer());
}

TEST_F(ResizeFollowerTest, AFixedGuestIsToldOnlyWhatWasAskedFor) {
    make(GuestResize::fixed, ModeRequest{.size = {1024, 768}, .refreshMilliHz = {}});
    follower->windowIs(window(800), {1024, 768});
    scheduler.advance(1s);
    EXPECT_EQ(demand.monitors.size(), 1U);
}

// The window ---------------------------------------------------------------------------------------------------------

class WindowResizeTest : public WindowTest {
protected:
    bool told(std::size_t times) {
        return until([&] { return source.monitors.size() >= times; });
    }
    [[nodiscard]] std::vector<std::string> saidOfResolution() const {
        std::vector<std::string> lines;
        std::copy_if(log.lines.begin(), log.lines.end(), std::back_inserter(lines),
                     [](const std::string& line) { return line.find("keeps its resolution") != std::string::npos; });
        return lines;
    }
};

TEST_F(WindowResizeTest, TheMonitorIsInDevicePixelsWithTheScreensRateAndDensity) {
    source.flip(dmaBuf({640, 480}));
    open({.fractionalScale = 180, .outputPixels = {3840, 2160}, .outputMillimetres = {600, 340}});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    runFor(200ms);
    EXPECT_THAT(source.monitors, IsEmpty()) << "a size of the window's own choice is the guest's";
    compositor->configure({1281, 720}, {stateMaximized});
    ASSERT_TRUE(told(1));
    EXPECT_EQ(source.monitors[0],
              (GuestMonitor{.size = {1922, 1080}, .refreshMilliHz = 75'000, .millimetres = Size{300, 170}}));
}

TEST_F(WindowResizeTest, APanelThatIsTurnedHasItsSizeTurned) {
    source.flip(dmaBuf({640, 480}));
    open({.outputPixels = {1920, 1080}, .outputMillimetres = {480, 270}, .outputTransform = WL_OUTPUT_TRANSFORM_90});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->configure({1080, 1920}, {stateFullScreen});
    ASSERT_TRUE(told(1));
    EXPECT_EQ(source.monitors[0].millimetres, (Size{270, 480}));
}

TEST_F(WindowResizeTest, AMadeUpPanelSizeIsNotPassedOn) {
    source.flip(dmaBuf({640, 480}));
    open({.outputMillimetres = {16, 9}});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->configure({1920, 1080}, {stateFullScreen});
    ASSERT_TRUE(told(1));
    EXPECT_FALSE(source.monitors[0].millimetres);
}

TEST_F(WindowResizeTest, AVgpuWithoutEdidIsScaledAndThatIsSaidOnce) {
    source.about.monitorFixedBecause = "its driver takes no EDID";
    source.flip(dmaBuf({640, 480}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_THAT(saidOfResolution(), IsEmpty());
    for (const std::uint32_t width : {850U, 900U, 1000U}) {
        compositor->configure({width, 600}, {stateMaximized});
        ASSERT_TRUE(until([&] { return mainSurface().destination == Size{width, 600}; })) << "black bars and all";
        runFor(200ms);
        source.flip(dmaBuf({640, 480}));
        ASSERT_TRUE(until([&] { return source.polls > 0 && videoSurface().mapped; }));
    }
    ASSERT_TRUE(until([&] { return !saidOfResolution().empty(); }));
    EXPECT_THAT(saidOfResolution(),
                ElementsAre("the guest keeps its resolution and is scaled: its driver takes no EDID"));
}

TEST_F(WindowResizeTest, AFixedGuestIsNeverTold) {
    source.flip(dmaBuf({640, 480}));
    open({}, {.resize = GuestResize::fixed});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->configure({1000, 700}, {stateMaximized});
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{1000, 700}; }));
    runFor(300ms);
    EXPECT_THAT(source.monitors, IsEmpty());
}

TEST_F(WindowResizeTest, WindowAndGuestStartInTheSizeThatWasAskedFor) {
    source.flip(dmaBuf({640, 480}));
    open({.fractionalScale = 240}, {.size = ModeRequest{.size = {1600, 1200}, .refreshMilliHz = 60'000}});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{800, 600}; })) << "logical pixels";
    ASSERT_EQ(source.monitors.size(), 1U);
    EXPECT_EQ(source.monitors[0], (GuestMonitor{.size = {1600, 1200}, .refreshMilliHz = 60'000}));
}

// With a guest that follows.
class WindowGuestTest : public WindowResizeTest {
protected:
    ~WindowGuestTest() override { engine.setSource(nullptr); }
    void startGuest(const std::string& options) {
        guest.emplace(parseTestOptions(options), loop, log);
        engine.setSource(&*guest);
        engine.addSink(*window);
    }
    /// The guest's picture has that size and fills a window of that size, pixel by pixel.
    bool fills(Size size) {
        return until([&] {
            const SurfaceState main = mainSurface();
            return main.buffer == size && main.destination == size && !videoSurface().mapped;
        });
    }
    std::optional<TestSource> guest;
};

TEST_F(WindowGuestTest, TheGuestFillsWhateverSizeTheWindowIsGiven) {
    open();
    startGuest("640x480,cursor=off,memory=memfd,clock=poll");
    ASSERT_TRUE(fills({640, 480}));
    compositor->configure({700, 501}, {stateResizing});
    ASSERT_TRUE(fills({700, 501}));
    compositor->configure({1920, 1080}, {stateFullScreen});
    ASSERT_TRUE(fills({1920, 1080}));
    compositor->configure({640, 480});
    ASSERT_TRUE(fills({640, 480})) << "back in the size it had, and the guest with it";
    compositor->configure({1920, 1080}, {stateFullScreen});
    ASSERT_TRUE(fills({1920, 1080}));
    compositor->configure({});
    ASSERT_TRUE(fills({640, 480})) << "of the window's own choice";
    EXPECT_THAT(saidOfResolution(), IsEmpty());
}

TEST_F(WindowGuestTest, TheGuestComesUpInTheSizeThatWasAskedFor) {
    open({}, {.size = ModeRequest{.size = {800, 601}, .refreshMilliHz = {}}});
    startGuest("640x480,cursor=off,memory=memfd,clock=poll");
    ASSERT_TRUE(fills({800, 601}));
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The engine's pacing and bookkeeping, on a clock of the test's own.
#include "doubles/fake_scheduler.h"
#include "doubles/fake_sink.h"
#include "doubles/fake_source.h"
#include "forward/forwarder.h"

#include <gtest/gtest.h>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using doubles::FakeScheduler;
using doubles::FakeSink;
using doubles::FakeSource;
using doubles::makeMemoryBuffer;

class ForwarderTest : public testing::Test {
protected:
    ForwarderTest() {
        source.flip(first);
        engine.setSource(&source);
        engine.addSink(sink);
    }
    ~ForwarderTest() override {
        engine.removeSink(sink);
        engine.setSource(nullptr);
    }

    FakeScheduler scheduler;
    BufferRef first = makeMemoryBuffer({64, 64});
    BufferRef second = makeMemoryBuffer({64, 64});
    FakeSource source;
    FakeSink sink;
    unsigned ended = 0;
    std::vector<FrameSink*> closed;
    Forwarder engine{
        scheduler,
        {.sourceEnded = [this] { ++ended; }, .sinkClosed = [this](FrameSink& which) { closed.push_back(&which); }}};
};

TEST_F(ForwarderTest, NothingIsPolledAndNoTimerRunsWhileNoSinkWantsAFrame) {
    scheduler.advance(10s);
    EXPECT_EQ(source.polls, 0U);
    EXPECT_EQ(scheduler.fired(), 0U);
    EXPECT_FALSE(scheduler.nextTimer());
}

TEST_F(ForwarderTest, AWantedFrameIsShownAtOnceAndWhole) {
    sink.want(scheduler.now());
    ASSERT_EQ(sink.shown.size(), 1U);
    EXPECT_EQ(sink.shown[0].buffer, first->id());
    EXPECT_EQ(sink.shown[0].damage.bounds(), (Rect{{0, 0}, {64, 64}}));
    EXPECT_FALSE(scheduler.nextTimer()) << "a sink that was served is not polled for until it asks again";
}

TEST_F(ForwarderTest, AnUnchangedSourceIsPolledOncePerRefreshAndNotShown) {
    sink.want(scheduler.now());
    sink.want(scheduler.now());
    scheduler.advance(160ms);
    EXPECT_EQ(sink.shown.size(), 1U);
    EXPECT_EQ(source.polls, 12U);
    source.flip(second);
    scheduler.advance(16ms);
    ASSERT_EQ(sink.shown.size(), 2U);
    EXPECT_EQ(sink.shown[1].buffer, second->id());
}

TEST_F(ForwarderTest, APossibleChangeIsShownUnlessTheGuestFlipsItsPictures) {
    sink.want(scheduler.now());
    scheduler.advance(300ms);
    sink.want(scheduler.now());
    source.next = {.primary = PrimaryChange::possible, .damage = Damage::all({64, 64})};
    scheduler.advance(16ms);
    EXPECT_EQ(sink.shown.size(), 2U) << "drawn in place, long after the last flip";

    source.flip(second);
    sink.want(scheduler.now());
    ASSERT_EQ(sink.shown.size(), 3U);
    sink.want(scheduler.now());
    source.next = {.primary = PrimaryChange::possible, .damage = Damage::all({64, 64})};
    scheduler.advance(32ms);
    EXPECT_EQ(sink.shown.size(), 3U) << "right after a flip an unchanged buffer is an unchanged picture";
}

TEST_F(ForwarderTest, NotBeforeIsObeyed) {
    sink.want(scheduler.now() + 5ms);
    EXPECT_EQ(source.polls, 0U);
    scheduler.advance(4ms);
    EXPECT_EQ(source.polls, 0U);
    scheduler.advance(1ms);
    EXPECT_EQ(sink.shown.size(), 1U);
}

TEST_F(ForwarderTest, ASinkMayAskForTheNextFrameFromWithinShow) {
    sink.onShow = [&] { sink.want(scheduler.now()); };
    sink.want(scheduler.now());
    EXPECT_EQ(sink.shown.size(), 1U);
    source.flip(second);
    scheduler.advance(1ms);
    EXPECT_EQ(sink.shown.size(), 2U);
}

TEST_F(ForwarderTest, AHiddenSinkStopsThePolling) {
    sink.want(scheduler.now());
    sink.want(scheduler.now());
    engine.frameNotWanted(sink);
    const unsigned polls = source.polls;
    scheduler.advance(1s);
    EXPECT_EQ(source.polls, polls);
}

TEST_F(ForwarderTest, DamageAddsUpForASinkThatSkippedAFrame) {
    FakeSink slow;
    engine.addSink(slow);
    slow.want(scheduler.now());
    sink.want(scheduler.now());
    for (const std::int32_t y : {3, 40}) {
        source.next = {.primary = PrimaryChange::certain, .damage = {}};
        source.next.damage.add({{0, y}, {64, 1}});
        sink.want(scheduler.now());
    }
    source.next = {};
    slow.want(scheduler.now());
    ASSERT_EQ(sink.shown.size(), 3U);
    ASSERT_EQ(slow.shown.size(), 2U);
    EXPECT_EQ(sink.shown[2].damage.bounds(), (Rect{{0, 40}, {64, 1}}));
    EXPECT_EQ(slow.shown[1].damage.bounds(), (Rect{{0, 3}, {64, 38}}));
    EXPECT_EQ(slow.shown[1].damage.rects().size(), 2U);
    engine.removeSink(slow);
}

TEST_F(ForwarderTest, DamageIsThePicturesWhicheverBufferItIsIn) {
    sink.want(scheduler.now());
    source.flip(second);
    source.next.damage.clear();
    source.next.damage.add({{0, 7}, {64, 1}});
    sink.want(scheduler.now());
    source.flip(first);
    source.next.damage.clear();
    sink.want(scheduler.now());
    source.flip(doubles::makeMemoryBuffer({32, 16}));
    source.next.damage.clear();
    source.next.damage.add({{0, 1}, {32, 1}});
    sink.want(scheduler.now());
    ASSERT_EQ(sink.shown.size(), 4U);
    EXPECT_EQ(sink.shown[1].damage.bounds(), (Rect{{0, 7}, {64, 1}}));
    EXPECT_EQ(sink.shown[2].damage.bounds().size, (Size{64, 64})) << "the source could not tell";
    EXPECT_EQ(sink.shown[3].damage.bounds().size, (Size{32, 16})) << "the first picture of its size";
}

TEST_F(ForwarderTest, AMovedCursorIsShownWithoutAPrimaryChange) {
    sink.want(scheduler.now());
    sink.want(scheduler.now());
    source.current.cursor = Plane{.buffer = second, .position = {4, 5}, .hotSpot = {}};
    scheduler.advance(16ms);
    ASSERT_EQ(sink.shown.size(), 2U);
    EXPECT_FALSE(sink.shown[1].primaryChanged);
    EXPECT_TRUE(sink.shown[1].cursorChanged);
}

TEST_F(ForwarderTest, ARefreshShowsAnUnchangedFrameWhole) {
    sink.want(scheduler.now());
    engine.refreshWanted(sink);
    sink.want(scheduler.now());
    ASSERT_EQ(sink.shown.size(), 2U);
    EXPECT_EQ(sink.shown[1].damage.bounds().size, (Size{64, 64}));
}

TEST_F(ForwarderTest, ABlankedGuestIsShownAsNoPicture) {
    sink.want(scheduler.now());
    source.blank();
    sink.want(scheduler.now());
    ASSERT_EQ(sink.shown.size(), 2U);
    EXPECT_EQ(sink.shown[1].buffer, 0U);
}

TEST_F(ForwarderTest, TheEndOfTheSourceReachesSinksFirstAndItsOwnerFromTheLoop) {
    sink.want(scheduler.now());
    source.next.status = PollStatus::ended;
    sink.want(scheduler.now());
    EXPECT_EQ(sink.gone, 1U);
    EXPECT_EQ(ended, 0U);
    scheduler.settle();
    EXPECT_EQ(ended, 1U);
    EXPECT_EQ(source.observer(), nullptr);
    const unsigned polls = source.polls;
    sink.want(scheduler.now());
    scheduler.advance(1s);
    EXPECT_EQ(source.polls, polls) << "an ended source is polled no more";
}

TEST_F(ForwarderTest, ANewSourceIsShownToASinkThatWaited) {
    sink.want(scheduler.now());
    engine.setSource(nullptr);
    EXPECT_EQ(sink.gone, 1U);
    sink.want(scheduler.now());
    FakeSource other;
    other.flip(second);
    engine.setSource(&other);
    scheduler.settle();
    ASSERT_EQ(sink.shown.size(), 2U);
    EXPECT_EQ(sink.shown[1].buffer, second->id());
    engine.setSource(nullptr);
}

TEST_F(ForwarderTest, TheFirstSinkThatAsksDecidesOnTheMonitor) {
    FakeSink other;
    engine.addSink(other);
    const GuestMonitor wide{.size = {2560, 1080}};
    engine.setGuestMonitor(sink, wide);
    engine.setGuestMonitor(sink, wide);
    engine.setGuestMonitor(other, {.size = {640, 480}});
    EXPECT_EQ(source.monitors, std::vector<GuestMonitor>{wide}) << "once, and nobody else's";
    engine.removeSink(sink);
    const GuestMonitor small{.size = {640, 480}};
    engine.setGuestMonitor(other, small);
    EXPECT_EQ(source.monitors, (std::vector<GuestMonitor>{wide, small}));
    engine.removeSink(other);
}

TEST_F(ForwarderTest, ANewSourceIsToldTheMonitor) {
    engine.setSource(nullptr);
    engine.setGuestMonitor(sink, {.size = {800, 600}});
    engine.setGuestMonitor(sink, {.size = {}});
    engine.setSource(&source);
    EXPECT_EQ(source.monitors, (std::vector<GuestMonitor>{{.size = {800, 600}}}));
}

TEST_F(ForwarderTest, RetiredBuffersAreForgottenByEverySink) {
    source.observer()->bufferRetired(*first);
    EXPECT_EQ(sink.forgotten, std::vector<BufferId>{first->id()});
}

TEST_F(ForwarderTest, AClosedSinkIsAnnouncedFromTheLoop) {
    engine.sinkClosed(sink);
    EXPECT_TRUE(closed.empty());
    scheduler.settle();
    EXPECT_EQ(closed, std::vector<FrameSink*>{&sink});
}

TEST_F(ForwarderTest, CountsPollsAndGuestFrames) {
    sink.want(scheduler.now());
    sink.want(scheduler.now());
    scheduler.advance(32ms);
    EXPECT_EQ(engine.counters().polls, source.polls);
    EXPECT_EQ(engine.counters().guestFrames, 1U);
    EXPECT_EQ(engine.counters().pollDuration.count(), source.polls);
}

} // namespace
} // namespace vgpuview

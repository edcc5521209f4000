// SPDX-License-Identifier: MIT
// When the window asks for frames, on a clock of the test's own.
#include "doubles/fake_scheduler.h"
#include "doubles/fake_sink.h"
#include "wayland/pacing.h"

#include <gtest/gtest.h>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;

struct RecordingDemand final : FrameDemand {
    void frameWanted(FrameSink&, TimePoint) override { ++wanted; }
    void frameNotWanted(FrameSink&) override { ++notWanted; }
    void refreshWanted(FrameSink&) override {}
    void sinkClosed(FrameSink&) override {}
    void setGuestMonitor(FrameSink&, const GuestMonitor&) override {}
    unsigned wanted = 0;
    unsigned notWanted = 0;
};

class PacingTest : public testing::Test {
protected:
    void make(Visibility visibility) {
        pacing.emplace(scheduler, sink, visibility, [this] {
            ++probes;
            pacing->callbackRequested();
        });
        pacing->attach(demand);
        pacing->start();
    }
    /// One frame: shown, committed, seen.
    void frame() {
        pacing->shown();
        pacing->callbackRequested();
        scheduler.advance(16ms);
        pacing->callbackDone();
    }

    doubles::FakeScheduler scheduler;
    doubles::FakeSink sink;
    RecordingDemand demand;
    unsigned probes = 0;
    std::optional<Pacing> pacing;
};

TEST_F(PacingTest, AsksOncePerCallback) {
    make(Visibility::guessed);
    EXPECT_EQ(demand.wanted, 1U);
    for (unsigned i = 0; i < 60; ++i)
        frame();
    EXPECT_EQ(demand.wanted, 61U);
    EXPECT_EQ(demand.notWanted, 0U);
    EXPECT_LE(scheduler.fired(), 3U) << "hardly any wake-ups of its own";
}

TEST_F(PacingTest, WithoutCallbacksAGuessedWindowIsHiddenAndNothingWakes) {
    make(Visibility::guessed);
    frame();
    pacing->shown();
    pacing->callbackRequested();
    scheduler.advance(2s);
    EXPECT_TRUE(pacing->hidden());
    const unsigned wanted = demand.wanted;
    const unsigned fired = scheduler.fired();
    scheduler.advance(60s);
    EXPECT_EQ(demand.wanted, wanted);
    EXPECT_EQ(scheduler.fired(), fired);
    pacing->callbackDone();
    EXPECT_FALSE(pacing->hidden());
    EXPECT_EQ(demand.wanted, wanted + 1);
}

TEST_F(PacingTest, AStillGuestIsProbedForOnceASecond) {
    make(Visibility::guessed);
    frame();
    for (unsigned i = 0; i < 10; ++i) {
        scheduler.advance(1s);
        if (pacing->callbackOutstanding())
            pacing->callbackDone();
    }
    EXPECT_GE(probes, 8U);
    EXPECT_LE(probes, 11U);
    EXPECT_EQ(demand.notWanted, 0U);
}

TEST_F(PacingTest, AVisibleWindowThatGetsNoCallbacksGoesOnByTimerWhereTheCompositorTells) {
    make(Visibility::told);
    frame();
    pacing->shown();
    pacing->callbackRequested();
    const unsigned wanted = demand.wanted;
    for (unsigned i = 0; i < 20; ++i) {
        scheduler.advance(100ms);
        pacing->shown();
    }
    EXPECT_GE(demand.wanted, wanted + 10);
    pacing->suspended(true);
    const unsigned stopped = demand.wanted;
    const unsigned fired = scheduler.fired();
    scheduler.advance(60s);
    EXPECT_EQ(demand.wanted, stopped);
    EXPECT_EQ(scheduler.fired(), fired) << "no wake-up while suspended";
    pacing->suspended(false);
    EXPECT_EQ(demand.wanted, stopped + 1);
}

TEST_F(PacingTest, ACallbackThatWasLostWhileSuspendedIsNotWaitedForForEver) {
    make(Visibility::told);
    pacing->shown();
    pacing->callbackRequested();
    pacing->suspended(true);
    scheduler.advance(10s);
    pacing->suspended(false);
    pacing->shown();
    const unsigned wanted = demand.wanted;
    scheduler.advance(1s);
    EXPECT_GT(demand.wanted, wanted);
}

TEST_F(PacingTest, AnImportThatHangsDoesNotEndThePolling) {
    make(Visibility::guessed);
    pacing->shown();
    pacing->waitingForImport();
    const unsigned wanted = demand.wanted;
    scheduler.advance(2s);
    EXPECT_GT(demand.wanted, wanted);
}

} // namespace
} // namespace vgpuview

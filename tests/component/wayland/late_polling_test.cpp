// SPDX-License-Identifier: MIT
// The deadline is learned from feedback alone, kept, and given up when it can't be known.
#include "component/wayland/window_fixture.h"
#include "wayland/late_polling.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;
using testing::HasSubstr;

/// A compositor and a client on a clock of their own.
struct Simulation {
    Nanoseconds interval = 16'666'667ns;
    Nanoseconds takenBefore = 2ms;    ///< a refresh shows what was committed that long before it
    Nanoseconds callbackAfter = 50us; ///< the frame callback comes that long after a frame was taken
    Nanoseconds jitter{0};            ///< of callbacks and commits, at most
    Nanoseconds toldInterval = interval;

    struct Outcome {
        unsigned frames = 0;
        unsigned refreshes = 0;
        unsigned late = 0;  ///< not shown at the first refresh after the poll that could be met
        Nanoseconds age{0}; ///< from poll to light, on average
    };

    /// Runs for so many refreshes with a guest that has a new picture at any time.
    Outcome run(LatePolling& polling, unsigned refreshes) {
        Outcome outcome{.refreshes = refreshes};
        Nanoseconds age{0};
        const TimePoint end = now + refreshes * interval;
        while (now < end) {
            now = std::max(now, polling.next(now)) + noise();
            if (wakesLateEvery != 0 && ++count % wakesLateEvery == 0)
                now += 5ms;
            polling.committed(now);
            // Refreshes lie on multiples of the interval.
            const TimePoint shown = refreshAtOrAfter(now + takenBefore);
            const TimePoint taken = shown - takenBefore;
            ++outcome.frames;
            age += shown - now;
            const TimePoint commit = now;
            now = taken + callbackAfter + noise();
            feedback.push_back({commit, shown});
            while (!feedback.empty() && feedback.front().shown <= now) {
                polling.presented(feedback.front().commit, feedback.front().shown, toldInterval);
                feedback.pop_front();
            }
        }
        outcome.age = age / outcome.frames;
        return outcome;
    }

    struct Shown {
        TimePoint commit;
        TimePoint shown;
    };

    [[nodiscard]] TimePoint refreshAtOrAfter(TimePoint time) const {
        return TimePoint((time.time_since_epoch() + interval - 1ns) / interval * interval);
    }
    Nanoseconds noise() {
        if (jitter == Nanoseconds(0))
            return {};
        return Nanoseconds(std::uniform_int_distribution<std::int64_t>(0, jitter.count())(random));
    }

    TimePoint now{1h};
    unsigned wakesLateEvery = 0; ///< of so many frames one is committed by 5 ms too late; 0: none
    unsigned count = 0;
    std::deque<Shown> feedback = {};
    std::mt19937_64 random{7};
};

TEST(LatePolling, PollsAtOnceUntilItKnows) {
    const LatePolling polling;
    const TimePoint now{1h};
    EXPECT_EQ(polling.next(now), now);
    EXPECT_EQ(polling.nextAfter(now, 16ms), now + 16ms);
    EXPECT_FALSE(polling.lead(now));
}

struct Kind {
    const char* name;
    Nanoseconds interval;
    Nanoseconds takenBefore;
    Nanoseconds callbackAfter;
    Nanoseconds jitter;
};
void PrintTo(const Kind& kind, std::ostream* to) {
    *to << kind.name;
}

class LatePollingOn : public testing::TestWithParam<Kind> {};

TEST_P(LatePollingOn, FindsTheDeadlineAndKeepsTheFrameRate) {
    Simulation simulation{.interval = GetParam().interval,
                          .takenBefore = GetParam().takenBefore,
                          .callbackAfter = GetParam().callbackAfter,
                          .jitter = GetParam().jitter,
                          .toldInterval = GetParam().interval};
    LatePolling polling;
    const Simulation::Outcome learning = simulation.run(polling, 600);
    EXPECT_GE(learning.frames, learning.refreshes * 95 / 100);
    const Simulation::Outcome learned = simulation.run(polling, 6000);
    EXPECT_GE(learned.frames, learned.refreshes * 98 / 100) << "hardly any refresh goes without a new frame";
    const Nanoseconds guard = std::max<Nanoseconds>(GetParam().interval / 16, 300us);
    EXPECT_LE(learned.age, GetParam().takenBefore + GetParam().jitter + 3 * guard);
    ASSERT_TRUE(polling.lead(simulation.now));
    EXPECT_GE(*polling.lead(simulation.now), GetParam().takenBefore - guard);
}

INSTANTIATE_TEST_SUITE_P(Compositors, LatePollingOn,
                         testing::Values(Kind{"ShortDeadline", 16'666'667ns, 1ms, 50us, 0ns},
                                         Kind{"WithJitter", 16'666'667ns, 2ms, 50us, 400us},
                                         Kind{"SevenMilliseconds", 16'666'667ns, 7ms, 100us, 200us},
                                         Kind{"CallbackAtTheRefresh", 16'666'667ns, 3ms, 3ms, 200us},
                                         Kind{"WholeRefreshAhead", 16'666'667ns, 17ms, 50us, 100us},
                                         Kind{"FastScreen", 4'166'667ns, 1ms, 50us, 100us},
                                         Kind{"SlowScreen", 41'666'667ns, 5ms, 50us, 500us}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(LatePolling, ACompositorThatTakesFramesEarlierIsFollowed) {
    Simulation simulation{.takenBefore = 1ms};
    LatePolling polling;
    simulation.run(polling, 600);
    simulation.takenBefore = 6ms;
    simulation.run(polling, 600);
    const Simulation::Outcome after = simulation.run(polling, 600);
    EXPECT_GE(after.frames, 590U);
    EXPECT_LE(after.age, 7500us);
}

TEST(LatePolling, AHiccupIsForgotten) {
    Simulation simulation{.takenBefore = 1ms};
    LatePolling polling;
    simulation.run(polling, 600);
    simulation.takenBefore = 9ms;
    simulation.run(polling, 2);
    simulation.takenBefore = 1ms;
    simulation.run(polling, 6000);
    EXPECT_LE(simulation.run(polling, 600).age, 3ms);
}

TEST(LatePolling, ABusyMachineStillFindsTheDeadline) {
    Simulation simulation{.interval = 24ms, .takenBefore = 4ms, .jitter = 1ms, .toldInterval = 24ms};
    simulation.wakesLateEvery = 13;
    LatePolling polling;
    simulation.run(polling, 400);
    EXPECT_LE(simulation.run(polling, 1000).age, 12ms);
}

TEST(LatePolling, ARefreshThatVariesIsPolledAtOnce) {
    Simulation simulation{.toldInterval = 0ns};
    LatePolling polling;
    const Simulation::Outcome outcome = simulation.run(polling, 600);
    EXPECT_FALSE(polling.lead(simulation.now));
    EXPECT_EQ(polling.next(simulation.now), simulation.now);
    EXPECT_GE(outcome.age, simulation.interval * 9 / 10) << "a whole refresh old";
}

TEST(LatePolling, AnotherRateIsLearnedAnew) {
    Simulation simulation;
    LatePolling polling;
    simulation.run(polling, 600);
    simulation.interval = simulation.toldInterval = 6'944'444ns;
    simulation.run(polling, 600);
    EXPECT_LE(simulation.run(polling, 600).age, 3ms);
}

TEST(LatePolling, AfterASilenceNothingIsKnown) {
    Simulation simulation;
    LatePolling polling;
    simulation.run(polling, 600);
    const TimePoint later = simulation.now + 2s;
    EXPECT_FALSE(polling.lead(later));
    EXPECT_EQ(polling.next(later), later);
}

TEST(LatePolling, AGuestWithNothingNewIsAskedOncePerRefreshInPhase) {
    Simulation simulation{.takenBefore = 2ms};
    LatePolling polling;
    simulation.run(polling, 1200);
    TimePoint poll = polling.next(simulation.now);
    for (unsigned i = 0; i < 20; ++i) {
        // Each poll is a little late, as timers are.
        const TimePoint again = polling.nextAfter(poll + 150us, simulation.interval);
        EXPECT_NEAR(static_cast<double>((again - poll).count()), static_cast<double>(simulation.interval.count()), 1000)
            << "the lateness does not add up";
        poll = again;
    }
}

TEST(LatePolling, NonsenseFromTheCompositorDoesNoHarm) {
    LatePolling polling;
    const TimePoint now{1h};
    const std::vector<Nanoseconds> values{0ns, 1ns, -1ns, 1h, -1h, 16'666'667ns, 4'294'967'295ns};
    for (unsigned round = 0; round < 3; ++round)
        for (const Nanoseconds refresh : values)
            for (const Nanoseconds shown : values)
                for (const Nanoseconds commit : values) {
                    polling.committed(now + commit);
                    polling.presented(now + commit, now + shown, refresh);
                    const TimePoint next = polling.next(now + shown);
                    EXPECT_GE(next, now + shown);
                    EXPECT_LE(next, now + shown + 2h);
                    EXPECT_GT(polling.nextAfter(now + shown, 16ms), now + shown);
                }
}

// The window ---------------------------------------------------------------------------------------------------------

/// A new picture with each poll, in one of two buffers.
class EverNewSource {
public:
    explicit EverNewSource(doubles::FakeSource& source)
        : source_(source) {}
    void step() {
        source_.flip(buffers_[++count_ % 2]);
        source_.current.queriedAt = MonotonicClock().now();
    }

private:
    doubles::FakeSource& source_;
    std::vector<BufferRef> buffers_{doubles::makeMemoryBuffer({64, 64}, BufferKind::dmaBuf),
                                    doubles::makeMemoryBuffer({64, 64}, BufferKind::dmaBuf)};
    unsigned count_ = 0;
};

class WindowLatencyTest : public WindowTest {
protected:
    void showFrames(Latency latency, ScriptedRefresh refresh, clockid_t clock = CLOCK_MONOTONIC) {
        source.everyPoll = [this] { pictures.step(); };
        open({.presentationClock = clock, .refresh = refresh}, {.latency = latency});
        start();
    }
    /// Half of the frames so far were no older than this on the screen; nothing before there are a few.
    [[nodiscard]] Nanoseconds median() const {
        const SinkReport report = window->report();
        return report.latency.count() < 60 ? Nanoseconds::max() : report.latency.percentiles()->p50;
    }
    bool comesBelow(Nanoseconds age) {
        // A test machine with other things to do wakes up late; then it takes longer to learn.
        for (unsigned tries = 0; tries < 8; ++tries)
            if (until([&] { return median() < age; }))
                return true;
        return false;
    }
    bool staysAbove(Nanoseconds age) {
        return until([&] { return median() != Nanoseconds::max(); }) && median() > age;
    }
    [[nodiscard]] std::string detail(const std::string& name) const {
        for (const auto& [key, value] : window->report().details)
            if (key == name)
                return value;
        return {};
    }
    EverNewSource pictures{source};
};

// Slow, so that a loaded test machine is still fast beside it.
constexpr Nanoseconds interval = 24ms;

TEST_F(WindowLatencyTest, NormallyAFrameIsARefreshOldWhenItIsTaken) {
    showFrames(Latency::normal, {.interval = interval, .takenBefore = 4ms});
    EXPECT_TRUE(staysAbove(interval * 3 / 4));
    EXPECT_EQ(detail("latency_mode"), "normal");
    EXPECT_EQ(detail("poll_lead_us"), "");
}

TEST_F(WindowLatencyTest, LowLatencyShowsFramesYoungerThanHalfARefresh) {
    showFrames(Latency::low, {.interval = interval, .takenBefore = 4ms});
    EXPECT_TRUE(comesBelow(interval / 2));
    EXPECT_EQ(detail("latency_mode"), "low");
    EXPECT_NE(detail("poll_lead_us"), "");
}

TEST_F(WindowLatencyTest, TheCompositorsOwnClockIsObeyed) {
    showFrames(Latency::low, {.interval = interval, .takenBefore = 4ms}, CLOCK_REALTIME);
    EXPECT_TRUE(comesBelow(interval / 2));
}

TEST_F(WindowLatencyTest, AVaryingRefreshIsPolledAtOnce) {
    showFrames(Latency::low, {.interval = interval, .takenBefore = 4ms, .told = ScriptedRefresh::Told::varying});
    EXPECT_TRUE(staysAbove(interval * 3 / 4));
    EXPECT_EQ(detail("poll_lead_us"), "");
}

} // namespace
} // namespace vgpuview

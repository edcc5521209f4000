// SPDX-License-Identifier: MIT
// Descriptors, timers, signals and failures in a real loop.
#include "base/error.h"
#include "base/unique_fd.h"
#include "loop/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <stdexcept>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;

struct Pipe {
    Pipe() {
        std::array<int, 2> fds{};
        if (::pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK) == 0) {
            reader = UniqueFd(fds[0]);
            writer = UniqueFd(fds[1]);
        }
    }
    void write() { ASSERT_EQ(::write(writer.get(), "x", 1), 1); }
    UniqueFd reader;
    UniqueFd writer;
};

TEST(EventLoop, HandsReadyDescriptorsToTheirHandlers) {
    EventLoop loop;
    Pipe pipe;
    std::uint32_t seen = 0;
    const Watch watch = loop.watchFd(pipe.reader.get(), EPOLLIN, [&](std::uint32_t events) {
        seen = events;
        loop.quit();
    });
    pipe.write();
    loop.run();
    EXPECT_EQ(seen, static_cast<std::uint32_t>(EPOLLIN));
}

TEST(EventLoop, ADroppedWatchIsSilent) {
    EventLoop loop;
    Pipe pipe;
    int calls = 0;
    Watch watch = loop.watchFd(pipe.reader.get(), EPOLLIN, [&](std::uint32_t) { ++calls; });
    pipe.write();
    loop.iterate(0ms);
    watch = {};
    loop.iterate(0ms);
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AHandlerMayDropItsOwnWatch) {
    EventLoop loop;
    Pipe pipe;
    std::optional<Watch> watch;
    std::string big(200, 'x');
    std::string after;
    watch = loop.watchFd(pipe.reader.get(), EPOLLIN, [&, big](std::uint32_t) {
        watch.reset();
        after = big; // the captured copy is still alive
    });
    pipe.write();
    loop.iterate(0ms);
    EXPECT_EQ(after, big);
    EXPECT_FALSE(loop.iterate(0ms));
}

TEST(EventLoop, TimersFireOnceNotBeforeTheirTimeAndNeverInsideArm) {
    EventLoop loop;
    int fired = 0;
    TimePoint firedAt;
    const auto timer = loop.makeTimer([&] {
        ++fired;
        firedAt = loop.now();
        loop.quit();
    });
    const TimePoint when = loop.now() + 5ms;
    timer->arm(when);
    loop.run();
    EXPECT_GE(firedAt, when);
    EXPECT_EQ(fired, 1);
    EXPECT_FALSE(loop.iterate(10ms));
    timer->arm(loop.now() - 1s);
    EXPECT_EQ(fired, 1);
    loop.run();
    EXPECT_EQ(fired, 2);
}

TEST(EventLoop, ADisarmedTimerDoesNotFire) {
    EventLoop loop;
    int fired = 0;
    const auto timer = loop.makeTimer([&] { ++fired; });
    timer->arm(loop.now() + 1ms);
    timer->disarm();
    EXPECT_FALSE(loop.iterate(5ms));
    EXPECT_EQ(fired, 0);
}

TEST(EventLoop, ATimerMayBeArmedAgainByItsHandler) {
    EventLoop loop;
    int fired = 0;
    std::unique_ptr<Timer> timer;
    timer = loop.makeTimer([&] {
        if (++fired == 3)
            loop.quit();
        else
            timer->arm(loop.now());
    });
    timer->arm(loop.now());
    loop.run();
    EXPECT_EQ(fired, 3);
}

TEST(EventLoop, WhatAHandlerThrowsLeavesRun) {
    EventLoop loop;
    const Watch watch = loop.nextTurn([] { throw std::runtime_error("boom"); });
    EXPECT_THROW(loop.run(), std::runtime_error);
}

TEST(EventLoop, AFailureFromACallbackLeavesRunAndTheFirstOneWins) {
    EventLoop loop;
    const Watch watch = loop.nextTurn([&] {
        loop.fail(std::make_exception_ptr(std::logic_error("first")));
        loop.fail(std::make_exception_ptr(std::runtime_error("second")));
    });
    EXPECT_THROW(loop.run(), std::logic_error);
}

TEST(EventLoop, HandsSignalsToTheirHandlers) {
    EventLoop loop;
    int seen = 0;
    const Watch watch = loop.watchSignal(SIGUSR1, [&] {
        ++seen;
        loop.quit();
    });
    ::raise(SIGUSR1);
    EXPECT_EQ(seen, 0);
    loop.run();
    EXPECT_EQ(seen, 1);
}

TEST(EventLoop, BeforeSleepRunsInEachTurn) {
    EventLoop loop;
    int turns = 0;
    const Watch watch = loop.beforeSleep([&] { ++turns; });
    loop.iterate(0ms);
    loop.iterate(0ms);
    EXPECT_EQ(turns, 2);
}

TEST(EventLoop, RefusesADescriptorThatCannotBeWatched) {
    EventLoop loop;
    EXPECT_THROW((void)loop.watchFd(-1, EPOLLIN, [](std::uint32_t) {}), Error);
}

} // namespace
} // namespace vgpuview

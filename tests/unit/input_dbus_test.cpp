// SPDX-License-Identifier: MIT
// A D-Bus peer that is missing, silent or talks nonsense turns input off, in bounded time, with one line.
#include "doubles/recording_log.h"
#include "input/dbus_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/input-event-codes.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace vgpuview {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class DbusTest : public testing::Test {
protected:
    DbusTest() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0) {
            ours = UniqueFd(ends[0]);
            peer = UniqueFd(ends[1]);
        }
    }

    bool turnUntil(const std::function<bool()>& condition, std::chrono::milliseconds longest = 8000ms) {
        const TimePoint end = loop.now() + longest;
        while (!condition()) {
            if (loop.now() > end)
                return false;
            loop.iterate(5ms);
        }
        return true;
    }
    bool goesOff(const DbusBackend& backend) {
        return turnUntil([&] { return backend.status().state == InputState::off; });
    }

    EventLoop loop;
    doubles::RecordingLog log{LogLevel::info};
    UniqueFd ours;
    UniqueFd peer;
};

TEST_F(DbusTest, APeerThatNeverAnswersIsTold) {
    DbusBackend backend(loop, log, std::move(ours));
    const TimePoint before = loop.now();
    ASSERT_TRUE(goesOff(backend));
    EXPECT_EQ(backend.status().reason, "QEMU does not answer");
    EXPECT_LT(loop.now() - before, 7s);
    EXPECT_THAT(log.lines, ElementsAre("input is off: D-Bus socket: QEMU does not answer"));
    backend.key(*keyMappingOf(KEY_A), KeyState::pressed);
    backend.drain(100ms);
}

TEST_F(DbusTest, APeerThatClosesIsTold) {
    DbusBackend backend(loop, log, std::move(ours));
    loop.iterate(5ms);
    peer.reset();
    ASSERT_TRUE(goesOff(backend));
    EXPECT_THAT(log.lines, ElementsAre("input is off: D-Bus socket: the other side closed the connection"));
    EXPECT_FALSE(turnUntil([&] { return backend.status().state != InputState::off; }, 600ms));
}

class DbusNonsense : public DbusTest, public testing::WithParamInterface<const char*> {};

TEST_P(DbusNonsense, IsTold) {
    DbusBackend backend(loop, log, std::move(ours));
    std::string_view text = GetParam();
    ASSERT_EQ(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    EXPECT_TRUE(goesOff(backend));
    EXPECT_FALSE(log.lines.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, DbusNonsense,
    testing::Values("HTTP/1.1 400 Bad Request\r\n\r\n", "{\"QMP\":{}}\r\n", "REJECTED\r\n",
                    "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\nnot a message"));

TEST_F(DbusTest, AHundredMegabytesOfGarbageAreGivenUpEarly) {
    DbusBackend backend(loop, log, std::move(ours));
    const std::string chunk(65536, 'x');
    std::size_t sent = 0;
    turnUntil([&] {
        const ssize_t length = ::send(peer.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL);
        if (length > 0)
            sent += static_cast<std::size_t>(length);
        return sent >= 100'000'000 || backend.status().state == InputState::off;
    });
    EXPECT_EQ(backend.status().state, InputState::off);
    EXPECT_LT(sent, 10'000'000U);
}

TEST_F(DbusTest, AMissingBusIsToldOnceAndTriedAgain) {
    DbusBackend backend(loop, log, DisplayBusAddress{"unix:path=/nonexistent/bus"});
    ASSERT_TRUE(goesOff(backend));
    turnUntil([] { return false; }, 900ms);
    EXPECT_THAT(log.lines, ElementsAre(HasSubstr("input is off: D-Bus unix:path=/nonexistent/bus: No such file")));
}

TEST_F(DbusTest, AnAddressThatIsNoneIsTold) {
    for (const char* address : {"nonsense", "unix:", "tcp:host=", ";;"}) {
        DbusBackend backend(loop, log, DisplayBusAddress{address});
        EXPECT_TRUE(goesOff(backend)) << address;
    }
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A D-Bus peer that is missing, silent or talks nonsense turns input off, in bounded time, with one line.
#include "doubles/recording_log.h"
#include "input/dbus_backend.h"
#include "input/message_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/input-event-codes.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;

/// Long enough for a busy machine to answer in.
constexpr auto answerTime = 1s;

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
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    const TimePoint before = loop.now();
    ASSERT_TRUE(goesOff(backend));
    EXPECT_EQ(backend.status().reason, "QEMU does not answer");
    EXPECT_LT(loop.now() - before, 3s);
    EXPECT_THAT(log.lines, ElementsAre("input is off: D-Bus socket: QEMU does not answer"));
    backend.key(*keyMappingOf(KEY_A), KeyState::pressed);
    backend.drain(100ms);
}

TEST_F(DbusTest, APeerThatClosesIsTold) {
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    loop.iterate(5ms);
    peer.reset();
    ASSERT_TRUE(goesOff(backend));
    EXPECT_THAT(log.lines, ElementsAre("input is off: D-Bus socket: the other side closed the connection"));
    EXPECT_FALSE(turnUntil([&] { return backend.status().state != InputState::off; }, 600ms));
}

class DbusNonsense : public DbusTest, public testing::WithParamInterface<const char*> {};

TEST_P(DbusNonsense, IsTold) {
    DbusBackend backend(loop, log, std::move(ours), answerTime);
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
    DbusBackend backend(loop, log, std::move(ours), answerTime);
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

/// A QEMU at the other end of the socket, which the test has say what it likes.
class DbusPeer : public DbusTest {
protected:
    DbusPeer() {
        sd_bus* made = nullptr;
        sd_bus_new(&made);
        qemu.reset(made);
        const int socket = peer.release();
        sd_bus_set_fd(made, socket, socket);
        sd_bus_set_server(made, 1, SD_ID128_MAKE(01, 23, 45, 67, 89, ab, cd, ef, 01, 23, 45, 67, 89, ab, cd, ef));
        sd_bus_add_filter(
            made, nullptr,
            [](sd_bus_message* call, void* self, sd_bus_error*) { return static_cast<DbusPeer*>(self)->answer(call); },
            this);
        sd_bus_start(made);
    }

    bool talkUntil(const std::function<bool()>& condition) {
        return turnUntil([&] {
            while (qemu && sd_bus_process(qemu.get(), nullptr) > 0) {
            }
            return condition();
        });
    }
    int answer(sd_bus_message* call) {
        if (silent || sd_bus_message_is_method_call(call, nullptr, nullptr) == 0)
            return 1;
        const bool isInput = sd_bus_message_is_method_call(call, nullptr, "GetAll") == 0;
        inputs += isInput ? 1 : 0;
        if (saysThatNobodyAnswers) {
            ++questions;
            return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_NO_REPLY, "nobody");
        }
        if (refusal && (isInput || refusesAll))
            return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_FAILED, "%s", refusal->c_str());
        if (isInput)
            return sd_bus_reply_method_return(call, nullptr);
        const char* name = nullptr;
        sd_bus_message_read(call, "s", &name);
        const std::string_view interface(name);
        if (interface == "org.qemu.Display1.VM")
            return sd_bus_reply_method_return(call, "a{sv}", 1, "ConsoleIDs", "au", 1, 0);
        if (interface == "org.qemu.Display1.Console")
            return sd_bus_reply_method_return(call, "a{sv}", 3, "Type", "s", "Graphic", "Width", "u", 640, "Height",
                                              "u", 480);
        if (interface == "org.qemu.Display1.Mouse")
            return sd_bus_reply_method_return(call, "a{sv}", 1, "IsAbsolute", "b", 1);
        return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_INTERFACE, "none");
    }
    bool goesTo(const DbusBackend& backend, InputState state) {
        return talkUntil([&] { return backend.status().state == state; });
    }

    BusHandle qemu;
    bool silent = false;
    std::optional<std::string> refusal; ///< of input, in these words
    bool refusesAll = false;
    unsigned inputs = 0;
    bool saysThatNobodyAnswers = false;
    unsigned questions = 0;
};

const std::string hostileWords = "\x1b[2J\r\nvgpu-view: all is well" + std::string(1'000'000, 'x');

TEST_F(DbusPeer, ItsWordsAreShortAndHarmless) {
    refusal = hostileWords;
    refusesAll = true;
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    ASSERT_TRUE(goesTo(backend, InputState::off));
    EXPECT_THAT(backend.status().reason, StartsWith("?[2J??vgpu-view: all is well"));
    EXPECT_LE(backend.status().reason.size(), 200U);
    EXPECT_THAT(log.lines, ElementsAre("input is off: D-Bus socket: " + backend.status().reason));
}

TEST_F(DbusPeer, ARefusalWithoutWordsIsOne) {
    refusal = "";
    refusesAll = true;
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    ASSERT_TRUE(goesTo(backend, InputState::off));
    EXPECT_THAT(log.lines, ElementsAre("input is off: D-Bus socket: QEMU refuses"));
}

TEST_F(DbusPeer, RefusedEventsAreToldOnceInHarmlessWords) {
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    ASSERT_TRUE(goesTo(backend, InputState::ready));
    log.lines.clear();
    refusal = hostileWords;
    for (int i = 0; i < 5; ++i) {
        backend.key(*keyMappingOf(KEY_A), KeyState::pressed);
        backend.key(*keyMappingOf(KEY_A), KeyState::released);
    }
    ASSERT_TRUE(talkUntil([&] { return inputs == 10 && !log.lines.empty(); }));
    backend.drain(50ms);
    ASSERT_THAT(log.lines, ElementsAre(StartsWith("the guest did not take an input event: ?[2J??vgpu-view")));
    EXPECT_LT(log.lines.front().size(), 300U);
    EXPECT_EQ(backend.status().state, InputState::ready);
}

TEST_F(DbusPeer, OneThatStopsAnsweringIsToldAndForgivenWhenItAnswers) {
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    ASSERT_TRUE(goesTo(backend, InputState::ready));
    silent = true;
    backend.key(*keyMappingOf(KEY_A), KeyState::pressed);
    ASSERT_TRUE(goesTo(backend, InputState::off));
    EXPECT_EQ(backend.status().reason, "QEMU does not answer");
    silent = false;
    ASSERT_TRUE(goesTo(backend, InputState::ready)) << "it is asked on and on";
}

TEST_F(DbusPeer, ABusThatSaysAtOnceThatNobodyAnswersIsAskedOnceASecond) {
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    saysThatNobodyAnswers = true;
    ASSERT_TRUE(goesTo(backend, InputState::off));
    EXPECT_EQ(backend.status().reason, "QEMU does not answer");
    const TimePoint end = loop.now() + 1500ms;
    static_cast<void>(talkUntil([&] { return loop.now() > end; }));
    EXPECT_GE(questions, 2U);
    EXPECT_LE(questions, 4U);
    saysThatNobodyAnswers = false;
    ASSERT_TRUE(goesTo(backend, InputState::ready));
}

TEST_F(DbusPeer, OneThatClosesInTheMidstOfEventsIsALoss) {
    DbusBackend backend(loop, log, std::move(ours), answerTime);
    ASSERT_TRUE(goesTo(backend, InputState::ready));
    log.lines.clear();
    for (int i = 0; i < 100; ++i)
        backend.key(*keyMappingOf(KEY_A), KeyState::pressed);
    qemu.reset();
    backend.key(*keyMappingOf(KEY_A), KeyState::released);
    ASSERT_TRUE(goesTo(backend, InputState::off));
    EXPECT_THAT(log.lines, SizeIs(1));
    EXPECT_TRUE(backend.takesMotion()) << "nothing is waited for any more";
    backend.drain(1s);
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What is sent as QMP, and what a peer that is not QMP, or a bad one, can do: nothing but turn input off.
#include "base/error.h"
#include "doubles/recording_log.h"
#include "input/qmp_backend.h"
#include "input/qmp_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/input-event-codes.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class CountingObserver final : public InputBackendObserver {
public:
    void backendChanged() override { ++changes; }
    void motionTaken() override { ++motionsTaken; }
    int changes = 0;
    int motionsTaken = 0;
};

/// A server that the test plays, on a socket in a folder of its own.
class QmpTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "qmp-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    void listen() {
        listener = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(static_cast<char*>(address.sun_path), path().c_str(), sizeof address.sun_path - 1);
        std::filesystem::remove(path());
        ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::listen(listener.get(), 5), 0);
    }
    [[nodiscard]] std::filesystem::path path() const { return folder / "qmp"; }

    bool turnUntil(const std::function<bool()>& condition, std::chrono::milliseconds longest = 8000ms) {
        const TimePoint end = loop.now() + longest;
        while (!condition()) {
            if (loop.now() > end)
                return false;
            loop.iterate(5ms);
        }
        return true;
    }
    bool accept() {
        return turnUntil([&] {
            peer = UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            said.clear();
            return static_cast<bool>(peer);
        });
    }
    void say(std::string_view text) {
        while (!text.empty()) {
            const ssize_t length = ::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (length > 0)
                text.remove_prefix(static_cast<std::size_t>(length));
            else if (errno != EAGAIN)
                return;
            loop.iterate(0ms);
        }
    }
    void sayLine(const json& line) { say(line.dump() + "\n"); }
    json nextCommand() {
        json command;
        turnUntil([&] {
            std::array<char, 4096> chunk{};
            const ssize_t length = ::recv(peer.get(), chunk.data(), chunk.size(), 0);
            if (length > 0)
                said.append(chunk.data(), static_cast<std::size_t>(length));
            const std::size_t end = said.find('\n');
            if (end == std::string::npos)
                return false;
            command = json::parse(said.substr(0, end));
            said.erase(0, end + 1);
            return true;
        });
        return command;
    }
    void answer(const json& command, const json& result) {
        sayLine({{"return", result}, {"id", command.value("id", 0)}});
    }
    void refuse(const json& command, const char* words) {
        sayLine({{"error", {{"class", "GenericError"}, {"desc", words}}}, {"id", command.value("id", 0)}});
    }
    void answerQuestions(bool absolute) {
        for (int i = 0; i < 3; ++i) {
            const json command = nextCommand();
            const std::string name = command.value("execute", "");
            if (name == "query-status")
                answer(command, {{"running", true}, {"status", "running"}});
            else if (name == "query-mice")
                answer(command,
                       json::array({{{"name", "x"}, {"index", 1}, {"current", true}, {"absolute", absolute}}}));
            else
                refuse(command, "no handler");
        }
    }
    void becomeReady(bool absolute = true) {
        listen();
        ASSERT_TRUE(accept());
        sayLine({{"QMP", json::object()}});
        answer(nextCommand(), json::object());
        answerQuestions(absolute);
        ASSERT_TRUE(turnUntil([&] { return backend->status().state == InputState::ready; }));
        turnUntil([&] { return observer.changes > 0; });
    }
    [[nodiscard]] bool goesOff() {
        return turnUntil([&] { return backend->status().state == InputState::off; });
    }
    void start(Nanoseconds answerTime = 3s) {
        backend.emplace(loop, log, path(), answerTime);
        backend->observe(&observer);
    }

    std::filesystem::path folder;
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::info};
    CountingObserver observer;
    UniqueFd listener;
    UniqueFd peer;
    std::string said;
    std::optional<QmpBackend> backend;
};

TEST_F(QmpTest, NegotiatesAsksAndSendsKeysByName) {
    start();
    becomeReady();
    EXPECT_EQ(backend->pointerMode(), PointerMode::absolute);
    backend->key(*keyMappingOf(KEY_RIGHTALT), KeyState::pressed);
    const json command = nextCommand();
    EXPECT_EQ(command["execute"], "input-send-event");
    EXPECT_EQ(command["arguments"]["events"],
              json::parse(R"([{"type":"key","data":{"down":true,"key":{"type":"qcode","data":"alt_r"}}}])"));
}

TEST_F(QmpTest, AMissingSocketIsToldOnceAndFoundWhenItComes) {
    start();
    ASSERT_TRUE(goesOff());
    EXPECT_THAT(backend->status().reason, HasSubstr("No such file"));
    turnUntil([] { return false; }, 600ms);
    EXPECT_THAT(log.lines, ElementsAre(HasSubstr("input is off: QMP")));
    becomeReady();
    EXPECT_THAT(log.lines.back(), HasSubstr("input goes to QMP"));
}

TEST_F(QmpTest, ASocketThatDoesNotGreetIsTold) {
    listen();
    start(400ms);
    ASSERT_TRUE(goesOff());
    EXPECT_THAT(backend->status().reason, HasSubstr("another client holds the socket, or it is not QMP"));
}

TEST_F(QmpTest, AfterALossItConnectsAgain) {
    start();
    becomeReady();
    peer.reset();
    ASSERT_TRUE(goesOff());
    EXPECT_THAT(backend->status().reason, HasSubstr("closed the connection"));
    backend->key(*keyMappingOf(KEY_A), KeyState::pressed);
    becomeReady();
}

TEST_F(QmpTest, AConnectionThatClosesInTheMidstOfALineIsALoss) {
    start();
    becomeReady();
    say(R"({"event":"STO)");
    peer.reset();
    EXPECT_TRUE(goesOff());
}

class NotQmp : public QmpTest, public testing::WithParamInterface<const char*> {};

TEST_P(NotQmp, TurnsInputOffWithOneLine) {
    listen();
    start();
    ASSERT_TRUE(accept());
    say(GetParam());
    say("\n");
    ASSERT_TRUE(goesOff());
    EXPECT_THAT(backend->status().reason, HasSubstr("not QMP"));
    EXPECT_EQ(log.lines.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, NotQmp,
                         testing::Values("SSH-2.0-OpenSSH_9.2", "HTTP/1.1 400 Bad Request\r", "", "[]", "17", "null",
                                         "{", "{\"QMP\":}", "\xff\xfe\x00", R"({"return":{}})",
                                         R"({"return":{},"id":1})", R"({"error":7,"id":[]})"));

TEST_F(QmpTest, AHundredMegabytesWithoutALineEndAreGivenUpEarly) {
    listen();
    start();
    ASSERT_TRUE(accept());
    const std::string chunk(std::size_t{1} << 20, 'x');
    for (int i = 0; i < 100 && backend->status().state != InputState::off; ++i)
        say(chunk);
    EXPECT_EQ(backend->status().state, InputState::off);
    EXPECT_THAT(backend->status().reason, HasSubstr("a line without end"));
}

TEST_F(QmpTest, AHundredMegabytesOfEventsLeaveTheLoopAlive) {
    start();
    becomeReady();
    std::string chunk;
    while (chunk.size() < std::size_t{1} << 20)
        chunk +=
            R"({"event":"RTC_CHANGE","data":{"offset":1,"qom-path":"/machine/unattached"},"timestamp":{"seconds":1}})"
            "\n";
    for (int i = 0; i < 100; ++i)
        say(chunk);
    EXPECT_EQ(backend->status().state, InputState::ready);
}

TEST_F(QmpTest, DeepNestingIsGivenUp) {
    listen();
    start();
    ASSERT_TRUE(accept());
    say(std::string(900'000, '[') + "\n");
    EXPECT_TRUE(goesOff());
}

TEST_F(QmpTest, WellFormedNonsenseIsHarmless) {
    start();
    becomeReady();
    say("{}\n{\"event\":7}\n{\"event\":{}}\n{\"QMP\":null}\n{\"event\":\"RESET\"}\n");
    for (int i = 0; i < 3; ++i)
        answer(nextCommand(), json::parse(R"([{"current":"yes","absolute":[]},7,null])"));
    ASSERT_TRUE(goesOff());
    EXPECT_EQ(backend->status().reason, "the VM is not running");
    EXPECT_EQ(backend->pointerMode(), PointerMode::none);
}

TEST_F(QmpTest, APeerThatTakesNothingIsGivenUp) {
    start();
    becomeReady();
    for (int i = 0; i < 3000 && backend->status().state == InputState::ready; ++i) {
        backend->key(*keyMappingOf(KEY_A), i % 2 == 0 ? KeyState::pressed : KeyState::released);
    }
    EXPECT_EQ(backend->status().state, InputState::off);
    EXPECT_EQ(backend->status().reason, "QEMU does not answer");
}

TEST_F(QmpTest, APeerThatStopsAnsweringIsToldAndForgivenWhenItAnswers) {
    start(400ms);
    becomeReady();
    backend->key(*keyMappingOf(KEY_A), KeyState::pressed);
    const json command = nextCommand();
    ASSERT_TRUE(goesOff());
    EXPECT_EQ(backend->status().reason, "QEMU does not answer");
    answer(command, json::object());
    EXPECT_TRUE(turnUntil([&] { return backend->status().state == InputState::ready; }));
}

TEST_F(QmpTest, MotionIsHeldBackWhileAnswersAreOutstanding) {
    start();
    becomeReady();
    std::vector<json> commands;
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(backend->takesMotion());
        backend->pointer({.place = ScreenPlace{0.5, 0.5}});
        commands.push_back(nextCommand());
    }
    EXPECT_FALSE(backend->takesMotion());
    EXPECT_EQ(observer.motionsTaken, 0);
    answer(commands.front(), json::object());
    EXPECT_TRUE(turnUntil([&] { return observer.motionsTaken == 1; }));
    EXPECT_TRUE(backend->takesMotion());
}

TEST_F(QmpTest, AfterARefusalItAsksAgainAndFollowsTheGuestToItsMouse) {
    start();
    becomeReady();
    backend->pointer({.place = ScreenPlace{0.5, 0.5}});
    refuse(nextCommand(), "Input handler not found for event type abs");
    answerQuestions(false);
    EXPECT_TRUE(turnUntil([&] { return backend->pointerMode() == PointerMode::relative; }));
    EXPECT_THAT(log.lines, testing::Contains(HasSubstr("Input handler not found")));
}

TEST_F(QmpTest, TheEndWaitsForTheAnswersButNotForever) {
    start();
    becomeReady();
    backend->key(*keyMappingOf(KEY_A), KeyState::released);
    const TimePoint before = loop.now();
    backend->drain(100ms);
    EXPECT_GE(loop.now() - before, 90ms);
    EXPECT_LT(loop.now() - before, 2000ms);
    answer(nextCommand(), json::object());
    backend->drain(5000ms);
    EXPECT_LT(loop.now() - before, 3000ms);
}

TEST(QmpPath, AnImpossiblePathIsWrongUsage) {
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::info};
    for (const std::string& path : {std::string(), std::string(200, 'x')}) {
        try {
            const QmpBackend backend(loop, log, path);
            FAIL() << "was taken";
        } catch (const Error& error) {
            EXPECT_EQ(error.exitCode(), ExitCode::usage);
        }
    }
}

TEST(QmpEvents, AnAbsolutePointerTakesPlacesAndARelativeOneSteps) {
    const PointerChange change{.place = ScreenPlace{0, 1}, .dx = 3, .dy = -4};
    EXPECT_EQ(
        qmpPointer(change, PointerMode::absolute),
        json::parse(
            R"([{"type":"abs","data":{"axis":"x","value":0}},{"type":"abs","data":{"axis":"y","value":32767}}])"));
    EXPECT_EQ(
        qmpPointer(change, PointerMode::relative),
        json::parse(R"([{"type":"rel","data":{"axis":"x","value":3}},{"type":"rel","data":{"axis":"y","value":-4}}])"));
    EXPECT_TRUE(qmpPointer(change, PointerMode::none).empty());
}

TEST(QmpEvents, AWheelClickIsAButtonPressedAndReleased) {
    const json events = qmpPointer({.wheelDown = -2, .wheelRight = 1}, PointerMode::relative);
    ASSERT_EQ(events.size(), 6U);
    EXPECT_EQ(events[0], json::parse(R"({"type":"btn","data":{"button":"wheel-up","down":true}})"));
    EXPECT_EQ(events[1], json::parse(R"({"type":"btn","data":{"button":"wheel-up","down":false}})"));
    EXPECT_EQ(events[4]["data"]["button"], "wheel-right");
}

TEST(QmpEvents, AButtonThatQemuLacksIsLeftOut) {
    EXPECT_TRUE(qmpPointer({.buttons = {{BTN_TASK, ButtonState::pressed}}}, PointerMode::relative).empty());
}

TEST(QmpEvents, ATouchHasASlotAPlaceAndAnEnd) {
    const json begin = qmpTouch({.phase = TouchPhase::begin, .slot = 2, .place = {0.5, 1}}, 7);
    ASSERT_EQ(begin.size(), 4U);
    EXPECT_EQ(begin[1]["data"], json::parse(R"({"type":"begin","slot":2,"tracking-id":7,"axis":"x","value":0})"));
    EXPECT_EQ(begin[3]["data"], json::parse(R"({"type":"data","slot":2,"tracking-id":7,"axis":"y","value":32767})"));
    const json end = qmpTouch({.phase = TouchPhase::end, .slot = 2, .place = {}}, 7);
    EXPECT_EQ(end[0]["data"]["tracking-id"], -1);
}

} // namespace
} // namespace vgpuview

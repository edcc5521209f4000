// SPDX-License-Identifier: MIT
// The program itself: a user at its window on the test's compositor, a guest in a real QEMU at the other end.
#include "component/wayland/test_compositor.h"
#include "input_guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/input-event-codes.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace vgpuview {
namespace {

using test::GuestEvent;
using test::InputGuest;
using testing_wayland::TestCompositor;
using testing_wayland::TestSeat;

constexpr const char* keyboard = "QEMU Virtio Keyboard";
constexpr const char* tablet = "QEMU QEMU USB Tablet";
constexpr int tabletEnd = 0x7fff;

/// vgpu-view on a compositor of its own, until destroyed.
class RunningViewer {
public:
    RunningViewer(InputGuest& guest, const std::vector<std::string>& way)
        : log_(guest.folder() / "viewer.log") {
        const UniqueFd socket = compositor.takeClientSocket();
        std::vector<std::string> words{VGPU_VIEW, "window", "test:640x480@20,still,memory=memfd"};
        words.insert(words.end(), way.begin(), way.end());
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        constexpr int inherited = 9;
        ::setenv("WAYLAND_SOCKET", std::to_string(inherited).c_str(), 1);
        ::setenv("XDG_RUNTIME_DIR", guest.folder().c_str(), 1);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, socket.get(), inherited);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::posix_spawn(&pid_, VGPU_VIEW, &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        ::unsetenv("WAYLAND_SOCKET");
    }
    RunningViewer(const RunningViewer&) = delete;
    RunningViewer& operator=(const RunningViewer&) = delete;
    ~RunningViewer() {
        if (pid_ > 0)
            end(SIGTERM);
    }

    /// Sends the signal and returns the wait status.
    int end(int signalNumber) {
        ::kill(pid_, signalNumber);
        int status = -1;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return status;
    }
    void user(const std::function<void(TestSeat&)>& does) { compositor.withSeat(does); }
    [[nodiscard]] std::string log() const {
        std::ostringstream text;
        text << std::ifstream(log_).rdbuf();
        return text.str();
    }
    /// Shows its picture, and hears the seat.
    [[nodiscard]] bool shows() {
        const auto surfaces = compositor.surfaces();
        bool seated = false;
        compositor.withSeat([&](TestSeat& seat) { seated = seat.hasKeyboard() && seat.hasPointer(); });
        return seated && !surfaces.empty() && surfaces.front().mapped;
    }
    /// The same, and input goes to the guest.
    [[nodiscard]] bool ready(EventLoop& loop) {
        return InputGuest::waitUntil(loop, [&] { return shows() && log().find("input goes to") != std::string::npos; });
    }

    /// It has seen all that the compositor sent before the first call.
    [[nodiscard]] bool idle() {
        if (!std::exchange(pinged_, true))
            compositor.ping();
        return compositor.ponged();
    }

    TestCompositor compositor;

private:
    bool pinged_ = false;
    std::filesystem::path log_;
    pid_t pid_ = -1;
};

/// Booted for the first test that wants it.
InputGuest* guestWithTablet() {
    static std::unique_ptr<InputGuest> guest = []() -> std::unique_ptr<InputGuest> {
        if (test::whyNoGuest())
            return nullptr;
        auto made = std::make_unique<InputGuest>(
            InputGuest::Display::bus,
            std::vector<std::string>{"-device", "virtio-keyboard-pci", "-device", "usb-tablet,bus=usb.0"});
        return made->waitForDevices({keyboard, tablet}) ? std::move(made) : nullptr;
    }();
    return guest.get();
}

enum class Way { qmp, bus };

class ViewerWithGuest : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        if (test::whyNoGuest())
            GTEST_SKIP() << *test::whyNoGuest();
        guest = guestWithTablet();
        ASSERT_TRUE(guest) << "the guest did not come up";
    }
    [[nodiscard]] std::vector<std::string> way() const {
        if (GetParam() == Way::qmp)
            return {"--qmp", guest->qmpSocket().string()};
        return {"--dbus", guest->busAddress()};
    }
    [[nodiscard]] bool sees(unsigned type, unsigned code, int value) {
        return InputGuest::waitUntil(loop, [&] {
            return std::ranges::any_of(guest->events(), [&](const GuestEvent& event) {
                return event.type == type && event.code == code && event.value == value;
            });
        });
    }
    /// The tablet's place becomes this one, in its own units.
    void placeBecomes(int wantedX, int wantedY, int tolerance) {
        const auto near = [&] {
            for (const GuestEvent& event : guest->events()) {
                if (event.type == EV_ABS && event.code == ABS_X)
                    x_ = event.value;
                if (event.type == EV_ABS && event.code == ABS_Y)
                    y_ = event.value;
            }
            return std::abs(x_ - wantedX) <= tolerance && std::abs(y_ - wantedY) <= tolerance;
        };
        EXPECT_TRUE(InputGuest::waitUntil(loop, near)) << x_ << "," << y_ << " for " << wantedX << "," << wantedY;
        guest->forget();
    }

    InputGuest* guest = nullptr;
    EventLoop loop;

private:
    int x_ = -1;
    int y_ = -1;
};

TEST_P(ViewerWithGuest, KeysButtonsAndWheelArrive) {
    RunningViewer viewer(*guest, way());
    ASSERT_TRUE(viewer.ready(loop)) << viewer.log();
    guest->settle(loop);
    viewer.user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_LEFTSHIFT, true);
        seat.tap(KEY_102ND);
        seat.key(KEY_LEFTSHIFT, false);
        seat.pointerEnter(320, 240);
        seat.button(BTN_RIGHT, true);
        seat.pointerFrame();
        seat.button(BTN_RIGHT, false);
        seat.pointerFrame();
        seat.axisValue120(WL_POINTER_AXIS_VERTICAL_SCROLL, -120);
        seat.pointerFrame();
    });
    EXPECT_TRUE(sees(EV_KEY, KEY_LEFTSHIFT, 1));
    EXPECT_TRUE(sees(EV_KEY, KEY_102ND, 1));
    EXPECT_TRUE(sees(EV_KEY, KEY_102ND, 0));
    EXPECT_TRUE(sees(EV_KEY, KEY_LEFTSHIFT, 0));
    EXPECT_TRUE(sees(EV_KEY, BTN_RIGHT, 1));
    EXPECT_TRUE(sees(EV_KEY, BTN_RIGHT, 0));
    EXPECT_TRUE(sees(EV_REL, REL_WHEEL, 1));
}

TEST_P(ViewerWithGuest, TheTabletIsWhereThePointerIs) {
    RunningViewer viewer(*guest, way());
    ASSERT_TRUE(viewer.ready(loop)) << viewer.log();
    guest->settle(loop);
    // By D-Bus QEMU takes whole pixels of its own console, which is 400 lines high or higher.
    const int tolerance = GetParam() == Way::qmp ? 1 : tabletEnd / 400 + 1;
    viewer.user([](TestSeat& seat) { seat.pointerEnter(160, 120); });
    placeBecomes(static_cast<int>(160.5 / 640 * tabletEnd), static_cast<int>(120.5 / 480 * tabletEnd), tolerance);
    const auto move = [&](double x, double y) {
        viewer.user([&](TestSeat& seat) {
            seat.move(x, y);
            seat.pointerFrame();
        });
    };
    move(0, 0);
    placeBecomes(0, 0, tolerance);
    move(639.9, 0);
    placeBecomes(tabletEnd, 0, tolerance);
    move(639.9, 479.9);
    placeBecomes(tabletEnd, tabletEnd, tolerance);
    move(0, 479.9);
    placeBecomes(0, tabletEnd, tolerance);
    move(320, 240);
    placeBecomes(static_cast<int>(320.5 / 640 * tabletEnd), static_cast<int>(240.5 / 480 * tabletEnd), tolerance);
}

TEST_P(ViewerWithGuest, FocusLossAndSigtermLeaveNoKeyDown) {
    RunningViewer viewer(*guest, way());
    ASSERT_TRUE(viewer.ready(loop)) << viewer.log();
    guest->settle(loop);
    viewer.user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_W, true);
    });
    EXPECT_TRUE(sees(EV_KEY, KEY_W, 1));
    viewer.user([](TestSeat& seat) { seat.keyboardLeave(); });
    EXPECT_TRUE(sees(EV_KEY, KEY_W, 0));
    guest->forget();
    viewer.user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_W, true);
    });
    EXPECT_TRUE(sees(EV_KEY, KEY_W, 1));
    const int status = viewer.end(SIGTERM);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << viewer.log();
    EXPECT_TRUE(sees(EV_KEY, KEY_W, 0));
}

TEST_P(ViewerWithGuest, WhatAKilledViewerLeftPressedTheNextOneLifts) {
    {
        RunningViewer viewer(*guest, way());
        ASSERT_TRUE(viewer.ready(loop)) << viewer.log();
        guest->settle(loop);
        viewer.user([](TestSeat& seat) {
            seat.keyboardEnter();
            seat.key(KEY_E, true);
        });
        EXPECT_TRUE(sees(EV_KEY, KEY_E, 1));
        viewer.end(SIGKILL);
    }
    guest->settle(loop);
    RunningViewer next(*guest, way());
    ASSERT_TRUE(next.ready(loop)) << next.log();
    EXPECT_TRUE(sees(EV_KEY, KEY_E, 0));
}

TEST_P(ViewerWithGuest, AViewOnlyViewerSendsNothing) {
    RunningViewer viewer(*guest, {"--view-only"});
    ASSERT_TRUE(InputGuest::waitUntil(loop, [&] { return viewer.shows(); })) << viewer.log();
    guest->settle(loop);
    viewer.user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.tap(KEY_A);
        seat.pointerEnter(10, 10);
        seat.button(BTN_LEFT, true);
        seat.pointerFrame();
        seat.move(20, 20);
        seat.button(BTN_LEFT, false);
        seat.pointerFrame();
    });
    ASSERT_TRUE(InputGuest::waitUntil(loop, [&] { return viewer.idle(); })) << viewer.log();
    // A key of another's, which would come after the viewer's.
    guest->command(R"({"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"z"}]}})");
    EXPECT_TRUE(sees(EV_KEY, KEY_Z, 0));
    for (const GuestEvent& event : guest->events())
        EXPECT_TRUE(event.type != EV_KEY || event.code == KEY_Z) << event.device << " " << event.code;
}

std::string nameOf(const testing::TestParamInfo<Way>& info) {
    return info.param == Way::qmp ? "qmp" : "dbus";
}
INSTANTIATE_TEST_SUITE_P(Way, ViewerWithGuest, testing::Values(Way::qmp, Way::bus), nameOf);

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Keys, pointer and wheel reach a real guest through a real QEMU, and nothing stays pressed in it.
#include "input/dbus_backend.h"
#include "input/guest_input.h"
#include "input/qmp_backend.h"
#include "input_guest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/input-event-codes.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vgpuview {
namespace {

using test::GuestEvent;
using test::InputGuest;

constexpr const char* keyboard = "QEMU Virtio Keyboard";
constexpr const char* tablet = "QEMU QEMU USB Tablet";
constexpr const char* mouse = "ImExPS/2 Generic Explorer Mouse";
constexpr const char* touchScreen = "QEMU Virtio MultiTouch";

int sumOf(const std::vector<GuestEvent>& events, unsigned type, unsigned code) {
    int sum = 0;
    for (const GuestEvent& event : events)
        if (event.type == type && event.code == code)
            sum += event.value;
    return sum;
}

int lastOf(const std::vector<GuestEvent>& events, unsigned type, unsigned code, int before) {
    for (const GuestEvent& event : events)
        if (event.type == type && event.code == code)
            before = event.value;
    return before;
}

bool has(const std::vector<GuestEvent>& events, unsigned type, unsigned code, int value) {
    return std::ranges::any_of(events, [&](const GuestEvent& event) {
        return event.type == type && event.code == code && event.value == value;
    });
}

enum class Way { qmp, bus, socket };

std::string nameOfWay(const testing::TestParamInfo<Way>& info) {
    switch (info.param) {
    case Way::qmp:
        return "qmp";
    case Way::bus:
        return "dbus";
    case Way::socket:
        return "dbusSocket";
    }
    return "";
}

/// A viewer's input, until destroyed.
struct Viewer {
    Viewer(InputGuest& guest, Way way, HeldKeys held = HeldKeys()) {
        auto made = makeBackend(guest, way);
        backend = made.get();
        input = std::make_unique<GuestInput>(std::move(made), std::move(held));
    }

    std::unique_ptr<InputBackend> makeBackend(InputGuest& guest, Way way) {
        if (way == Way::qmp)
            return std::make_unique<QmpBackend>(loop, log, guest.qmpSocket());
        if (way == Way::bus)
            return std::make_unique<DbusBackend>(loop, log, DisplayBusAddress{guest.busAddress()});
        return std::make_unique<DbusBackend>(loop, log, UniqueFd(guest.openDisplaySocket()));
    }

    [[nodiscard]] bool becomes(InputState state) {
        return InputGuest::waitUntil(loop, [&] { return input->status().state == state; });
    }
    void put(double x, double y) {
        input->moveTo(x, y);
        input->frame();
    }

    EventLoop loop;
    StreamLog log{stderr, LogLevel::info};
    InputBackend* backend = nullptr; ///< of the input
    std::unique_ptr<GuestInput> input;
};

/// A guest that all tests share, booted for the first one that wants it.
struct Machine {
    Machine(InputGuest::Display display, const std::vector<std::string>& arguments,
            const std::vector<std::string>& devices) {
        if (test::whyNoGuest())
            return;
        guest = std::make_unique<InputGuest>(display, arguments);
        booted = guest->waitForDevices(devices);
    }
    std::unique_ptr<InputGuest> guest;
    bool booted = false;
};

Machine& machineWithTablet() {
    static Machine machine(InputGuest::Display::bus,
                           {"-device", "virtio-keyboard-pci", "-device", "usb-tablet,bus=usb.0"}, {keyboard, tablet});
    return machine;
}

Machine& machineWithMouse() {
    static Machine machine(InputGuest::Display::socket, {}, {"AT Translated", mouse});
    return machine;
}

Machine& machineWithTouchScreen() {
    static Machine machine(InputGuest::Display::bus, {"-device", "virtio-multitouch-pci"}, {touchScreen});
    return machine;
}

class QemuInput : public testing::TestWithParam<Way> {
protected:
    void use(Machine& machine) {
        if (test::whyNoGuest())
            GTEST_SKIP() << *test::whyNoGuest();
        ASSERT_TRUE(machine.booted) << "the guest did not come up";
        guest = machine.guest.get();
    }

    InputGuest* guest = nullptr;
};

class WithTablet : public QemuInput {
protected:
    void SetUp() override { use(machineWithTablet()); }
};

class QmpWithTablet : public QemuInput {
protected:
    void SetUp() override { use(machineWithTablet()); }

    void placeIs(Viewer& viewer, double x, double y) {
        static int lastX = -1;
        static int lastY = -1;
        const int wantedX = static_cast<int>(x * 0x7fff);
        const int wantedY = static_cast<int>(y * 0x7fff);
        viewer.put(x, y);
        const auto arrived = [&] {
            const auto events = guest->events();
            return std::abs(lastOf(events, EV_ABS, ABS_X, lastX) - wantedX) <= 1 &&
                   std::abs(lastOf(events, EV_ABS, ABS_Y, lastY) - wantedY) <= 1;
        };
        EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, arrived))
            << lastOf(guest->events(), EV_ABS, ABS_X, lastX) << "," << lastOf(guest->events(), EV_ABS, ABS_Y, lastY);
        lastX = lastOf(guest->events(), EV_ABS, ABS_X, lastX);
        lastY = lastOf(guest->events(), EV_ABS, ABS_Y, lastY);
        guest->forget();
    }
};

TEST_P(WithTablet, EveryKeyArrivesPressedAndReleased) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    guest->settle(viewer.loop);
    const std::string schema = guest->command(R"({"execute":"query-qmp-schema"})");
    ASSERT_NE(schema.find("\"ac_bookmarks\""), std::string::npos);
    std::vector<KeyMapping> known;
    for (const KeyMapping& mapping : keyMappings())
        // F13 to F24 are new in QEMU 8.
        if (schema.find(fmt::format("\"{}\"", mapping.keyCode)) != std::string::npos)
            known.push_back(mapping);
        else
            EXPECT_TRUE(mapping.evdevCode >= KEY_F13 && mapping.evdevCode <= KEY_F24) << mapping.keyCode;
    // As many at a time as QEMU's device has room for.
    constexpr std::size_t handful = 8;
    for (std::size_t first = 0; first < known.size(); first += handful) {
        const std::span<const KeyMapping> keys =
            std::span(known).subspan(first, std::min(handful, known.size() - first));
        std::vector<GuestEvent> expected;
        std::string names;
        for (const KeyMapping& key : keys) {
            // Several evdev codes may be one key of QEMU's: the first is what the guest sees.
            const unsigned seen = std::ranges::find(keyMappings(), key.keyCode, &KeyMapping::keyCode)->evdevCode;
            expected.push_back({keyboard, EV_KEY, seen, 1});
            expected.push_back({keyboard, EV_KEY, seen, 0});
            names += fmt::format("{} ", key.keyCode);
            viewer.input->key(key.evdevCode, KeyState::pressed);
            viewer.input->key(key.evdevCode, KeyState::released);
        }
        const auto pressed = [&] {
            std::vector<GuestEvent> events = guest->events();
            std::erase_if(events, [](const GuestEvent& event) { return event.type != EV_KEY; });
            return events;
        };
        EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return pressed().size() >= expected.size(); })) << names;
        EXPECT_THAT(pressed(), testing::ElementsAreArray(expected)) << names;
        guest->forget();
    }
}

INSTANTIATE_TEST_SUITE_P(Way, WithTablet, testing::Values(Way::qmp, Way::bus), nameOfWay);

TEST_F(QmpWithTablet, ThePointerIsWhereItIsPutToOneUnit) {
    Viewer viewer(*guest, Way::qmp);
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    ASSERT_TRUE(
        InputGuest::waitUntil(viewer.loop, [&] { return viewer.input->pointerMode() == PointerMode::absolute; }));
    guest->settle(viewer.loop);
    placeIs(viewer, 0.25, 0.25);
    placeIs(viewer, 0, 0);
    placeIs(viewer, 1, 0);
    placeIs(viewer, 1, 1);
    placeIs(viewer, 0, 1);
    placeIs(viewer, 0.5, 0.5);
}

TEST_P(WithTablet, ButtonsAndWheelArriveInNumber) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    guest->settle(viewer.loop);
    for (const unsigned button : {BTN_LEFT, BTN_RIGHT, BTN_MIDDLE}) {
        viewer.input->button(button, ButtonState::pressed);
        viewer.input->frame();
        EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, button, 1); }))
            << button;
        viewer.input->button(button, ButtonState::released);
        viewer.input->frame();
        EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, button, 0); }))
            << button;
    }
    viewer.input->scroll(ScrollAxis::vertical, 360);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return sumOf(guest->events(), EV_REL, REL_WHEEL) == -3; }));
    viewer.input->scroll(ScrollAxis::vertical, -600);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return sumOf(guest->events(), EV_REL, REL_WHEEL) == 2; }))
        << sumOf(guest->events(), EV_REL, REL_WHEEL);
}

TEST_P(WithTablet, FocusLossLiftsWhatIsPressed) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    guest->settle(viewer.loop);
    viewer.input->key(KEY_LEFTALT, KeyState::pressed);
    viewer.input->key(KEY_TAB, KeyState::pressed);
    ASSERT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, KEY_TAB, 1); }));
    viewer.input->releaseAll();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] {
        return has(guest->events(), EV_KEY, KEY_TAB, 0) && has(guest->events(), EV_KEY, KEY_LEFTALT, 0);
    }));
}

/// A process that presses a key and holds it until the signal.
pid_t holdKeyInAnotherProcess(InputGuest& guest, Way way, std::uint32_t evdevCode,
                              const std::filesystem::path& record) {
    const pid_t child = ::fork();
    if (child != 0)
        return child;
    {
        Viewer viewer(guest, way, HeldKeys(record));
        const Watch end = viewer.loop.watchSignal(SIGTERM, [&] { viewer.loop.quit(); });
        if (viewer.becomes(InputState::ready)) {
            viewer.input->key(evdevCode, KeyState::pressed);
            viewer.loop.run();
        }
    }
    ::_exit(0);
}

TEST_P(WithTablet, SigtermLeavesNoKeyDown) {
    EventLoop loop;
    guest->settle(loop);
    const pid_t child = holdKeyInAnotherProcess(*guest, GetParam(), KEY_W, guest->folder() / "record");
    ASSERT_TRUE(InputGuest::waitUntil(loop, [&] { return has(guest->events(), EV_KEY, KEY_W, 1); }));
    ::kill(child, SIGTERM);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(InputGuest::waitUntil(loop, [&] { return has(guest->events(), EV_KEY, KEY_W, 0); }));
}

TEST_P(WithTablet, AfterAKillTheNextViewerLiftsTheKey) {
    EventLoop loop;
    guest->settle(loop);
    const std::filesystem::path record = guest->folder() / "record";
    const pid_t child = holdKeyInAnotherProcess(*guest, GetParam(), KEY_E, record);
    ASSERT_TRUE(InputGuest::waitUntil(loop, [&] { return has(guest->events(), EV_KEY, KEY_E, 1); }));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    guest->settle(loop);
    Viewer viewer(*guest, GetParam(), HeldKeys(record));
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, KEY_E, 0); }));
}

TEST_F(QmpWithTablet, APausedVmIsToldAndAKeyHeldThroughThePauseIsLifted) {
    Viewer viewer(*guest, Way::qmp);
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    guest->settle(viewer.loop);
    viewer.input->key(KEY_Q, KeyState::pressed);
    ASSERT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, KEY_Q, 1); }));
    guest->command(R"({"execute":"stop"})");
    ASSERT_TRUE(viewer.becomes(InputState::off));
    EXPECT_EQ(viewer.input->status().reason, "the VM is paused");
    viewer.input->key(KEY_Q, KeyState::released);
    guest->command(R"({"execute":"cont"})");
    EXPECT_TRUE(viewer.becomes(InputState::ready));
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, KEY_Q, 0); }));
}

TEST_F(QmpWithTablet, ABusySocketIsToldAndTakenWhenItIsFree) {
    auto first = std::make_unique<Viewer>(*guest, Way::qmp);
    ASSERT_TRUE(first->becomes(InputState::ready));
    Viewer second(*guest, Way::qmp);
    ASSERT_TRUE(second.becomes(InputState::off));
    EXPECT_THAT(second.input->status().reason, testing::HasSubstr("another client holds the socket"));
    first.reset();
    EXPECT_TRUE(second.becomes(InputState::ready));
}

class BusWithTablet : public QemuInput {
protected:
    void SetUp() override { use(machineWithTablet()); }
};

TEST_F(BusWithTablet, ThePointerIsWhereItIsPutToOnePixelOfTheConsole) {
    // QEMU takes whole pixels of a console that is 400 lines high or higher.
    constexpr int onePixel = 0x7fff / 400 + 1;
    Viewer viewer(*guest, Way::bus);
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    ASSERT_EQ(viewer.input->pointerMode(), PointerMode::absolute);
    viewer.put(0.25, 0.25);
    guest->settle(viewer.loop);
    int x = -1;
    int y = -1;
    const auto arrives = [&](double wantedX, double wantedY) {
        viewer.put(wantedX, wantedY);
        return InputGuest::waitUntil(viewer.loop, [&] {
            x = lastOf(guest->events(), EV_ABS, ABS_X, x);
            y = lastOf(guest->events(), EV_ABS, ABS_Y, y);
            return std::abs(x - static_cast<int>(wantedX * 0x7fff)) <= onePixel &&
                   std::abs(y - static_cast<int>(wantedY * 0x7fff)) <= onePixel;
        });
    };
    EXPECT_TRUE(arrives(0, 0)) << x << "," << y;
    EXPECT_TRUE(arrives(1, 0)) << x << "," << y;
    EXPECT_TRUE(arrives(1, 1)) << x << "," << y;
    EXPECT_TRUE(arrives(0, 1)) << x << "," << y;
    EXPECT_TRUE(arrives(0.5, 0.5)) << x << "," << y;
}

class WithMouse : public QemuInput {
protected:
    void SetUp() override { use(machineWithMouse()); }
};

TEST_P(WithMouse, RelativeMotionAddsUpExactly) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    EXPECT_EQ(viewer.input->pointerMode(), PointerMode::relative);
    guest->settle(viewer.loop);
    // QEMU's PS/2 mouse has a queue for four movements; what exceeds it waits there for the next one.
    for (int burst = 1; burst <= 100; ++burst) {
        for (int i = 0; i < 3; ++i) {
            viewer.input->moveBy(2.75, -1.5);
            viewer.input->frame();
        }
        // 8.25 and 4.5 steps a burst, of which the whole ones have come.
        const auto arrived = [&] {
            return sumOf(guest->events(), EV_REL, REL_X) == burst * 33 / 4 &&
                   sumOf(guest->events(), EV_REL, REL_Y) == -9 * burst / 2;
        };
        ASSERT_TRUE(InputGuest::waitUntil(viewer.loop, arrived))
            << "after burst " << burst << ": " << sumOf(guest->events(), EV_REL, REL_X) << ","
            << sumOf(guest->events(), EV_REL, REL_Y);
    }
}

TEST_P(WithMouse, SideButtonsAndWheelArrive) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    guest->settle(viewer.loop);
    for (const unsigned button : {BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA}) {
        viewer.input->button(button, ButtonState::pressed);
        viewer.input->frame();
        EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, button, 1); }))
            << button;
        viewer.input->button(button, ButtonState::released);
        viewer.input->frame();
        EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_KEY, button, 0); }))
            << button;
    }
    viewer.input->scroll(ScrollAxis::vertical, 240);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return sumOf(guest->events(), EV_REL, REL_WHEEL) == -2; }));
    // No more than two clicks at a time: by D-Bus each is two packets of the queue for four.
    for (const auto& [value120, sum] : {std::pair{240, 2}, std::pair{-240, 0}}) {
        viewer.input->scroll(ScrollAxis::horizontal, value120);
        viewer.input->frame();
        EXPECT_TRUE(
            InputGuest::waitUntil(viewer.loop, [&] { return sumOf(guest->events(), EV_REL, REL_HWHEEL) == sum; }))
            << "to the right where positive: " << sumOf(guest->events(), EV_REL, REL_HWHEEL);
    }
}

TEST_P(WithMouse, KeysOfEachKindArriveThroughAPs2Keyboard) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    guest->settle(viewer.loop);
    // A letter, a function key, the keypad and its twin, both sides' modifiers, Print Screen, Pause, media,
    // international.
    for (const unsigned code : {KEY_A,        KEY_F12,      KEY_KPENTER, KEY_KP7,    KEY_HOME,     KEY_RIGHTCTRL,
                                KEY_RIGHTALT, KEY_LEFTMETA, KEY_SYSRQ,   KEY_PAUSE,  KEY_VOLUMEUP, KEY_NEXTSONG,
                                KEY_102ND,    KEY_RO,       KEY_YEN,     KEY_HENKAN, KEY_MUHENKAN, KEY_KATAKANAHIRAGANA,
                                KEY_KPCOMMA,  KEY_COMPOSE,  KEY_POWER}) {
        viewer.input->key(code, KeyState::pressed);
        viewer.input->key(code, KeyState::released);
        EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] {
            return has(guest->events(), EV_KEY, code, 1) && has(guest->events(), EV_KEY, code, 0);
        })) << code;
    }
}

TEST_P(WithMouse, ATabletThatIsPluggedInIsUsedAndOneThatIsTakenAwayIsNot) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    ASSERT_EQ(viewer.input->pointerMode(), PointerMode::relative);
    const auto becomes = [&](PointerMode mode) {
        return InputGuest::waitUntil(viewer.loop, [&] {
            viewer.input->moveBy(1, 0);
            viewer.put(0.5, 0.5);
            return viewer.input->pointerMode() == mode;
        });
    };
    guest->forget();
    guest->command(R"({"execute":"device_add","arguments":{"driver":"usb-tablet","bus":"usb.0","id":"tablet"}})");
    ASSERT_TRUE(guest->waitForDevices({tablet}));
    ASSERT_TRUE(becomes(PointerMode::absolute));
    guest->settle(viewer.loop);
    viewer.put(0, 0);
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return has(guest->events(), EV_ABS, ABS_X, 0); }));
    guest->command(R"({"execute":"device_del","arguments":{"id":"tablet"}})");
    EXPECT_TRUE(becomes(PointerMode::relative));
    guest->settle(viewer.loop);
    viewer.input->moveBy(5, 0);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return sumOf(guest->events(), EV_REL, REL_X) == 5; }));
}

class WithTouchScreen : public QemuInput {
protected:
    void SetUp() override {
        if (std::system("qemu-system-x86_64 -device help 2>/dev/null | grep -q virtio-multitouch-pci") != 0)
            GTEST_SKIP() << "QEMU before 8.1 has no touch screen";
        use(machineWithTouchScreen());
    }
};

TEST_P(WithTouchScreen, TwoFingersGoDownMoveAndLift) {
    Viewer viewer(*guest, GetParam());
    ASSERT_TRUE(viewer.becomes(InputState::ready));
    ASSERT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return viewer.backend->takesTouch(); }));
    guest->settle(viewer.loop);
    // By D-Bus whole pixels of a console that is 400 lines high or higher.
    const int tolerance = GetParam() == Way::qmp ? 1 : 0x7fff / 400 + 1;
    // What the kernel says twice it leaves out: the newest slot and place count.
    const auto placeIs = [&](int slot, double x, double y) {
        int current = 0;
        int seenX = -1;
        int seenY = -1;
        for (const GuestEvent& event : guest->events()) {
            if (event.type != EV_ABS)
                continue;
            if (event.code == ABS_MT_SLOT)
                current = event.value;
            else if (event.code == ABS_MT_POSITION_X && current == slot)
                seenX = event.value;
            else if (event.code == ABS_MT_POSITION_Y && current == slot)
                seenY = event.value;
        }
        return std::abs(seenX - static_cast<int>(x * 0x7fff)) <= tolerance &&
               std::abs(seenY - static_cast<int>(y * 0x7fff)) <= tolerance;
    };
    const auto lifted = [&] {
        return std::ranges::count(guest->events(), GuestEvent{touchScreen, EV_ABS, ABS_MT_TRACKING_ID, -1});
    };
    const auto told = [&] {
        std::string text;
        for (const GuestEvent& event : guest->events())
            text += fmt::format("{} {} {}\n", event.type, event.code, event.value);
        return text;
    };
    viewer.input->touchDown(7, 0.25, 0.75);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return placeIs(0, 0.25, 0.75); })) << told();
    viewer.input->touchDown(9, 0.5, 0.5);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return placeIs(1, 0.5, 0.5); })) << told();
    viewer.input->touchMove(7, 0.125, 0.875);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return placeIs(0, 0.125, 0.875); })) << told();
    EXPECT_EQ(lifted(), 0);
    viewer.input->touchUp(7);
    viewer.input->frame();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return lifted() == 1; })) << told();
    viewer.input->releaseAll();
    EXPECT_TRUE(InputGuest::waitUntil(viewer.loop, [&] { return lifted() == 2; })) << told();
}

INSTANTIATE_TEST_SUITE_P(Way, WithTouchScreen, testing::Values(Way::qmp, Way::bus), nameOfWay);

INSTANTIATE_TEST_SUITE_P(Way, WithMouse, testing::Values(Way::qmp, Way::socket), nameOfWay);

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// From the session's devices to the guest: keys, hot keys, pointers, fingers.
#include "monitor_bed.h"

#include <fmt/format.h>
#include <linux/input-event-codes.h>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;

/// Writes down what the guest is sent.
class RecordingInput final : public InputSink {
public:
    void key(std::uint32_t code, KeyState state) override {
        told.push_back(fmt::format("key {}{}", code, state == KeyState::pressed ? "+" : "-"));
    }
    void button(std::uint32_t code, ButtonState state) override {
        told.push_back(fmt::format("button {:x}{}", code, state == ButtonState::pressed ? "+" : "-"));
    }
    void moveTo(double x, double y) override { told.push_back(fmt::format("to {:.4f} {:.4f}", x, y)); }
    void moveBy(double dx, double dy) override { told.push_back(fmt::format("by {:.2f} {:.2f}", dx, dy)); }
    void scroll(ScrollAxis axis, std::int32_t value120) override {
        told.push_back(fmt::format("scroll {} {}", axis == ScrollAxis::vertical ? "down" : "right", value120));
    }
    void touchDown(std::int32_t id, double x, double y) override {
        told.push_back(fmt::format("touch {} down {:.4f} {:.4f}", id, x, y));
    }
    void touchMove(std::int32_t id, double x, double y) override {
        told.push_back(fmt::format("touch {} move {:.4f} {:.4f}", id, x, y));
    }
    void touchUp(std::int32_t id) override { told.push_back(fmt::format("touch {} up", id)); }
    void frame() override { told.emplace_back("frame"); }
    void releaseAll() override { told.emplace_back("release all"); }

    [[nodiscard]] PointerMode pointerMode() const noexcept override { return mode; }
    [[nodiscard]] const InputStatus& status() const noexcept override { return status_; }
    [[nodiscard]] const std::string& description() const noexcept override { return description_; }
    void observe(InputObserver*) noexcept override {}

    PointerMode mode = PointerMode::absolute;
    std::vector<std::string> told;

private:
    InputStatus status_{.state = InputState::ready};
    std::string description_ = "test";
};

using Told = std::vector<std::string>;

class MonitorInputTest : public MonitorTest {
protected:
    ~MonitorInputTest() override { end(); }

    /// A monitor of 320x200 that shows a guest of that size, and devices.
    void begin(Size guest = {320, 200}, HotKeys hotKeys = {}) {
        source.flip(patternBuffer(guest, 1));
        start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}},
               .input = &input,
               .hotKeys = std::move(hotKeys)});
        ASSERT_TRUE(until([&] { return tap.commits >= 1 && screen().litPixels() > 0 && !guestWaiting(); }));
        ASSERT_TRUE(monitor_tap_plug_devices());
    }
    [[nodiscard]] bool guestWaiting() const { return detail("scanned_out") + detail("composed") == 0; }
    Told take() { return std::exchange(input.told, {}); }

    RecordingInput input;
};

void tapKey(std::uint32_t code) {
    monitor_tap_key(code, true);
    monitor_tap_key(code, false);
}

TEST_F(MonitorInputTest, KeysGoToTheGuestByTheirPlaces) {
    begin();
    tapKey(KEY_A);
    tapKey(KEY_F11);
    EXPECT_EQ(take(), (Told{fmt::format("key {}+", KEY_A), fmt::format("key {}-", KEY_A),
                            fmt::format("key {}+", KEY_F11), fmt::format("key {}-", KEY_F11)}));
}

TEST_F(MonitorInputTest, CtrlAltFnNeverReachesTheGuestAndTheModifiersAreLifted) {
    begin();
    monitor_tap_key(KEY_LEFTCTRL, true);
    monitor_tap_key(KEY_LEFTALT, true);
    for (const std::uint32_t key : {KEY_F1, KEY_F2, KEY_F10, KEY_F11, KEY_F12})
        tapKey(key);
    monitor_tap_key(KEY_LEFTALT, false);
    monitor_tap_key(KEY_LEFTCTRL, false);
    EXPECT_EQ(take(), (Told{"key 29+", "key 56+", "key 56-", "key 29-"}));
}

TEST_F(MonitorInputTest, CtrlAltDigitPressesTheFunctionKeyInTheGuest) {
    begin();
    monitor_tap_key(KEY_LEFTCTRL, true);
    monitor_tap_key(KEY_LEFTALT, true);
    tapKey(KEY_2);
    EXPECT_EQ(take(), (Told{"key 29+", "key 56+", fmt::format("key {}+", KEY_F2), fmt::format("key {}-", KEY_F2)}));
}

TEST_F(MonitorInputTest, CtrlAltQEndsTheRunAndWhatHasNoUseOnAMonitorIsTheGuests) {
    unsigned closed = 0;
    Forwarder own{loop, {.sinkClosed = [&](FrameSink&) { ++closed; }}};
    source.flip(patternBuffer({320, 200}, 1));
    sink = std::make_unique<MonitorSink>(
        loop, log, MonitorOptions{.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .input = &input});
    own.setSource(&source);
    own.addSink(*sink);
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
    ASSERT_TRUE(monitor_tap_plug_devices());
    monitor_tap_key(KEY_RIGHTCTRL, true);
    monitor_tap_key(KEY_RIGHTALT, true);
    tapKey(KEY_F);
    EXPECT_EQ(take(), (Told{fmt::format("key {}+", KEY_RIGHTCTRL), fmt::format("key {}+", KEY_RIGHTALT),
                            fmt::format("key {}+", KEY_F), fmt::format("key {}-", KEY_F)}));
    tapKey(KEY_Q);
    EXPECT_TRUE(take().empty());
    EXPECT_TRUE(until([&] { return closed == 1; }));
    own.removeSink(*sink);
    own.setSource(nullptr);
}

TEST_F(MonitorInputTest, CtrlAltSSavesWhatTheGuestShows) {
    std::vector<std::string> saved;
    const BufferRef shown = patternBuffer({320, 200}, 1);
    source.flip(shown);
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}},
           .input = &input,
           .saveScreenshot = [&](const Frame& frame, const std::string& name) {
               saved.push_back(frame.primary && frame.primary->buffer == shown ? name : "another picture");
           }});
    ASSERT_TRUE(until([&] { return !guestWaiting(); }));
    ASSERT_TRUE(monitor_tap_plug_devices());
    monitor_tap_key(KEY_LEFTCTRL, true);
    monitor_tap_key(KEY_LEFTALT, true);
    tapKey(KEY_S);
    EXPECT_EQ(saved, Told{"fake"});
    EXPECT_EQ(take(), (Told{"key 29+", "key 56+"}));
}

TEST_F(MonitorInputTest, HotKeysAreBoundAnewAsForAWindow) {
    HotKeys hotKeys;
    hotKeys.bind("send-ctrl-alt-f1=scroll_lock");
    begin({320, 200}, hotKeys);
    tapKey(KEY_SCROLLLOCK);
    EXPECT_EQ(take(), (Told{"key 29+", "key 56+", "key 59+", "key 59-", "key 56-", "key 29-"}));
}

TEST_F(MonitorInputTest, AMouseMovesTheGuestsTabletWithinTheScreen) {
    begin();
    monitor_tap_move(32, 50, 1, 1);
    monitor_tap_pointer_frame();
    EXPECT_EQ(take(), (Told{"to 0.6000 0.7500", "frame"}));
    monitor_tap_move(-1000, 1000, 0, 0);
    EXPECT_EQ(take(), (Told{"to 0.0000 1.0000"}));
    monitor_tap_move(16, -20, 0, 0);
    EXPECT_EQ(take(), (Told{"to 0.0500 0.9000"}));
}

TEST_F(MonitorInputTest, AMouseMovesTheGuestsMouseByUnacceleratedSteps) {
    begin();
    input.mode = PointerMode::relative;
    monitor_tap_move(32, 50, 3, -4);
    EXPECT_EQ(take(), (Told{"by 3.00 -4.00"}));
}

TEST_F(MonitorInputTest, AMouseOnAScaledGuestMovesByTheMonitorsPixels) {
    // 100x100 on 320x200 is 200x200, from 60 to 260.
    begin({100, 100});
    monitor_tap_move(20, 20, 0, 0);
    EXPECT_EQ(take(), (Told{"to 0.6000 0.6000"}));
}

TEST_F(MonitorInputTest, ATabletsPlaceIsThatOfTheGuestsPictureUnderIt) {
    begin({100, 100});
    monitor_tap_place(0.5, 0.5);
    monitor_tap_place(60.0 / 320, 0);
    monitor_tap_place(160.0 / 320, 1);
    monitor_tap_place(0, 0.25);
    monitor_tap_place(1, 0.75);
    EXPECT_EQ(take(), (Told{"to 0.5000 0.5000", "to 0.0000 0.0000", "to 0.5000 1.0000", "to 0.0000 0.2500",
                            "to 1.0000 0.7500"}));
    input.mode = PointerMode::relative;
    monitor_tap_place(0.5, 0.75);
    EXPECT_EQ(take(), (Told{"by -100.00 0.00"}));
}

TEST_F(MonitorInputTest, ButtonsAndWheelsGoOn) {
    begin();
    monitor_tap_button(BTN_SIDE, true);
    monitor_tap_button(BTN_SIDE, false);
    monitor_tap_scroll(false, 15, 120);
    monitor_tap_scroll(false, -15, -120);
    monitor_tap_scroll(true, 30, 240);
    monitor_tap_scroll(false, 5, 0);
    monitor_tap_pointer_frame();
    EXPECT_EQ(take(), (Told{fmt::format("button {:x}+", BTN_SIDE), fmt::format("button {:x}-", BTN_SIDE),
                            "scroll down 120", "scroll down -120", "scroll right 240", "scroll down 40", "frame"}));
}

TEST_F(MonitorInputTest, FingersGoOnToTheirPlacesAndACancelledOneIsLifted) {
    begin({100, 100});
    monitor_tap_touch_down(3, 0.5, 0.5);
    monitor_tap_touch_frame();
    monitor_tap_touch_move(3, 210.0 / 320, 0.25);
    monitor_tap_touch_down(4, 0, 0);
    monitor_tap_touch_up(3);
    monitor_tap_touch_cancel(4);
    EXPECT_EQ(take(), (Told{"touch 3 down 0.5000 0.5000", "frame", "touch 3 move 0.7500 0.2500",
                            "touch 4 down 0.0000 0.0000", "touch 3 up", "touch 4 up"}));
}

TEST_F(MonitorInputTest, WithoutAPictureOnlyKeysGoOn) {
    start({.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}, .input = &input});
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
    ASSERT_TRUE(monitor_tap_plug_devices());
    monitor_tap_move(1, 1, 1, 1);
    monitor_tap_place(0.5, 0.5);
    monitor_tap_touch_down(0, 0.5, 0.5);
    tapKey(KEY_ENTER);
    EXPECT_EQ(take(), (Told{"key 28+", "key 28-"}));
}

TEST_F(MonitorInputTest, WhatADeviceHeldIsLiftedWhenItGoes) {
    begin();
    monitor_tap_key(KEY_LEFTSHIFT, true);
    EXPECT_EQ(take(), (Told{"key 42+"}));
    monitor_tap_unplug_devices();
    const Told told = take();
    EXPECT_NE(std::find(told.begin(), told.end(), "release all"), told.end());
}

TEST_F(MonitorInputTest, WithoutAWayToTheGuestHotKeysWorkAndNothingElseHappens) {
    source.flip(patternBuffer({320, 200}, 1));
    start();
    ASSERT_TRUE(until([&] { return tap.commits >= 1; }));
    ASSERT_TRUE(monitor_tap_plug_devices());
    tapKey(KEY_A);
    monitor_tap_move(1, 1, 1, 1);
    monitor_tap_place(0.5, 0.5);
    monitor_tap_button(BTN_LEFT, true);
    monitor_tap_scroll(false, 15, 120);
    monitor_tap_touch_down(1, 0.5, 0.5);
    monitor_tap_touch_up(1);
    monitor_tap_pointer_frame();
    monitor_tap_unplug_devices();
    EXPECT_TRUE(take().empty());
}

} // namespace
} // namespace vgpuview

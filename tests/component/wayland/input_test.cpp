// SPDX-License-Identifier: MIT
// What the user does at the window, and what of it reaches the guest.
#include "component/wayland/input_fixture.h"

#include <gmock/gmock.h>
#include <linux/input-event-codes.h>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint32_t vertical = WL_POINTER_AXIS_VERTICAL_SCROLL;
constexpr std::uint32_t horizontal = WL_POINTER_AXIS_HORIZONTAL_SCROLL;
constexpr std::uint32_t stateSuspended = 9;

/// Grabs, or lets go; the modifiers stay down.
void tapGrabKeys(TestSeat& seat) {
    seat.key(KEY_LEFTCTRL, true);
    seat.key(KEY_LEFTALT, true);
    seat.tap(KEY_G);
}

// Keys ---------------------------------------------------------------------------------------------------------------

TEST_F(InputTest, KeysReachTheGuestOnceEach) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.tap(KEY_Y);
        seat.key(KEY_RIGHTALT, true);
        seat.key(KEY_RIGHTALT, true);
        seat.key(KEY_RIGHTALT, false);
    });
    EXPECT_THAT(told(), ElementsAre("y+", "y-", "alt_r+", "alt_r-"));
}

TEST_F(InputTest, WhatWasPressedElsewhereIsNotPressedHere) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter({KEY_LEFTALT, KEY_TAB});
        seat.key(KEY_TAB, false);
        seat.key(KEY_LEFTALT, false);
    });
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(InputTest, KeysBeforeTheFocusCountForNothing) {
    openOn({640, 480});
    user([](TestSeat& seat) { seat.tap(KEY_A); });
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(InputTest, FocusLossLiftsAllKeys) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_LEFTCTRL, true);
        seat.key(KEY_A, true);
        seat.keyboardLeave();
    });
    EXPECT_THAT(told(), testing::UnorderedElementsAre("ctrl+", "a+", "a-", "ctrl-"));
}

TEST_F(InputTest, AKeyboardThatIsUnpluggedLeavesNoKeyDown) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_A, true);
        seat.offer(WL_SEAT_CAPABILITY_POINTER);
    });
    EXPECT_THAT(told(), ElementsAre("a+", "a-"));
    EXPECT_TRUE(until([&] { return seat([](TestSeat& seat) { return !seat.hasKeyboard(); }); }));
    user([](TestSeat& seat) { seat.offer(WL_SEAT_CAPABILITY_KEYBOARD); });
    ASSERT_TRUE(until([&] { return seat([](TestSeat& seat) { return seat.hasKeyboard() && !seat.hasPointer(); }); }));
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.tap(KEY_B);
    });
    EXPECT_THAT(told(), ElementsAre("b+", "b-"));
}

TEST_F(InputTest, ASuspendedWindowLeavesNoKeyDown) {
    openOn({640, 480}, {.shellVersion = 6});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_A, true);
    });
    compositor->configure({}, {stateSuspended});
    EXPECT_THAT(told(), ElementsAre("a+", "a-"));
}

TEST_F(InputTest, AWindowThatEndsLeavesNoKeyDown) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_A, true);
        seat.pointerEnter(5, 5);
        seat.button(BTN_LEFT, true);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), testing::Contains("a+"));
    closeWindow();
    EXPECT_THAT(guest.take(), testing::IsSupersetOf({"a-", "pointer 110-"}));
}

TEST_F(InputTest, HotKeysAreKeptFromTheGuest) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.tap(KEY_F11);
        seat.key(KEY_LEFTCTRL, true);
        seat.key(KEY_LEFTALT, true);
        seat.tap(KEY_F);
        seat.tap(KEY_2);
        seat.key(KEY_LEFTALT, false);
        seat.key(KEY_LEFTCTRL, false);
    });
    EXPECT_THAT(told(), ElementsAre("ctrl+", "alt+", "f2+", "f2-", "alt-", "ctrl-"));
    EXPECT_EQ(compositor->requests("xdg_toplevel.set_fullscreen").size(), 2U);
}

TEST_F(InputTest, AFunctionKeyBoundElsewhereBringsItsModifiers) {
    HotKeys hotKeys;
    hotKeys.bind("send-ctrl-alt-f3=f9");
    openOn({640, 480}, {}, {.hotKeys = hotKeys});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.tap(KEY_F9);
    });
    EXPECT_THAT(told(), ElementsAre("ctrl+", "alt+", "f3+", "f3-", "alt-", "ctrl-"));
}

TEST_F(InputTest, TheQuitKeyClosesTheWindow) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_RIGHTCTRL, true);
        seat.key(KEY_LEFTALT, true);
        seat.key(KEY_Q, true);
    });
    EXPECT_TRUE(until([&] { return !closed.empty(); }));
}

TEST_F(InputTest, TheScreenshotKeySavesWhatTheGuestShows) {
    std::vector<std::pair<BufferId, std::string>> saved;
    openOn({640, 480}, {}, {.saveScreenshot = [&](const Frame& frame, const std::string& name) {
               saved.emplace_back(frame.primary->buffer->id(), name);
           }});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_LEFTCTRL, true);
        seat.key(KEY_LEFTALT, true);
        seat.tap(KEY_S);
    });
    ASSERT_TRUE(until([&] { return !saved.empty(); }));
    EXPECT_THAT(saved, ElementsAre(testing::Pair(source.current.primary->buffer->id(), "fake")));
}

// An absolute pointer ------------------------------------------------------------------------------------------------

TEST_F(InputTest, MotionOfAFrameIsOneEvent) {
    openOn({641, 481});
    user([](TestSeat& seat) { seat.pointerEnter(0, 0); });
    EXPECT_THAT(told(), ElementsAre("pointer at 0.000,0.000"));
    user([](TestSeat& seat) {
        seat.move(10, 10);
        seat.move(20, 10);
        seat.move(320.4, 240.4);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer at 0.500,0.500"));
}

TEST_F(InputTest, TheCornersOfThePictureAreTheGuestsCorners) {
    openOn({800, 600}, {.firstConfigure = {1000, 600}});
    user([](TestSeat& seat) { seat.pointerEnter(100, 0); });
    EXPECT_THAT(told(), ElementsAre("pointer at 0.000,0.000"));
    user([](TestSeat& seat) {
        seat.move(899.9, 0);
        seat.pointerFrame();
        seat.move(899.9, 599.9);
        seat.pointerFrame();
        seat.move(100, 599.9);
        seat.pointerFrame();
        seat.move(20, 300.5);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer at 1.000,0.000", "pointer at 1.000,1.000", "pointer at 0.000,1.000",
                                    "pointer at 0.000,0.501"))
        << "the last one is in the black bar";
}

TEST_F(InputTest, AScaledPictureIsPointedAtInItsOwnPixels) {
    openOn({1000, 500}, {.fractionalScale = 240});
    ASSERT_EQ(mainSurface().destination, (Size{500, 250}));
    user([](TestSeat& seat) { seat.pointerEnter(62.5, 62.5); });
    EXPECT_THAT(told(), ElementsAre("pointer at 0.126,0.251")) << "pixel 125 of 1000 and of 500";
}

TEST_F(InputTest, ButtonsWheelAndSideButtonsArriveWithTheirFrame) {
    openOn({641, 481});
    user([](TestSeat& seat) { seat.pointerEnter(0, 0); });
    told();
    user([](TestSeat& seat) {
        seat.move(640, 0);
        seat.button(BTN_LEFT, true);
        seat.pointerFrame();
        seat.button(BTN_LEFT, false);
        seat.pointerFrame();
        for (const std::uint32_t button : {BTN_SIDE, BTN_EXTRA, BTN_FORWARD, BTN_BACK}) {
            seat.button(button, true);
            seat.button(button, false);
            seat.pointerFrame();
        }
    });
    EXPECT_THAT(told(), ElementsAre("pointer at 1.000,0.000 110+", "pointer 110-", "pointer 113+ 113-",
                                    "pointer 114+ 114-", "pointer 115+ 115-", "pointer 116+ 116-"));
}

TEST_F(InputTest, PartsOfAWheelsClickAddUp) {
    openOn({640, 480});
    user([](TestSeat& seat) { seat.pointerEnter(0, 0); });
    told();
    user([](TestSeat& seat) {
        for (int i = 0; i < 8; ++i) {
            seat.axisValue120(vertical, 30);
            seat.axis(vertical, 3.75);
            seat.pointerFrame();
        }
        seat.axisValue120(horizontal, -240);
        seat.axis(horizontal, -30);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer wheel 1,0", "pointer wheel 1,0", "pointer wheel 0,-2"));
}

TEST_F(InputTest, AnOlderSeatCountsWholeClicks) {
    openOn({640, 480}, {.seat = {.version = 5}});
    user([](TestSeat& seat) { seat.pointerEnter(0, 0); });
    told();
    user([](TestSeat& seat) {
        seat.axisDiscrete(vertical, -3);
        seat.axis(vertical, -45);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer wheel -3,0"));
}

TEST_F(InputTest, TwoFingersOnATouchpadScrollByDistance) {
    openOn({640, 480});
    user([](TestSeat& seat) { seat.pointerEnter(0, 0); });
    told();
    user([](TestSeat& seat) {
        for (int i = 0; i < 30; ++i) {
            seat.axis(vertical, 1.5);
            seat.pointerFrame();
        }
    });
    EXPECT_THAT(told(), ElementsAre("pointer wheel 1,0", "pointer wheel 1,0", "pointer wheel 1,0")) << "45 in all";
}

TEST_F(InputTest, ASeatWithoutFramesIsHeardAllTheSame) {
    openOn({641, 481}, {.seat = {.version = 4}});
    user([](TestSeat& seat) {
        seat.pointerEnter(0, 0);
        seat.move(320.5, 240.5);
        seat.button(BTN_RIGHT, true);
        seat.button(BTN_RIGHT, false);
        seat.axis(vertical, 15);
    });
    EXPECT_THAT(told(), ElementsAre("pointer at 0.000,0.000", "pointer at 0.500,0.500", "pointer 111+", "pointer 111-",
                                    "pointer wheel 1,0"));
}

TEST_F(InputTest, APointerThatLeavesLetsGoOfItsButtons) {
    openOn({641, 481});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.key(KEY_LEFTSHIFT, true);
        seat.pointerEnter(0, 0);
        seat.button(BTN_LEFT, true);
        seat.pointerFrame();
        seat.pointerLeave();
        seat.move(5, 5);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("shift+", "pointer at 0.000,0.000", "pointer 110+", "pointer 110-"))
        << "the key stays";
}

// As it is over the title bar that libdecor draws: on another surface of the same client.
TEST_F(InputTest, OnlyTheWindowsOwnSurfaceCounts) {
    openOn({640, 480});
    ASSERT_GT(compositor->surfaces().size(), 1U);
    user([](TestSeat& seat) {
        seat.goTo(1);
        seat.keyboardEnter();
        seat.tap(KEY_A);
        seat.pointerEnter(20, 10);
        seat.move(30, 12);
        seat.pointerFrame();
        seat.button(BTN_LEFT, true);
        seat.button(BTN_LEFT, false);
        seat.pointerFrame();
        seat.axisValue120(vertical, 240);
        seat.axis(vertical, 30);
        seat.pointerFrame();
        seat.axisDiscrete(horizontal, 1);
        seat.axis(horizontal, 15);
        seat.pointerFrame();
        seat.touchDown(0, 20, 10);
        seat.touchFrame();
        seat.touchMove(0, 30, 10);
        seat.touchFrame();
        seat.touchUp(0);
        seat.touchFrame();
    });
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(seat([](TestSeat& seat) { return seat.cursor().calls == 0; }), true)
        << "its cursor is another's business";
    user([](TestSeat& seat) {
        seat.pointerLeave();
        seat.goTo(0);
        seat.pointerEnter(0, 0);
        seat.axisValue120(vertical, 120);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer at 0.000,0.000", "pointer wheel 1,0")) << "and no more than that";
}

// A relative pointer, and the grab -----------------------------------------------------------------------------------

TEST_F(InputTest, AClickCapturesThePointerForARelativeGuest) {
    guest.mode = PointerMode::relative;
    guest.become({.state = InputState::ready});
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.pointerEnter(100, 100);
        seat.move(120, 100);
        seat.pointerFrame();
        seat.button(BTN_LEFT, true);
        seat.pointerFrame();
        seat.button(BTN_LEFT, false);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), IsEmpty()) << "the click is the window's";
    ASSERT_TRUE(seat([](TestSeat& seat) { return seat.lockWanted() && seat.shortcutsInhibited(); }));
    EXPECT_THAT(compositor->requests("zwp_pointer_constraints_v1.confine_pointer"), IsEmpty());
    user([](TestSeat& seat) {
        seat.moveBy(9, 9);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), IsEmpty()) << "not before the compositor says that it is locked";
    user([](TestSeat& seat) {
        seat.activateConstraint();
        seat.moveBy(1.5, -2);
        seat.moveBy(1.5, -2);
        seat.pointerFrame();
        seat.button(BTN_LEFT, true);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer by 3,-4", "pointer 110+")) << "as they are, not accelerated";
    EXPECT_THAT(compositor->title(), HasSubstr("ctrl+alt+g lets go"));
    user([](TestSeat& seat) { tapGrabKeys(seat); });
    EXPECT_THAT(told(), testing::UnorderedElementsAre("ctrl+", "alt+", "ctrl-", "alt-", "pointer 110-"));
    EXPECT_TRUE(until([&] { return seat([](TestSeat& s) { return !s.lockWanted() && !s.shortcutsInhibited(); }); }));
    EXPECT_THAT(compositor->title(), Not(HasSubstr("lets go")));
}

TEST_F(InputTest, AGrabFollowsTheGuestsWayOfPointing) {
    openOn({641, 481});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.pointerEnter(0, 0);
        tapGrabKeys(seat);
        seat.key(KEY_LEFTALT, false);
        seat.key(KEY_LEFTCTRL, false);
    });
    ASSERT_TRUE(until([&] { return seat([](TestSeat& seat) { return seat.confinementWanted(); }); }));
    EXPECT_FALSE(seat([](TestSeat& seat) { return seat.lockWanted(); })) << "a tablet needs the pointer's place";
    guest.mode = PointerMode::relative;
    guest.observer->backendChanged();
    ASSERT_TRUE(until([&] { return seat([](TestSeat& s) { return s.lockWanted() && !s.confinementWanted(); }); }));
    told();
    user([](TestSeat& seat) {
        seat.activateConstraint();
        seat.moveBy(4, 0);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer by 4,0"));
    guest.mode = PointerMode::absolute;
    guest.observer->backendChanged();
    ASSERT_TRUE(until([&] { return seat([](TestSeat& s) { return !s.lockWanted() && s.confinementWanted(); }); }));
    told();
    user([](TestSeat& seat) {
        seat.move(640, 480);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer at 1.000,1.000"));
    EXPECT_TRUE(compositor->clientConnected());
}

TEST_F(InputTest, FocusLossEndsTheGrab) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.pointerEnter(0, 0);
        tapGrabKeys(seat);
    });
    ASSERT_TRUE(
        until([&] { return seat([](TestSeat& s) { return s.confinementWanted() && s.shortcutsInhibited(); }); }));
    told();
    user([](TestSeat& seat) { seat.keyboardLeave(); });
    EXPECT_THAT(told(), testing::UnorderedElementsAre("ctrl-", "alt-"));
    EXPECT_TRUE(
        until([&] { return seat([](TestSeat& s) { return !s.confinementWanted() && !s.shortcutsInhibited(); }); }));
}

TEST_F(InputTest, TheGrabsEndLeavesNoKeyDown) {
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.pointerEnter(0, 0);
        tapGrabKeys(seat);
        seat.key(KEY_A, true);
    });
    ASSERT_TRUE(until([&] { return seat([](TestSeat& s) { return s.shortcutsInhibited(); }); }));
    told();
    user([](TestSeat& seat) { seat.tap(KEY_G); });
    EXPECT_THAT(told(), testing::UnorderedElementsAre("a-", "ctrl-", "alt-"));
    EXPECT_TRUE(until([&] { return seat([](TestSeat& s) { return !s.shortcutsInhibited(); }); }));
    // What is let go of later was lifted already.
    user([](TestSeat& seat) {
        seat.key(KEY_A, false);
        seat.key(KEY_LEFTALT, false);
        seat.key(KEY_LEFTCTRL, false);
        seat.tap(KEY_B);
    });
    EXPECT_THAT(told(), ElementsAre("b+", "b-"));
}

TEST_F(InputTest, ALockThatTheCompositorEndsIsNotHeldOnTo) {
    guest.mode = PointerMode::relative;
    guest.become({.state = InputState::ready});
    openOn({640, 480});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.pointerEnter(0, 0);
        seat.button(BTN_LEFT, true);
    });
    ASSERT_TRUE(until([&] { return seat([](TestSeat& seat) { return seat.lockWanted(); }); }));
    user([](TestSeat& seat) {
        seat.activateConstraint();
        seat.endConstraint();
        seat.moveBy(5, 5);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_TRUE(until([&] { return seat([](TestSeat& s) { return !s.lockWanted() && !s.shortcutsInhibited(); }); }));
    user([](TestSeat& seat) { seat.button(BTN_LEFT, true); });
    EXPECT_TRUE(until([&] { return seat([](TestSeat& seat) { return seat.lockWanted(); }); }))
        << "a click takes it again";
}

TEST_F(InputTest, WithoutALockARelativeGuestFollowsTheStepsOverTheWindow) {
    guest.mode = PointerMode::relative;
    guest.become({.state = InputState::ready});
    openOn({640, 480}, {.seat = {.pointerConstraints = false, .shortcutsInhibit = false}});
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.pointerEnter(100, 100);
    });
    told();
    user([](TestSeat& seat) {
        seat.move(110, 95);
        seat.pointerFrame();
        seat.button(BTN_LEFT, true);
        seat.pointerFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer by 10,-5", "pointer 110+"));
}

TEST_F(InputTest, AViewOnlyWindowIsNeverGrabbed) {
    source.flip(dmaBuf({640, 480}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.pointerEnter(0, 0);
        seat.button(BTN_LEFT, true);
        seat.axis(vertical, 15);
        seat.pointerFrame();
        tapGrabKeys(seat);
        seat.tap(KEY_F);
    });
    ASSERT_TRUE(until([&] { return !compositor->requests("xdg_toplevel.set_fullscreen").empty(); })) << "hot keys work";
    EXPECT_FALSE(seat([](TestSeat& s) { return s.lockWanted() || s.confinementWanted() || s.shortcutsInhibited(); }));
}

// Touch --------------------------------------------------------------------------------------------------------------

TEST_F(InputTest, FingersReachTheGuest) {
    openOn({800, 600}, {.firstConfigure = {1000, 600}});
    user([](TestSeat& seat) {
        seat.touchDown(7, 100, 0);
        seat.touchDown(3, 899, 599);
        seat.touchFrame();
        seat.touchMove(7, 500.5, 300.5);
        seat.touchFrame();
        seat.touchUp(3);
        seat.touchUp(7);
        seat.touchFrame();
    });
    EXPECT_THAT(told(),
                ElementsAre("touch 0 begin 0.000,0.000", "touch 1 begin 1.000,1.000", "touch 0 update 0.501,0.501",
                            "touch 1 end 1.000,1.000", "touch 0 end 0.501,0.501"));
    user([](TestSeat& seat) {
        seat.touchDown(1, 50, 50);
        seat.touchMove(1, 500, 50);
        seat.touchUp(1);
        seat.touchFrame();
    });
    EXPECT_THAT(told(), IsEmpty()) << "it came down in the black bar";
}

TEST_F(InputTest, ACancelledTouchIsLifted) {
    openOn({641, 481});
    user([](TestSeat& seat) {
        seat.touchDown(0, 0, 0);
        seat.touchFrame();
        seat.touchCancel();
    });
    EXPECT_THAT(told(), ElementsAre("touch 0 begin 0.000,0.000", "touch 0 end 0.000,0.000"));
}

TEST_F(InputTest, AGuestWithoutTouchScreenGetsAPointer) {
    guest.takesTouch = false;
    openOn({641, 481});
    user([](TestSeat& seat) {
        seat.touchDown(0, 640, 480);
        seat.touchFrame();
        seat.touchUp(0);
        seat.touchFrame();
    });
    EXPECT_THAT(told(), ElementsAre("pointer at 1.000,1.000 110+", "pointer 110-"));
}

// Input that is off --------------------------------------------------------------------------------------------------

TEST_F(InputTest, TheTitleSaysThatInputIsOffAndWhyAndComesBack) {
    openOn({640, 480});
    EXPECT_EQ(compositor->title(), "fake - 640x480");
    guest.become({.state = InputState::off, .reason = "the VM is paused"});
    EXPECT_TRUE(until([&] { return compositor->title() == "fake - 640x480 (input is off: the VM is paused)"; }))
        << compositor->title();
    user([](TestSeat& seat) {
        seat.keyboardEnter();
        seat.tap(KEY_A);
    });
    EXPECT_THAT(told(), IsEmpty());
    guest.become({.state = InputState::ready});
    EXPECT_TRUE(until([&] { return compositor->title() == "fake - 640x480"; }));
    told();
    user([](TestSeat& seat) { seat.tap(KEY_A); });
    EXPECT_THAT(told(), ElementsAre("a+", "a-"));
}

TEST_F(InputTest, WithoutAPictureThePointerIsNowhere) {
    openOn({640, 480});
    source.blank();
    ASSERT_TRUE(until([&] { return mainSurface().buffer == Size{1, 1}; }));
    user([](TestSeat& seat) {
        seat.pointerEnter(10, 10);
        seat.move(20, 20);
        seat.pointerFrame();
        seat.touchDown(0, 20, 20);
        seat.touchFrame();
    });
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_TRUE(compositor->clientConnected());
}

} // namespace
} // namespace vgpuview

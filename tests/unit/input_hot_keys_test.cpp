// SPDX-License-Identifier: MIT
// Chords match by place with exactly their modifiers, are kept from the guest, and can be bound anew.
#include "base/error.h"
#include "input/hot_keys.h"

#include <gtest/gtest.h>
#include <linux/input-event-codes.h>

#include <array>
#include <initializer_list>
#include <string>

namespace vgpuview {
namespace {

void press(HotKeys& keys, std::initializer_list<std::uint32_t> codes) {
    for (const std::uint32_t code : codes)
        (void)keys.key(code, KeyState::pressed);
}

TEST(HotKeys, AChordIsKeptFromTheGuestPressAndRelease) {
    HotKeys keys;
    EXPECT_TRUE(keys.key(KEY_LEFTCTRL, KeyState::pressed).forGuest);
    EXPECT_TRUE(keys.key(KEY_LEFTALT, KeyState::pressed).forGuest);
    const auto verdict = keys.key(KEY_G, KeyState::pressed);
    EXPECT_FALSE(verdict.forGuest);
    EXPECT_EQ(verdict.action, HotKeyAction::grab);
    EXPECT_TRUE(keys.key(KEY_LEFTCTRL, KeyState::released).forGuest);
    EXPECT_TRUE(keys.key(KEY_LEFTALT, KeyState::released).forGuest);
    EXPECT_FALSE(keys.key(KEY_G, KeyState::released).forGuest);
    EXPECT_TRUE(keys.key(KEY_G, KeyState::pressed).forGuest);
    EXPECT_TRUE(keys.key(KEY_G, KeyState::released).forGuest);
}

TEST(HotKeys, EitherSidesModifierWillDo) {
    HotKeys keys;
    press(keys, {KEY_RIGHTCTRL, KEY_RIGHTALT});
    EXPECT_EQ(keys.key(KEY_Q, KeyState::pressed).action, HotKeyAction::quit);
}

TEST(HotKeys, AModifierTooManyOrTooFewIsNoMatch) {
    HotKeys keys;
    press(keys, {KEY_LEFTCTRL});
    EXPECT_FALSE(keys.key(KEY_Q, KeyState::pressed).action);
    (void)keys.key(KEY_Q, KeyState::released);
    press(keys, {KEY_LEFTALT, KEY_LEFTSHIFT});
    EXPECT_FALSE(keys.key(KEY_Q, KeyState::pressed).action);
    EXPECT_TRUE(keys.key(KEY_F11, KeyState::pressed).forGuest);
}

TEST(HotKeys, OneOfTwoHeldSidesKeepsTheModifierDown) {
    HotKeys keys;
    press(keys, {KEY_LEFTCTRL, KEY_RIGHTCTRL, KEY_LEFTALT});
    (void)keys.key(KEY_RIGHTCTRL, KeyState::released);
    EXPECT_EQ(keys.key(KEY_S, KeyState::pressed).action, HotKeyAction::screenshot);
}

TEST(HotKeys, ARepeatedPressActsOnce) {
    HotKeys keys;
    EXPECT_EQ(keys.key(KEY_F11, KeyState::pressed).action, HotKeyAction::fullScreen);
    const auto again = keys.key(KEY_F11, KeyState::pressed);
    EXPECT_FALSE(again.forGuest);
    EXPECT_FALSE(again.action);
}

TEST(HotKeys, DigitsSendFunctionKeys) {
    HotKeys keys;
    press(keys, {KEY_LEFTCTRL, KEY_LEFTALT});
    for (std::uint32_t digit = 0; digit < 9; ++digit) {
        const auto verdict = keys.key(KEY_1 + digit, KeyState::pressed);
        ASSERT_TRUE(verdict.action);
        EXPECT_EQ(functionKeyOf(*verdict.action), KEY_F1 + digit);
    }
    EXPECT_FALSE(keys.key(KEY_0, KeyState::pressed).action);
    EXPECT_FALSE(functionKeyOf(HotKeyAction::grab));
}

TEST(HotKeys, ModifiersThatCameWithTheFocusCount) {
    HotKeys keys;
    const std::array<std::uint32_t, 2> held{KEY_LEFTCTRL, KEY_LEFTALT};
    keys.focusChanged(held);
    EXPECT_EQ(keys.key(KEY_I, KeyState::pressed).action, HotKeyAction::statistics);
}

TEST(HotKeys, FocusLossForgetsWhatIsDown) {
    HotKeys keys;
    press(keys, {KEY_LEFTCTRL, KEY_LEFTALT, KEY_G});
    keys.focusChanged({});
    EXPECT_TRUE(keys.key(KEY_G, KeyState::released).forGuest);
    EXPECT_FALSE(keys.key(KEY_G, KeyState::pressed).action);
}

TEST(HotKeys, ASingleKeyMayGrab) {
    HotKeys keys;
    keys.addGrabKey("Scroll_Lock");
    EXPECT_EQ(keys.key(KEY_SCROLLLOCK, KeyState::pressed).action, HotKeyAction::grab);
    press(keys, {KEY_LEFTCTRL, KEY_LEFTALT});
    EXPECT_EQ(keys.key(KEY_G, KeyState::pressed).action, HotKeyAction::grab);
}

TEST(HotKeys, AModifierAloneMayGrab) {
    HotKeys keys;
    keys.addGrabKey("ctrl_r");
    EXPECT_EQ(keys.key(KEY_RIGHTCTRL, KeyState::pressed).action, HotKeyAction::grab);
    EXPECT_FALSE(keys.key(KEY_RIGHTCTRL, KeyState::released).forGuest);
    EXPECT_FALSE(keys.key(KEY_LEFTCTRL, KeyState::pressed).action);
}

TEST(HotKeys, BindReplacesTheActionsChords) {
    HotKeys keys;
    keys.bind("fullscreen=meta+ret,f12");
    EXPECT_TRUE(keys.key(KEY_F11, KeyState::pressed).forGuest);
    EXPECT_EQ(keys.key(KEY_F12, KeyState::pressed).action, HotKeyAction::fullScreen);
    press(keys, {KEY_RIGHTMETA});
    EXPECT_EQ(keys.key(KEY_ENTER, KeyState::pressed).action, HotKeyAction::fullScreen);
}

TEST(HotKeys, BindToNothingGivesTheChordToTheGuest) {
    HotKeys keys;
    keys.bind("quit=");
    press(keys, {KEY_LEFTCTRL, KEY_LEFTALT});
    EXPECT_TRUE(keys.key(KEY_Q, KeyState::pressed).forGuest);
}

TEST(HotKeys, AChordBelongsToTheActionThatTookItLast) {
    HotKeys keys;
    keys.bind("screenshot=ctrl+alt+q");
    press(keys, {KEY_LEFTCTRL, KEY_LEFTALT});
    EXPECT_EQ(keys.key(KEY_Q, KeyState::pressed).action, HotKeyAction::screenshot);
}

TEST(HotKeys, HelpListsEveryActionWithItsChords) {
    HotKeys keys;
    keys.addGrabKey("scroll_lock");
    keys.bind("statistics=");
    const std::string help = keys.help();
    EXPECT_NE(help.find("ctrl+alt+g, scroll_lock"), std::string::npos) << help;
    EXPECT_NE(help.find("ctrl+alt+f, f11"), std::string::npos) << help;
    EXPECT_NE(help.find("send-ctrl-alt-f9"), std::string::npos) << help;
    EXPECT_NE(help.find("statistics        -"), std::string::npos) << help;
}

class WrongBinding : public testing::TestWithParam<const char*> {};

TEST_P(WrongBinding, IsWrongUsageAndChangesNothing) {
    HotKeys keys;
    const std::string before = keys.help();
    try {
        keys.bind(GetParam());
        FAIL() << "was taken";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::usage);
        EXPECT_FALSE(error.hint().empty());
    }
    EXPECT_EQ(keys.help(), before);
}

INSTANTIATE_TEST_SUITE_P(All, WrongBinding,
                         testing::Values("", "quit", "leave=f1", "quit=ctrl+", "quit=hyper+q", "quit=f1,,f2", "quit=+q",
                                         "quit=no_such_key"));

TEST(KeyChord, TheTextParsesToTheSameChord) {
    for (const char* text : {"ctrl+alt+g", "f11", "shift+meta+kp_enter", "ctrl+alt+shift+meta+pause"})
        EXPECT_EQ(textOf(parseKeyChord(text)), text);
    EXPECT_EQ(textOf(parseKeyChord("ALT+Ctrl+G")), "ctrl+alt+g");
}

} // namespace
} // namespace vgpuview

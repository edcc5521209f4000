// SPDX-License-Identifier: MIT
// No key of the kernel's is lost in silence, and no key of QEMU's is out of reach.
#include "input/key_map.h"

#include <gtest/gtest.h>
#include <linux/input-event-codes.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace vgpuview {
namespace {

// What QEMU 10 documents as QKeyCode.
const std::set<std::string> keyCodesOfQemu{"unmapped",
                                           "shift",
                                           "shift_r",
                                           "alt",
                                           "alt_r",
                                           "ctrl",
                                           "ctrl_r",
                                           "menu",
                                           "esc",
                                           "1",
                                           "2",
                                           "3",
                                           "4",
                                           "5",
                                           "6",
                                           "7",
                                           "8",
                                           "9",
                                           "0",
                                           "minus",
                                           "equal",
                                           "backspace",
                                           "tab",
                                           "q",
                                           "w",
                                           "e",
                                           "r",
                                           "t",
                                           "y",
                                           "u",
                                           "i",
                                           "o",
                                           "p",
                                           "bracket_left",
                                           "bracket_right",
                                           "ret",
                                           "a",
                                           "s",
                                           "d",
                                           "f",
                                           "g",
                                           "h",
                                           "j",
                                           "k",
                                           "l",
                                           "semicolon",
                                           "apostrophe",
                                           "grave_accent",
                                           "backslash",
                                           "z",
                                           "x",
                                           "c",
                                           "v",
                                           "b",
                                           "n",
                                           "m",
                                           "comma",
                                           "dot",
                                           "slash",
                                           "asterisk",
                                           "spc",
                                           "caps_lock",
                                           "f1",
                                           "f2",
                                           "f3",
                                           "f4",
                                           "f5",
                                           "f6",
                                           "f7",
                                           "f8",
                                           "f9",
                                           "f10",
                                           "num_lock",
                                           "scroll_lock",
                                           "kp_divide",
                                           "kp_multiply",
                                           "kp_subtract",
                                           "kp_add",
                                           "kp_enter",
                                           "kp_decimal",
                                           "sysrq",
                                           "kp_0",
                                           "kp_1",
                                           "kp_2",
                                           "kp_3",
                                           "kp_4",
                                           "kp_5",
                                           "kp_6",
                                           "kp_7",
                                           "kp_8",
                                           "kp_9",
                                           "less",
                                           "f11",
                                           "f12",
                                           "print",
                                           "home",
                                           "pgup",
                                           "pgdn",
                                           "end",
                                           "left",
                                           "up",
                                           "down",
                                           "right",
                                           "insert",
                                           "delete",
                                           "stop",
                                           "again",
                                           "props",
                                           "undo",
                                           "front",
                                           "copy",
                                           "open",
                                           "paste",
                                           "find",
                                           "cut",
                                           "lf",
                                           "help",
                                           "meta_l",
                                           "meta_r",
                                           "compose",
                                           "pause",
                                           "ro",
                                           "hiragana",
                                           "henkan",
                                           "yen",
                                           "muhenkan",
                                           "katakanahiragana",
                                           "kp_comma",
                                           "kp_equals",
                                           "power",
                                           "sleep",
                                           "wake",
                                           "audionext",
                                           "audioprev",
                                           "audiostop",
                                           "audioplay",
                                           "audiomute",
                                           "volumeup",
                                           "volumedown",
                                           "mediaselect",
                                           "mail",
                                           "calculator",
                                           "computer",
                                           "ac_home",
                                           "ac_back",
                                           "ac_forward",
                                           "ac_refresh",
                                           "ac_bookmarks",
                                           "lang1",
                                           "lang2",
                                           "f13",
                                           "f14",
                                           "f15",
                                           "f16",
                                           "f17",
                                           "f18",
                                           "f19",
                                           "f20",
                                           "f21",
                                           "f22",
                                           "f23",
                                           "f24"};

// No key stands for these: nothing, the keypad's asterisk by another name, and Alt+Print Screen, which QEMU makes
// itself.
const std::set<std::string> keyCodesWithoutKey{"unmapped", "asterisk", "sysrq"};

// The keys that QEMU has no name for: of phones, remote controls, boats, laptops' Fn row, braille and macro
// keyboards...
const std::set<std::string> keysWithoutKeyCode{
    "KEY_RESERVED", "KEY_UNKNOWN",
    // of keyboards and desktops
    "KEY_KATAKANA", "KEY_KPJPCOMMA", "KEY_MACRO", "KEY_KPPLUSMINUS", "KEY_SCALE", "KEY_SETUP", "KEY_FILE",
    "KEY_SENDFILE", "KEY_DELETEFILE", "KEY_XFER", "KEY_PROG1", "KEY_PROG2", "KEY_WWW", "KEY_MSDOS", "KEY_COFFEE",
    "KEY_ROTATE_DISPLAY", "KEY_CYCLEWINDOWS", "KEY_CLOSECD", "KEY_EJECTCD", "KEY_EJECTCLOSECD", "KEY_RECORD",
    "KEY_REWIND", "KEY_PHONE", "KEY_ISO", "KEY_CONFIG", "KEY_EXIT", "KEY_MOVE", "KEY_EDIT", "KEY_SCROLLUP",
    "KEY_SCROLLDOWN", "KEY_KPLEFTPAREN", "KEY_KPRIGHTPAREN", "KEY_NEW", "KEY_REDO", "KEY_PAUSECD", "KEY_PROG3",
    "KEY_PROG4", "KEY_ALL_APPLICATIONS", "KEY_SUSPEND", "KEY_CLOSE", "KEY_FASTFORWARD", "KEY_BASSBOOST", "KEY_PRINT",
    "KEY_HP", "KEY_CAMERA", "KEY_SOUND", "KEY_QUESTION", "KEY_CHAT", "KEY_SEARCH", "KEY_CONNECT", "KEY_FINANCE",
    "KEY_SPORT", "KEY_SHOP", "KEY_ALTERASE", "KEY_CANCEL", "KEY_BRIGHTNESSDOWN", "KEY_BRIGHTNESSUP",
    "KEY_SWITCHVIDEOMODE", "KEY_KBDILLUMTOGGLE", "KEY_KBDILLUMDOWN", "KEY_KBDILLUMUP", "KEY_SEND", "KEY_REPLY",
    "KEY_FORWARDMAIL", "KEY_SAVE", "KEY_DOCUMENTS", "KEY_BATTERY", "KEY_BLUETOOTH", "KEY_WLAN", "KEY_UWB",
    "KEY_VIDEO_NEXT", "KEY_VIDEO_PREV", "KEY_BRIGHTNESS_CYCLE", "KEY_BRIGHTNESS_AUTO", "KEY_DISPLAY_OFF", "KEY_WWAN",
    "KEY_RFKILL", "KEY_MICMUTE"};

// From here on (KEY_OK) the kernel's list has the keys of other devices than keyboards.
constexpr unsigned firstForeignCode = KEY_OK;

std::map<unsigned, std::vector<std::string>> keysOfTheKernel() {
    std::map<unsigned, std::vector<std::string>> keys;
    std::map<std::string, unsigned> values;
    std::ifstream header("/usr/include/linux/input-event-codes.h");
    const std::regex definition(R"(#define\s+(KEY_\w+)\s+(0x[0-9a-fA-F]+|\d+|KEY_\w+)\b.*)");
    for (std::string line; std::getline(header, line);) {
        std::smatch match;
        if (!std::regex_match(line, match, definition))
            continue;
        const std::string name = match[1];
        if (name == "KEY_MAX" || name == "KEY_MIN_INTERESTING")
            continue;
        const std::string value = match[2];
        values[name] = value.starts_with("KEY_") ? values[value] : static_cast<unsigned>(std::stoul(value, nullptr, 0));
        keys[values[name]].push_back(name);
    }
    return keys;
}

TEST(KeyMap, EveryKeyOfAKeyboardIsMappedOrKnownToHaveNoCode) {
    const auto keys = keysOfTheKernel();
    ASSERT_GT(keys.size(), 400U) << "the kernel's header was not read";
    for (const auto& [code, names] : keys) {
        if (code >= firstForeignCode) {
            EXPECT_FALSE(keyMappingOf(code)) << names.front();
            continue;
        }
        bool listed = false;
        for (const std::string& name : names)
            listed = listed || keysWithoutKeyCode.contains(name);
        EXPECT_NE(keyMappingOf(code).has_value(), listed) << names.front() << " is neither mapped nor listed, or both";
    }
}

TEST(KeyMap, TheListOfUnmappedKeysHasNoNameThatTheKernelLacks) {
    std::set<std::string> names;
    for (const auto& [code, ofCode] : keysOfTheKernel())
        names.insert(ofCode.begin(), ofCode.end());
    for (const std::string& name : keysWithoutKeyCode)
        EXPECT_TRUE(names.contains(name)) << name;
}

TEST(KeyMap, EveryKeyCodeOfQemuIsReachedAndNoOtherIsUsed) {
    std::set<std::string> reached;
    for (const KeyMapping& mapping : keyMappings())
        reached.emplace(mapping.keyCode);
    for (const std::string& name : keyCodesOfQemu)
        EXPECT_NE(reached.contains(name), keyCodesWithoutKey.contains(name)) << name;
    for (const std::string& name : reached)
        EXPECT_TRUE(keyCodesOfQemu.contains(name)) << name;
}

TEST(KeyMap, AKeyCodeHasOneScanCodeAndAScanCodeOneKeyCode) {
    std::map<std::string_view, unsigned> numbers;
    std::map<unsigned, std::string_view> names;
    for (const KeyMapping& mapping : keyMappings()) {
        EXPECT_EQ(numbers.emplace(mapping.keyCode, mapping.qnum).first->second, mapping.qnum) << mapping.keyCode;
        EXPECT_EQ(names.emplace(mapping.qnum, mapping.keyCode).first->second, mapping.keyCode) << mapping.keyCode;
    }
}

TEST(KeyMap, TheFirstEightyThreeScanCodesAreTheKernelsOwn) {
    for (const KeyMapping& mapping : keyMappings()) {
        if (mapping.evdevCode <= KEY_KPDOT) {
            EXPECT_EQ(mapping.qnum, mapping.evdevCode);
        }
    }
}

TEST(KeyMap, KeysThatHaveTwinsCarryTheExtendedBit) {
    EXPECT_EQ(keyMappingOf(KEY_RIGHTCTRL)->qnum, keyMappingOf(KEY_LEFTCTRL)->qnum | 0x80);
    EXPECT_EQ(keyMappingOf(KEY_RIGHTALT)->qnum, keyMappingOf(KEY_LEFTALT)->qnum | 0x80);
    EXPECT_EQ(keyMappingOf(KEY_KPENTER)->qnum, keyMappingOf(KEY_ENTER)->qnum | 0x80);
    EXPECT_EQ(keyMappingOf(KEY_KPSLASH)->qnum, keyMappingOf(KEY_SLASH)->qnum | 0x80);
    EXPECT_EQ(keyMappingOf(KEY_HOME)->qnum, keyMappingOf(KEY_KP7)->qnum | 0x80);
    EXPECT_EQ(keyMappingOf(KEY_DELETE)->qnum, keyMappingOf(KEY_KPDOT)->qnum | 0x80);
}

TEST(KeyMap, CodesOfNoKeyAreNotMapped) {
    for (const std::uint32_t code : {0U, 84U, 0x110U, 0x2ffU, 0x10001U, 0xffffffffU})
        EXPECT_FALSE(keyMappingOf(code)) << code;
}

TEST(KeyMap, EveryModifierIsMapped) {
    EXPECT_EQ(modifierKeys().size(), 8U);
    for (const std::uint16_t code : modifierKeys())
        EXPECT_TRUE(keyMappingOf(code)) << code;
}

} // namespace
} // namespace vgpuview

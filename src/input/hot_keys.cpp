// SPDX-License-Identifier: MIT
// The key combinations that the viewer keeps for itself.
#include "input/hot_keys.h"

#include "base/error.h"
#include "input/key_map.h"

#include <fmt/format.h>
#include <linux/input-event-codes.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace vgpuview {

namespace {

struct ActionText {
    HotKeyAction action;
    std::string_view name;
    std::string_view meaning;
};

constexpr auto actions = std::to_array<ActionText>({
    {HotKeyAction::grab, "grab", "grab keyboard and pointer, or let them go"},
    {HotKeyAction::fullScreen, "fullscreen", "full screen, or a window again"},
    {HotKeyAction::quit, "quit", "end the program"},
    {HotKeyAction::screenshot, "screenshot", "save a picture into the pictures folder"},
    {HotKeyAction::statistics, "statistics", "show or hide the statistics"},
    {HotKeyAction::sendCtrlAltF1, "send-ctrl-alt-f1", "press Ctrl+Alt+F1 in the guest"},
    {HotKeyAction::sendCtrlAltF2, "send-ctrl-alt-f2", "press Ctrl+Alt+F2 in the guest"},
    {HotKeyAction::sendCtrlAltF3, "send-ctrl-alt-f3", "press Ctrl+Alt+F3 in the guest"},
    {HotKeyAction::sendCtrlAltF4, "send-ctrl-alt-f4", "press Ctrl+Alt+F4 in the guest"},
    {HotKeyAction::sendCtrlAltF5, "send-ctrl-alt-f5", "press Ctrl+Alt+F5 in the guest"},
    {HotKeyAction::sendCtrlAltF6, "send-ctrl-alt-f6", "press Ctrl+Alt+F6 in the guest"},
    {HotKeyAction::sendCtrlAltF7, "send-ctrl-alt-f7", "press Ctrl+Alt+F7 in the guest"},
    {HotKeyAction::sendCtrlAltF8, "send-ctrl-alt-f8", "press Ctrl+Alt+F8 in the guest"},
    {HotKeyAction::sendCtrlAltF9, "send-ctrl-alt-f9", "press Ctrl+Alt+F9 in the guest"},
});

constexpr std::uint8_t ctrlAlt = KeyChord::ctrl | KeyChord::alt;

struct ModifierName {
    std::uint8_t bit;
    std::string_view name;
};
constexpr auto modifierNames = std::to_array<ModifierName>({
    {KeyChord::ctrl, "ctrl"},
    {KeyChord::alt, "alt"},
    {KeyChord::shift, "shift"},
    {KeyChord::meta, "meta"},
});

std::uint8_t modifierOf(std::uint32_t evdevCode) noexcept {
    switch (evdevCode) {
    case KEY_LEFTCTRL:
    case KEY_RIGHTCTRL:
        return KeyChord::ctrl;
    case KEY_LEFTALT:
    case KEY_RIGHTALT:
        return KeyChord::alt;
    case KEY_LEFTSHIFT:
    case KEY_RIGHTSHIFT:
        return KeyChord::shift;
    case KEY_LEFTMETA:
    case KEY_RIGHTMETA:
        return KeyChord::meta;
    default:
        return 0;
    }
}

std::uint8_t modifierKeyBit(std::uint32_t evdevCode) noexcept {
    const auto keys = modifierKeys();
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i] == evdevCode)
            return static_cast<std::uint8_t>(1U << i);
    return 0;
}

std::string lowerCase(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

[[noreturn]] void refuse(std::string_view operation, std::string_view text, std::string cause) {
    throw Error(EINVAL, {.operation = std::string(operation),
                         .object = fmt::format("'{}'", text),
                         .cause = std::move(cause),
                         .hint = "`vgpu-view --help keys` lists actions and keys",
                         .exit = ExitCode::usage});
}

} // namespace

std::string_view nameOf(HotKeyAction action) noexcept {
    return std::ranges::find(actions, action, &ActionText::action)->name;
}

std::optional<std::uint32_t> functionKeyOf(HotKeyAction action) noexcept {
    if (action < HotKeyAction::sendCtrlAltF1)
        return {};
    return KEY_F1 + static_cast<std::uint32_t>(action) - static_cast<std::uint32_t>(HotKeyAction::sendCtrlAltF1);
}

KeyChord parseKeyChord(std::string_view text) {
    const std::string lower = lowerCase(text);
    std::string_view rest = lower;
    KeyChord chord;
    for (std::size_t plus = rest.find('+'); plus != std::string_view::npos; plus = rest.find('+')) {
        const auto modifier = std::ranges::find(modifierNames, rest.substr(0, plus), &ModifierName::name);
        if (modifier == modifierNames.end())
            refuse("understand key", text, fmt::format("'{}' is no modifier", rest.substr(0, plus)));
        chord.modifiers |= modifier->bit;
        rest.remove_prefix(plus + 1);
    }
    const auto key = std::ranges::find(keyMappings(), rest, &KeyMapping::keyCode);
    if (key == keyMappings().end())
        refuse("understand key", text, fmt::format("QEMU has no key '{}'", rest));
    chord.evdevCode = key->evdevCode;
    return chord;
}

std::string textOf(const KeyChord& chord) {
    std::string text;
    for (const ModifierName& modifier : modifierNames)
        if ((chord.modifiers & modifier.bit) != 0)
            text += fmt::format("{}+", modifier.name);
    const auto mapping = keyMappingOf(chord.evdevCode);
    return text += mapping ? mapping->keyCode : "?";
}

HotKeys::HotKeys() {
    add(HotKeyAction::grab, {ctrlAlt, KEY_G});
    add(HotKeyAction::fullScreen, {ctrlAlt, KEY_F});
    add(HotKeyAction::fullScreen, {0, KEY_F11});
    add(HotKeyAction::quit, {ctrlAlt, KEY_Q});
    add(HotKeyAction::screenshot, {ctrlAlt, KEY_S});
    add(HotKeyAction::statistics, {ctrlAlt, KEY_I});
    for (std::uint16_t digit = 0; digit < 9; ++digit)
        add(static_cast<HotKeyAction>(static_cast<int>(HotKeyAction::sendCtrlAltF1) + digit),
            {ctrlAlt, static_cast<std::uint16_t>(KEY_1 + digit)});
}

void HotKeys::bind(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos)
        refuse("bind", text, "not of the form ACTION=KEY");
    const std::string name = lowerCase(text.substr(0, equals));
    const auto action = std::ranges::find(actions, name, &ActionText::name);
    if (action == actions.end())
        refuse("bind", text, fmt::format("there is no action '{}'", name));
    std::vector<KeyChord> chords;
    for (std::string_view rest = text.substr(equals + 1); !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        chords.push_back(parseKeyChord(rest.substr(0, comma)));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    unbind(action->action);
    for (const KeyChord& chord : chords)
        add(action->action, chord);
}

void HotKeys::unbind(HotKeyAction action) {
    std::erase_if(bindings_, [&](const Binding& binding) { return binding.action == action; });
}

void HotKeys::addGrabKey(std::string_view chord) {
    add(HotKeyAction::grab, parseKeyChord(chord));
}

void HotKeys::add(HotKeyAction action, const KeyChord& chord) {
    std::erase_if(bindings_, [&](const Binding& binding) { return binding.chord == chord; });
    bindings_.push_back({.chord = chord, .action = action});
}

std::uint8_t HotKeys::modifiersDown() const noexcept {
    std::uint8_t modifiers = 0;
    const auto keys = modifierKeys();
    for (std::size_t i = 0; i < keys.size(); ++i)
        if ((modifierKeysDown_ >> i & 1) != 0)
            modifiers |= modifierOf(keys[i]);
    return modifiers;
}

HotKeys::Verdict HotKeys::key(std::uint32_t evdevCode, KeyState state) {
    const std::uint8_t bit = modifierKeyBit(evdevCode);
    if (state == KeyState::released) {
        modifierKeysDown_ = static_cast<std::uint8_t>(modifierKeysDown_ & ~bit);
        return {.forGuest = std::erase(kept_, evdevCode) == 0};
    }
    const KeyChord now{.modifiers = modifiersDown(), .evdevCode = static_cast<std::uint16_t>(evdevCode)};
    const auto found = evdevCode > KEY_MAX ? bindings_.end() : std::ranges::find(bindings_, now, &Binding::chord);
    modifierKeysDown_ |= bit;
    if (found == bindings_.end())
        return {};
    if (std::ranges::find(kept_, evdevCode) != kept_.end())
        return {.forGuest = false};
    kept_.push_back(evdevCode);
    return {.forGuest = false, .action = found->action};
}

void HotKeys::focusChanged(std::span<const std::uint32_t> heldCodes) {
    kept_.clear();
    modifierKeysDown_ = 0;
    for (const std::uint32_t code : heldCodes)
        modifierKeysDown_ |= modifierKeyBit(code);
}

std::optional<KeyChord> HotKeys::chordOf(HotKeyAction action) const {
    const auto found = std::ranges::find(bindings_, action, &Binding::action);
    return found == bindings_.end() ? std::optional<KeyChord>() : found->chord;
}

std::string HotKeys::help() const {
    std::string text;
    for (const ActionText& action : actions) {
        std::string chords;
        for (const Binding& binding : bindings_)
            if (binding.action == action.action)
                chords += fmt::format("{}{}", chords.empty() ? "" : ", ", textOf(binding.chord));
        text += fmt::format("{:<18}{:<20}{}\n", action.name, chords.empty() ? "-" : chords, action.meaning);
    }
    return text;
}

} // namespace vgpuview

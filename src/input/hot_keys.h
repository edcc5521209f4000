// SPDX-License-Identifier: MIT
// The key combinations that the viewer keeps for itself.
#pragma once

#include "input/input_sink.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

enum class HotKeyAction {
    grab,       ///< grab keyboard and pointer, or let them go
    fullScreen, ///< full screen, or a window again
    quit,
    screenshot,
    statistics,
    sendCtrlAltF1, ///< to the guest; the others follow in order
    sendCtrlAltF2,
    sendCtrlAltF3,
    sendCtrlAltF4,
    sendCtrlAltF5,
    sendCtrlAltF6,
    sendCtrlAltF7,
    sendCtrlAltF8,
    sendCtrlAltF9,
};
[[nodiscard]] std::string_view nameOf(HotKeyAction action) noexcept;
/// The function key's evdev code of sendCtrlAltF1 and so on; nothing for other actions.
[[nodiscard]] std::optional<std::uint32_t> functionKeyOf(HotKeyAction action) noexcept;

/// Keys that are down together: modifiers (either side) and one more key, by their places on the keyboard.
struct KeyChord {
    static constexpr std::uint8_t ctrl = 1;
    static constexpr std::uint8_t alt = 2;
    static constexpr std::uint8_t shift = 4;
    static constexpr std::uint8_t meta = 8;

    std::uint8_t modifiers = 0;
    std::uint16_t evdevCode = 0;

    friend bool operator==(const KeyChord&, const KeyChord&) = default;
};
/// "ctrl+alt+g", "f11", "scroll_lock": modifiers (ctrl, alt, shift, meta) and QEMU's name of the key. Throws Error
/// (usage).
[[nodiscard]] KeyChord parseKeyChord(std::string_view text);
[[nodiscard]] std::string textOf(const KeyChord& chord);

/// Watches the keyboard for the bound chords. A chord matches by place, whatever the layout, with exactly its modifiers
/// down. The key that completes it is kept from the guest, press and release.
class HotKeys {
public:
    struct Verdict {
        bool forGuest = true;
        std::optional<HotKeyAction> action = {};
    };

    /// The default bindings.
    HotKeys();

    /// "ACTION=CHORD[,CHORD...]" in place of the action's chords; "ACTION=" for none. A chord that another action has
    /// is taken from it. Throws Error (usage).
    void bind(std::string_view text);
    /// For a viewer that can't do it: its chords are the guest's.
    void unbind(HotKeyAction action);
    /// One more chord for grab. Throws Error (usage).
    void addGrabKey(std::string_view chord);

    [[nodiscard]] Verdict key(std::uint32_t evdevCode, KeyState state);
    /// The keyboard came to the window with these keys down, which match nothing until they are pressed again; or, with
    /// none, it left.
    void focusChanged(std::span<const std::uint32_t> heldCodes);

    /// The first chord of an action; nothing where it has none.
    [[nodiscard]] std::optional<KeyChord> chordOf(HotKeyAction action) const;
    /// A line for each action: its name, its chords, what it does.
    [[nodiscard]] std::string help() const;

private:
    struct Binding {
        KeyChord chord;
        HotKeyAction action;
    };

    void add(HotKeyAction action, const KeyChord& chord);
    [[nodiscard]] std::uint8_t modifiersDown() const noexcept;

    std::vector<Binding> bindings_;
    std::uint8_t modifierKeysDown_ = 0; ///< a bit for each of modifierKeys()
    std::vector<std::uint32_t> kept_;   ///< pressed and not passed on
};

} // namespace vgpuview

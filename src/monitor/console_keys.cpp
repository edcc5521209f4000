// SPDX-License-Identifier: MIT
// The keys that change the virtual terminal.
#include "monitor/console_keys.h"

#include <linux/input-event-codes.h>

namespace vgpuview {

namespace {

enum Modifier : std::uint8_t { leftControl = 1, rightControl = 2, leftAlt = 4, rightAlt = 8 };

std::uint8_t modifierOf(std::uint32_t keycode) noexcept {
    switch (keycode) {
    case KEY_LEFTCTRL:
        return leftControl;
    case KEY_RIGHTCTRL:
        return rightControl;
    case KEY_LEFTALT:
        return leftAlt;
    case KEY_RIGHTALT:
        return rightAlt;
    default:
        return 0;
    }
}

std::optional<unsigned> functionKey(std::uint32_t keycode) noexcept {
    if (keycode >= KEY_F1 && keycode <= KEY_F10)
        return keycode - KEY_F1 + 1;
    if (keycode == KEY_F11 || keycode == KEY_F12)
        return keycode - KEY_F11 + 11;
    return std::nullopt;
}

} // namespace

KeyVerdict ConsoleKeys::handle(std::uint32_t keycode, bool pressed) noexcept {
    if (const std::uint8_t modifier = modifierOf(keycode)) {
        modifiers_ = static_cast<std::uint8_t>(pressed ? modifiers_ | modifier : modifiers_ & ~modifier);
        return PassOn{};
    }
    if (!pressed) {
        if (swallowed_ != keycode)
            return PassOn{};
        swallowed_.reset();
        return Swallowed{};
    }
    if (!(modifiers_ & (leftControl | rightControl)) || !(modifiers_ & (leftAlt | rightAlt)))
        return PassOn{};
    if (const auto number = functionKey(keycode)) {
        swallowed_ = keycode;
        return ChangeTerminal{*number};
    }
    return PassOn{};
}

void ConsoleKeys::releaseAll() noexcept {
    modifiers_ = 0;
    swallowed_.reset();
}

} // namespace vgpuview

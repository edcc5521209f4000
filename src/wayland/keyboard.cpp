// SPDX-License-Identifier: MIT
// The keys that the window keeps for itself.
#include "wayland/keyboard.h"

#include "base/unique_fd.h"

#include <linux/input-event-codes.h>

namespace vgpuview {

Keyboard::Keyboard(EventLoop& loop, wl_seat* seat, std::function<void()> toggleFullScreen)
    : loop_(loop)
    , seat_(seat)
    , toggleFullScreen_(std::move(toggleFullScreen)) {
    static constexpr wl_seat_listener listener{
        .capabilities = EventHandler<&Keyboard::capabilities>::call,
        .name = ignoreEvent,
    };
    if (seat_)
        wl_seat_add_listener(seat_, &listener, this);
}

void Keyboard::capabilities(std::uint32_t which) {
    const bool present = (which & WL_SEAT_CAPABILITY_KEYBOARD) != 0;
    if (!present)
        keyboard_.reset();
    if (!present || keyboard_)
        return;
    static constexpr wl_keyboard_listener listener{
        .keymap = EventHandler<&Keyboard::keymap>::call,
        .enter = ignoreEvent,
        .leave = ignoreEvent,
        .key = EventHandler<&Keyboard::key>::call,
        .modifiers = ignoreEvent,
        .repeat_info = ignoreEvent,
    };
    keyboard_.reset(wl_seat_get_keyboard(seat_));
    wl_keyboard_add_listener(keyboard_.get(), &listener, this);
}

void Keyboard::keymap(std::uint32_t, std::int32_t fd, std::uint32_t) {
    // Keys are matched by place, not by layout; the descriptor is ours to close.
    const UniqueFd unused(fd);
}

void Keyboard::key(std::uint32_t, std::uint32_t, std::uint32_t code, std::uint32_t state) {
    if (code == KEY_F11 && state == WL_KEYBOARD_KEY_STATE_PRESSED)
        toggleFullScreen_();
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The keyboard: keys to the guest, but for those that the window keeps for itself.
#include "wayland/keyboard.h"

#include "base/unique_fd.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vgpuview {

namespace {

// Who sends more keys than any hand can hold is not believed.
constexpr std::size_t mostKeys = 64;

std::vector<std::uint32_t> codesIn(const wl_array& keys) {
    std::vector<std::uint32_t> codes(std::min(keys.size / sizeof(std::uint32_t), mostKeys));
    if (!codes.empty())
        std::memcpy(codes.data(), keys.data, codes.size() * sizeof(std::uint32_t));
    return codes;
}

} // namespace

Keyboard::Keyboard(EventLoop& loop, Proxy<wl_keyboard> keyboard, wl_surface* window, InputSink* input, HotKeys& hotKeys,
                   KeyboardObserver& observer)
    : loop_(loop)
    , window_(window)
    , observer_(observer)
    , guest_(input, hotKeys, [&observer](HotKeyAction action) { observer.hotKeyPressed(action); })
    , keyboard_(std::move(keyboard)) {
    static constexpr wl_keyboard_listener listener{
        .keymap = EventHandler<&Keyboard::keymap>::call,
        .enter = EventHandler<&Keyboard::enter>::call,
        .leave = EventHandler<&Keyboard::leave>::call,
        .key = EventHandler<&Keyboard::key>::call,
        .modifiers = ignoreEvent,
        .repeat_info = ignoreEvent,
    };
    wl_keyboard_add_listener(keyboard_.get(), &listener, this);
}

Keyboard::~Keyboard() {
    release();
}

void Keyboard::keymap(std::uint32_t, std::int32_t fd, std::uint32_t) {
    // Keys are matched by place, not by layout; the descriptor is ours to close.
    const UniqueFd unused(fd);
}

void Keyboard::enter(std::uint32_t, wl_surface* surface, wl_array* keys) {
    if (surface != window_)
        return;
    focused_ = true;
    guest_.focusGained(codesIn(*keys));
}

void Keyboard::leave(std::uint32_t, wl_surface* surface) {
    if (surface == window_ || surface == nullptr)
        release();
}

void Keyboard::release() {
    if (!std::exchange(focused_, false))
        return;
    guest_.focusLost();
    observer_.keyboardLeft();
}

void Keyboard::key(std::uint32_t, std::uint32_t, std::uint32_t code, std::uint32_t state) {
    if (focused_)
        guest_.key(code, state == WL_KEYBOARD_KEY_STATE_PRESSED ? KeyState::pressed : KeyState::released);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The keyboard: keys to the guest, but for those that the window keeps for itself.
#include "wayland/keyboard.h"

#include "base/unique_fd.h"

#include <linux/input-event-codes.h>

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
    , input_(input)
    , hotKeys_(hotKeys)
    , observer_(observer)
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
    sent_.reserve(mostKeys);
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
    // What is held already was pressed for another window: the guest does not get it.
    focused_ = true;
    hotKeys_.focusChanged(codesIn(*keys));
}

void Keyboard::leave(std::uint32_t, wl_surface* surface) {
    if (surface == window_ || surface == nullptr)
        release();
}

void Keyboard::release() {
    if (!std::exchange(focused_, false))
        return;
    hotKeys_.focusChanged({});
    sent_.clear();
    if (input_ != nullptr)
        input_->releaseAll();
    observer_.keyboardLeft();
}

void Keyboard::key(std::uint32_t, std::uint32_t, std::uint32_t code, std::uint32_t wireState) {
    if (!focused_)
        return;
    const KeyState state = wireState == WL_KEYBOARD_KEY_STATE_PRESSED ? KeyState::pressed : KeyState::released;
    const HotKeys::Verdict verdict = hotKeys_.key(code, state);
    if (verdict.forGuest)
        send(code, state);
    if (!verdict.action)
        return;
    if (const auto functionKey = functionKeyOf(*verdict.action))
        sendCtrlAlt(*functionKey);
    else
        observer_.hotKeyPressed(*verdict.action);
}

void Keyboard::send(std::uint32_t code, KeyState state) {
    if (input_ == nullptr)
        return;
    input_->key(code, state);
    if (state == KeyState::released)
        std::erase(sent_, code);
    else if (!sent(code) && sent_.size() < mostKeys)
        sent_.push_back(code);
}

void Keyboard::sendCtrlAlt(std::uint32_t functionKey) {
    // The user may hold the modifiers already; those stay as they are.
    const bool ctrl = !sent(KEY_LEFTCTRL) && !sent(KEY_RIGHTCTRL);
    const bool alt = !sent(KEY_LEFTALT) && !sent(KEY_RIGHTALT);
    if (ctrl)
        send(KEY_LEFTCTRL, KeyState::pressed);
    if (alt)
        send(KEY_LEFTALT, KeyState::pressed);
    send(functionKey, KeyState::pressed);
    send(functionKey, KeyState::released);
    if (alt)
        send(KEY_LEFTALT, KeyState::released);
    if (ctrl)
        send(KEY_LEFTCTRL, KeyState::released);
}

bool Keyboard::sent(std::uint32_t code) const noexcept {
    return std::ranges::find(sent_, code) != sent_.end();
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A host's keyboard before the guest: hot keys are kept, all else goes on.
#include "input/guest_keyboard.h"

#include <linux/input-event-codes.h>

#include <algorithm>
#include <utility>

namespace vgpuview {

namespace {

// Who sends more keys than any hand can hold is not believed.
constexpr std::size_t mostKeys = 64;

} // namespace

GuestKeyboard::GuestKeyboard(InputSink* input, HotKeys& hotKeys, HotKeyHandler hotKeyPressed)
    : input_(input)
    , hotKeys_(hotKeys)
    , hotKeyPressed_(std::move(hotKeyPressed)) {
    sent_.reserve(mostKeys);
}

void GuestKeyboard::focusGained(std::span<const std::uint32_t> heldCodes) {
    hotKeys_.focusChanged(heldCodes);
}

void GuestKeyboard::focusLost() {
    hotKeys_.focusChanged({});
    sent_.clear();
    if (input_ != nullptr)
        input_->releaseAll();
}

void GuestKeyboard::key(std::uint32_t evdevCode, KeyState state) {
    const HotKeys::Verdict verdict = hotKeys_.key(evdevCode, state);
    if (verdict.forGuest)
        send(evdevCode, state);
    if (!verdict.action)
        return;
    if (const auto functionKey = functionKeyOf(*verdict.action))
        sendCtrlAlt(*functionKey);
    else
        hotKeyPressed_(*verdict.action);
}

void GuestKeyboard::send(std::uint32_t code, KeyState state) {
    if (input_ == nullptr)
        return;
    input_->key(code, state);
    if (state == KeyState::released)
        std::erase(sent_, code);
    else if (!sent(code) && sent_.size() < mostKeys)
        sent_.push_back(code);
}

void GuestKeyboard::sendCtrlAlt(std::uint32_t functionKey) {
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

bool GuestKeyboard::sent(std::uint32_t code) const noexcept {
    return std::ranges::find(sent_, code) != sent_.end();
}

} // namespace vgpuview

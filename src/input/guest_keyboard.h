// SPDX-License-Identifier: MIT
// A host's keyboard before the guest: hot keys are kept, all else goes on.
#pragma once

#include "input/hot_keys.h"
#include "input/input_sink.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace vgpuview {

/// Keys go by their places, whatever the layout; repeats are the guest's business.
class GuestKeyboard {
public:
    using HotKeyHandler = std::function<void(HotKeyAction)>;

    /// input may be null: hot keys work all the same. Both outlive it. The handler hears of all actions but
    /// sendCtrlAlt..., which are done here.
    GuestKeyboard(InputSink* input, HotKeys& hotKeys, HotKeyHandler hotKeyPressed);
    GuestKeyboard(const GuestKeyboard&) = delete;
    GuestKeyboard& operator=(const GuestKeyboard&) = delete;

    void key(std::uint32_t evdevCode, KeyState state);
    /// The keyboard is the guest's from now on. The keys that are down already were pressed for others: the guest does
    /// not get them.
    void focusGained(std::span<const std::uint32_t> heldCodes);
    /// Lifts all that the guest has pressed: keys, and with them buttons and fingers.
    void focusLost();

private:
    void send(std::uint32_t code, KeyState state);
    void sendCtrlAlt(std::uint32_t functionKey);
    [[nodiscard]] bool sent(std::uint32_t code) const noexcept;

    InputSink* input_;
    HotKeys& hotKeys_;
    HotKeyHandler hotKeyPressed_;
    std::vector<std::uint32_t> sent_; ///< pressed in the guest
};

} // namespace vgpuview

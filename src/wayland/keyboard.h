// SPDX-License-Identifier: MIT
// The keyboard: keys to the guest, but for those that the window keeps for itself.
#pragma once

#include "input/guest_keyboard.h"
#include "loop/event_loop.h"
#include "wayland/proxy.h"

#include <cstdint>
#include <exception>

namespace vgpuview {

class KeyboardObserver {
public:
    virtual ~KeyboardObserver() = default;
    /// The window has the keyboard's focus no more.
    virtual void keyboardLeft() = 0;
    /// All actions but sendCtrlAlt..., which the keyboard does itself.
    virtual void hotKeyPressed(HotKeyAction action) = 0;
};

/// One wl_keyboard. Lifts all keys of the guest's when the focus leaves, and when the keyboard goes.
class Keyboard final {
public:
    /// Only what happens on that surface counts. input may be null. All outlive it.
    Keyboard(EventLoop& loop, Proxy<wl_keyboard> keyboard, wl_surface* window, InputSink* input, HotKeys& hotKeys,
             KeyboardObserver& observer);
    ~Keyboard();
    Keyboard(const Keyboard&) = delete;
    Keyboard& operator=(const Keyboard&) = delete;

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    void keymap(std::uint32_t format, std::int32_t fd, std::uint32_t size);
    void enter(std::uint32_t serial, wl_surface* surface, wl_array* keys);
    void leave(std::uint32_t serial, wl_surface* surface);
    void key(std::uint32_t serial, std::uint32_t time, std::uint32_t code, std::uint32_t state);
    void release();

    EventLoop& loop_;
    wl_surface* window_;
    KeyboardObserver& observer_;
    GuestKeyboard guest_;
    bool focused_ = false;
    Proxy<wl_keyboard> keyboard_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The keyboard: keys to the guest, but for those that the window keeps for itself.
#pragma once

#include "input/hot_keys.h"
#include "input/input_sink.h"
#include "loop/event_loop.h"
#include "wayland/proxy.h"

#include <cstdint>
#include <vector>

namespace vgpuview {

class KeyboardObserver {
public:
    virtual ~KeyboardObserver() = default;
    /// The window has the keyboard's focus no more.
    virtual void keyboardLeft() = 0;
    /// All actions but sendCtrlAlt..., which the keyboard does itself.
    virtual void hotKeyPressed(HotKeyAction action) = 0;
};

/// One wl_keyboard. Keys go by their places, whatever the layout; repeats are the guest's business. Lifts all keys of
/// the guest's when the focus leaves, and when the keyboard goes.
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
    void send(std::uint32_t code, KeyState state);
    void sendCtrlAlt(std::uint32_t functionKey);
    [[nodiscard]] bool sent(std::uint32_t code) const noexcept;
    void release();

    EventLoop& loop_;
    wl_surface* window_;
    InputSink* input_;
    HotKeys& hotKeys_;
    KeyboardObserver& observer_;
    bool focused_ = false;
    std::vector<std::uint32_t> sent_; ///< pressed in the guest
    Proxy<wl_keyboard> keyboard_;
};

} // namespace vgpuview

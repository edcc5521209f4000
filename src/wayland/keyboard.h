// SPDX-License-Identifier: MIT
// The keys that the window keeps for itself.
#pragma once

#include "loop/event_loop.h"
#include "wayland/proxy.h"

#include <cstdint>
#include <functional>

namespace vgpuview {

/// Listens to the first seat's keyboard.
class Keyboard final {
public:
    /// seat may be null; it outlives this object. F11 toggles full screen.
    Keyboard(EventLoop& loop, wl_seat* seat, std::function<void()> toggleFullScreen);
    Keyboard(const Keyboard&) = delete;
    Keyboard& operator=(const Keyboard&) = delete;

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    void capabilities(std::uint32_t which);
    void keymap(std::uint32_t format, std::int32_t fd, std::uint32_t size);
    void key(std::uint32_t serial, std::uint32_t time, std::uint32_t code, std::uint32_t state);

    EventLoop& loop_;
    wl_seat* seat_;
    std::function<void()> toggleFullScreen_;
    Proxy<wl_keyboard> keyboard_;
};

} // namespace vgpuview

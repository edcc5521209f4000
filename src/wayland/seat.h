// SPDX-License-Identifier: MIT
// The seat: hands what the user does with keyboard, pointer and touch to the guest.
#pragma once

#include "input/hot_keys.h"
#include "input/input_sink.h"
#include "loop/event_loop.h"
#include "wayland/connection.h"
#include "wayland/keyboard.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace vgpuview {

/// The first seat of the compositor, whose devices come and go.
class Seat final {
public:
    using HotKeyHandler = std::function<void(HotKeyAction)>;

    /// Only what happens on that surface counts. input may be null: hot keys work all the same. All outlive it.
    Seat(EventLoop& loop, const Globals& globals, wl_surface* window, InputSink* input, HotKeys hotKeys,
         HotKeyHandler hotKeyPressed);
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    void capabilities(std::uint32_t which);

    EventLoop& loop_;
    wl_seat* seat_;
    wl_surface* window_;
    InputSink* input_;
    HotKeys hotKeys_;
    HotKeyHandler hotKeyPressed_;
    std::optional<Keyboard> keyboard_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The seat: hands what the user does with keyboard, pointer and touch to the guest.
#include "wayland/seat.h"

#include <utility>

namespace vgpuview {

Seat::Seat(EventLoop& loop, const Globals& globals, wl_surface* window, InputSink* input, HotKeys hotKeys,
           HotKeyHandler hotKeyPressed)
    : loop_(loop)
    , seat_(globals.seat.get())
    , window_(window)
    , input_(input)
    , hotKeys_(std::move(hotKeys))
    , hotKeyPressed_(std::move(hotKeyPressed)) {
    static constexpr wl_seat_listener listener{
        .capabilities = EventHandler<&Seat::capabilities>::call,
        .name = ignoreEvent,
    };
    if (seat_ != nullptr)
        wl_seat_add_listener(seat_, &listener, this);
}

void Seat::capabilities(std::uint32_t which) {
    if ((which & WL_SEAT_CAPABILITY_KEYBOARD) == 0)
        keyboard_.reset();
    else if (!keyboard_)
        keyboard_.emplace(loop_, Proxy<wl_keyboard>(wl_seat_get_keyboard(seat_)), window_, input_, hotKeys_,
                          hotKeyPressed_);
}

} // namespace vgpuview

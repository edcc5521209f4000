// SPDX-License-Identifier: MIT
// The seat: hands what the user does with keyboard, pointer and touch to the guest.
#include "wayland/seat.h"

#include <utility>

namespace vgpuview {

Seat::Seat(EventLoop& loop, const Globals& globals, wl_surface* window, InputSink* input, HotKeys hotKeys,
           SeatObserver& observer)
    : loop_(loop)
    , globals_(globals)
    , seat_(globals.seat.get())
    , window_(window)
    , input_(input)
    , hotKeys_(std::move(hotKeys))
    , observer_(observer) {
    static constexpr wl_seat_listener listener{
        .capabilities = EventHandler<&Seat::capabilities>::call,
        .name = ignoreEvent,
    };
    if (seat_ != nullptr)
        wl_seat_add_listener(seat_, &listener, this);
}

Seat::~Seat() {
    // The keyboard's end is the grab's, of which nobody is told any more.
    grabbed_ = false;
    keyboard_.reset();
}

void Seat::capabilities(std::uint32_t which) {
    KeyboardObserver& keyboardObserver = *this;
    PointerObserver& pointerObserver = *this;
    if ((which & WL_SEAT_CAPABILITY_KEYBOARD) == 0)
        keyboard_.reset();
    else if (!keyboard_)
        keyboard_.emplace(loop_, Proxy<wl_keyboard>(wl_seat_get_keyboard(seat_)), window_, input_, hotKeys_,
                          keyboardObserver);

    if ((which & WL_SEAT_CAPABILITY_POINTER) == 0) {
        if (pointer_)
            observer_.pointerLeft();
        pointer_.reset();
    } else if (!pointer_) {
        pointer_.emplace(loop_, Proxy<wl_pointer>(wl_seat_get_pointer(seat_)), globals_, window_, input_,
                         pointerObserver);
        pointer_->setPicture(area_);
        if (grabbed_)
            pointer_->capture();
    }

    if ((which & WL_SEAT_CAPABILITY_TOUCH) == 0)
        touch_.reset();
    else if (!touch_ && input_ != nullptr) {
        touch_.emplace(loop_, Proxy<wl_touch>(wl_seat_get_touch(seat_)), window_, *input_);
        touch_->setPicture(area_);
    }
}

void Seat::setPicture(const std::optional<PictureArea>& area) {
    if (area == area_)
        return;
    area_ = area;
    if (pointer_)
        pointer_->setPicture(area_);
    if (touch_)
        touch_->setPicture(area_);
}

void Seat::inputChanged() {
    if (grabbed_ && pointer_)
        pointer_->capture();
}

void Seat::letGo() {
    endGrab();
    if (input_ != nullptr)
        input_->releaseAll();
}

void Seat::keyboardLeft() {
    endGrab();
}

void Seat::hotKeyPressed(HotKeyAction action) {
    if (action != HotKeyAction::grab)
        observer_.hotKeyPressed(action);
    else if (grabbed_)
        letGo();
    else
        grab();
}

void Seat::pointerEntered(std::uint32_t serial) {
    observer_.pointerEntered(pointer_->get(), serial);
}

void Seat::grab() {
    if (grabbed_ || input_ == nullptr)
        return;
    grabbed_ = true;
    if (pointer_)
        pointer_->capture();
    if (globals_.shortcutsInhibit)
        inhibitor_.reset(zwp_keyboard_shortcuts_inhibit_manager_v1_inhibit_shortcuts(globals_.shortcutsInhibit.get(),
                                                                                     window_, seat_));
    observer_.grabChanged();
}

void Seat::endGrab() {
    if (!std::exchange(grabbed_, false))
        return;
    inhibitor_.reset();
    if (pointer_)
        pointer_->endCapture();
    observer_.grabChanged();
}

} // namespace vgpuview

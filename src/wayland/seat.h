// SPDX-License-Identifier: MIT
// The seat: hands what the user does with keyboard, pointer and touch to the guest.
#pragma once

#include "input/hot_keys.h"
#include "input/input_sink.h"
#include "loop/event_loop.h"
#include "wayland/connection.h"
#include "wayland/keyboard.h"
#include "wayland/pointer.h"
#include "wayland/touch.h"

#include <cstdint>
#include <optional>

namespace vgpuview {

class SeatObserver {
public:
    virtual ~SeatObserver() = default;
    /// All actions but grab and sendCtrlAlt..., which the seat sees to.
    virtual void hotKeyPressed(HotKeyAction action) = 0;
    virtual void grabChanged() = 0;
    /// As PointerObserver has them.
    virtual void pointerEntered(wl_pointer* pointer, std::uint32_t serial) = 0;
    virtual void pointerLeft() = 0;
    virtual void pointerMoved(Point guestPixel) = 0;
};

/// The first seat of the compositor, whose devices come and go. A grab captures the pointer and takes the compositor's
/// own key combinations from it; it ends with the keyboard's focus.
class Seat final : private KeyboardObserver, private PointerObserver {
public:
    /// Only what happens on that surface counts. input may be null: hot keys work all the same. All outlive it.
    Seat(EventLoop& loop, const Globals& globals, wl_surface* window, InputSink* input, HotKeys hotKeys,
         SeatObserver& observer);
    ~Seat() override;
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    void setPicture(const std::optional<PictureArea>& area);
    /// The guest's way of pointing may be another.
    void inputChanged();
    /// Ends a grab and lifts all that is pressed: nobody sees the guest any more.
    void letGo();

    [[nodiscard]] bool grabbed() const noexcept { return grabbed_; }

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    void keyboardLeft() override;
    void hotKeyPressed(HotKeyAction action) override;
    void pointerEntered(std::uint32_t serial) override;
    void pointerLeft() override { observer_.pointerLeft(); }
    void pointerMoved(Point guestPixel) override { observer_.pointerMoved(guestPixel); }
    void captureWanted() override { grab(); }
    void captureLost() override { endGrab(); }

    void capabilities(std::uint32_t which);
    void grab();
    void endGrab();

    EventLoop& loop_;
    const Globals& globals_;
    wl_seat* seat_;
    wl_surface* window_;
    InputSink* input_;
    HotKeys hotKeys_;
    SeatObserver& observer_;
    std::optional<PictureArea> area_;
    bool grabbed_ = false;
    Proxy<zwp_keyboard_shortcuts_inhibitor_v1> inhibitor_;
    std::optional<Keyboard> keyboard_;
    std::optional<Pointer> pointer_;
    std::optional<Touch> touch_;
};

} // namespace vgpuview

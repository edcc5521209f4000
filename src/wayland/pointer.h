// SPDX-License-Identifier: MIT
// The pointer: motion, buttons and wheel to the guest, in its own way of pointing.
#pragma once

#include "input/input_sink.h"
#include "loop/event_loop.h"
#include "wayland/connection.h"
#include "wayland/layout.h"
#include "wayland/proxy.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace vgpuview {

/// Where the guest's screen is in the window; nothing where it shows none.
struct PictureArea {
    Layout layout;
    Size picture;

    friend constexpr bool operator==(const PictureArea&, const PictureArea&) = default;
};

class PointerObserver {
public:
    virtual ~PointerObserver() = default;
    /// The pointer came to the window, with the serial that wl_pointer.set_cursor wants; or left it.
    virtual void pointerEntered(std::uint32_t serial) = 0;
    virtual void pointerLeft() = 0;
    /// It is over this pixel of the guest's now.
    virtual void pointerMoved(Point guestPixel) = 0;
    /// A click where the guest's mouse can be moved only once the pointer is captured. The guest does not get it.
    virtual void captureWanted() = 0;
    /// The compositor ended the capture.
    virtual void captureLost() = 0;
};

/// One wl_pointer. An absolute guest pointer follows the host's while that is over the window. A relative one moves
/// while the host's is captured: locked to its place, so that it never reaches an edge. Where the compositor can't do
/// that, it follows the host's steps over the window.
class Pointer final {
public:
    /// Only what happens on that surface counts. input may be null. All outlive it.
    Pointer(EventLoop& loop, Proxy<wl_pointer> pointer, const Globals& globals, wl_surface* window, InputSink* input,
            PointerObserver& observer);
    ~Pointer();
    Pointer(const Pointer&) = delete;
    Pointer& operator=(const Pointer&) = delete;

    void setPicture(const std::optional<PictureArea>& area) { area_ = area; }
    /// Keeps the pointer in the window (absolute) or in its place (relative). Also when the guest's way of pointing
    /// changed.
    void capture();
    void endCapture();

    [[nodiscard]] wl_pointer* get() const noexcept { return pointer_.get(); }
    /// Moves go to the guest and not over the window.
    [[nodiscard]] bool locked() const noexcept { return locked_; }

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    /// What an axis did within a frame.
    struct Scroll {
        double distance = 0; ///< logical pixels
        std::int64_t clicks120 = 0;
        bool counted = false; ///< clicks120 holds
        double rest120 = 0;   ///< of distances, for the next frame
    };

    void enter(std::uint32_t serial, wl_surface* surface, wl_fixed_t x, wl_fixed_t y);
    void leave(std::uint32_t serial, wl_surface* surface);
    void motion(std::uint32_t time, wl_fixed_t x, wl_fixed_t y);
    void button(std::uint32_t serial, std::uint32_t time, std::uint32_t code, std::uint32_t state);
    void axis(std::uint32_t time, std::uint32_t which, wl_fixed_t distance);
    void axisDiscrete(std::uint32_t which, std::int32_t clicks);
    void axisValue120(std::uint32_t which, std::int32_t value120);
    void frame();
    void relativeMotion(std::uint32_t timeHigh, std::uint32_t timeLow, wl_fixed_t dx, wl_fixed_t dy,
                        wl_fixed_t dxUnaccelerated, wl_fixed_t dyUnaccelerated);
    void lockedNow();
    void captureEnded();

    [[nodiscard]] PointerMode mode() const noexcept;
    [[nodiscard]] bool canLock() const noexcept;
    /// What the user does now with buttons and wheel is for the guest.
    [[nodiscard]] bool guestListens() const noexcept;
    void moveTo(double x, double y);
    void addClicks(std::uint32_t which, std::int64_t clicks120);
    void frameUnlessTold();
    void releaseButtons();

    EventLoop& loop_;
    const Globals& globals_;
    wl_surface* window_;
    InputSink* input_;
    PointerObserver& observer_;
    std::optional<PictureArea> area_;
    bool inside_ = false;
    double x_ = 0;
    double y_ = 0;
    std::array<Scroll, 2> scrolls_;
    std::vector<std::uint32_t> buttons_; ///< pressed in the guest
    bool locked_ = false;
    Proxy<wl_pointer> pointer_;
    Proxy<zwp_relative_pointer_v1> relative_;
    Proxy<zwp_locked_pointer_v1> lock_;
    Proxy<zwp_confined_pointer_v1> confinement_;
};

} // namespace vgpuview

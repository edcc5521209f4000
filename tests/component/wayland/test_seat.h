// SPDX-License-Identifier: MIT
// The test compositor's seat: a user of the test's own at keyboard, pointer and touch screen.
#pragma once

#include "base/geometry.h"

#include <wayland-server.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace vgpuview::testing_wayland {

struct SeatOptions {
    std::uint32_t version = 8;
    std::uint32_t capabilities = WL_SEAT_CAPABILITY_KEYBOARD | WL_SEAT_CAPABILITY_POINTER | WL_SEAT_CAPABILITY_TOUCH;
    bool pointerConstraints = true;
    bool shortcutsInhibit = true;
};

/// Strict: a second constraint or inhibitor, and a cursor with a wrong serial, end the connection. All calls in the
/// server's thread.
class TestSeat {
public:
    /// What wl_pointer.set_cursor was last told.
    struct Cursor {
        wl_resource* surface = nullptr; ///< null: hidden
        Point hotSpot;
        unsigned calls = 0;
    };

    /// surfaces: the client's, in the order of wl_compositor.create_surface. The user is at the first one.
    TestSeat(wl_display* display, SeatOptions options, std::function<wl_resource*(std::size_t)> surfaces);
    TestSeat(const TestSeat&) = delete;
    TestSeat& operator=(const TestSeat&) = delete;

    void offer(std::uint32_t capabilities);

    /// Where the user enters, leaves and touches from now on.
    void goTo(std::size_t surface) { surface_ = surface; }

    void keyboardEnter(const std::vector<std::uint32_t>& held = {});
    void keyboardLeave();
    void key(std::uint32_t code, bool pressed);
    void tap(std::uint32_t code) {
        key(code, true);
        key(code, false);
    }

    void pointerEnter(double x, double y);
    void pointerLeave();
    void move(double x, double y);
    void moveBy(double dx, double dy);
    void button(std::uint32_t code, bool pressed);
    void axis(std::uint32_t which, double distance);
    void axisDiscrete(std::uint32_t which, std::int32_t clicks);
    void axisValue120(std::uint32_t which, std::int32_t value);
    void pointerFrame();

    void touchDown(std::int32_t id, double x, double y);
    void touchMove(std::int32_t id, double x, double y);
    void touchUp(std::int32_t id);
    void touchFrame();
    void touchCancel();

    /// Grants what was asked for, or ends it.
    void activateConstraint();
    void endConstraint();
    [[nodiscard]] bool lockWanted() const { return lock_ != nullptr; }
    [[nodiscard]] bool confinementWanted() const { return confinement_ != nullptr; }
    [[nodiscard]] bool shortcutsInhibited() const { return inhibitor_ != nullptr; }
    [[nodiscard]] const Cursor& cursor() const { return cursor_; }
    [[nodiscard]] bool hasKeyboard() const { return keyboard_ != nullptr; }
    [[nodiscard]] bool hasPointer() const { return pointer_ != nullptr; }
    [[nodiscard]] bool hasTouch() const { return touch_ != nullptr; }
    void surfaceGone(const wl_resource* surface);

private:
    friend struct TestSeatRequests;

    SeatOptions options_;
    [[nodiscard]] wl_resource* surface() const { return surfaces_(surface_); }

    std::function<wl_resource*(std::size_t)> surfaces_;
    std::size_t surface_ = 0;
    wl_resource* seat_ = nullptr;
    wl_resource* keyboard_ = nullptr;
    wl_resource* pointer_ = nullptr;
    wl_resource* touch_ = nullptr;
    wl_resource* relative_ = nullptr;
    wl_resource* lock_ = nullptr;
    wl_resource* confinement_ = nullptr;
    wl_resource* inhibitor_ = nullptr;
    std::uint32_t serial_ = 0;
    std::uint32_t enterSerial_ = 0;
    std::vector<std::uint32_t> pastEnterSerials_;
    Cursor cursor_;
};

} // namespace vgpuview::testing_wayland

// SPDX-License-Identifier: MIT
// The session's keyboards, pointers and touch screens, before the guest.
#pragma once

#include "base/geometry.h"
#include "input/guest_keyboard.h"
#include "input/hot_keys.h"
#include "input/input_sink.h"
#include "monitor/console_keys.h"
#include "monitor/wlroots.h"

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>

namespace vgpuview {

/// Where a monitor shows the guest.
struct GuestView {
    Size monitor;
    Rect place; ///< of the guest's picture on the monitor; not empty
};

class MonitorInputObserver {
public:
    virtual ~MonitorInputObserver() = default;
    virtual void changeTerminal(unsigned number) = 0;
    /// All but sendCtrlAlt..., and those that were unbound.
    virtual void hotKeyPressed(HotKeyAction action) = 0;
    /// Of the monitor with that name, else of any. Nothing where the guest is on none.
    [[nodiscard]] virtual std::optional<GuestView> guestView(std::string_view monitor) const = 0;
};

/// Ctrl+Alt+F1 to F12 change the virtual terminal, hot keys are kept, all else is the guest's. A mouse moves a place on
/// the guest's screen where the guest has a tablet, and a tablet moves the guest's mouse where it has none. Neither
/// copied nor moved: wlroots calls it.
class MonitorInput {
public:
    /// input may be null. Both outlive it. fail takes what the observer throws.
    MonitorInput(InputSink* input, HotKeys hotKeys, MonitorInputObserver& observer,
                 std::function<void(std::exception_ptr)> fail);
    MonitorInput(const MonitorInput&) = delete;
    MonitorInput& operator=(const MonitorInput&) = delete;

    /// For monitor_host_create(); valid as long as this is.
    [[nodiscard]] monitor_input_events events() noexcept;
    /// The session was left: lifts all that is pressed in the guest.
    void releaseAll();

private:
    struct Place {
        double x = 0; ///< 0 to 1 on the guest's screen
        double y = 0;
    };

    void key(std::uint32_t code, KeyState state);
    void pointerMoved(double dx, double dy, double unacceleratedDx, double unacceleratedDy);
    void pointerPlaced(std::string_view monitor, double x, double y);
    [[nodiscard]] std::optional<Place> placeOf(std::string_view monitor, double x, double y) const;
    template<typename Function>
    void guarded(Function&& function) noexcept;

    InputSink* input_;
    HotKeys hotKeys_;
    MonitorInputObserver& observer_;
    std::function<void(std::exception_ptr)> fail_;
    ConsoleKeys consoleKeys_;
    GuestKeyboard keyboard_;
    Place pointer_{0.5, 0.5};
    std::optional<Place> lastPlaced_; ///< by a device that knows places
};

} // namespace vgpuview

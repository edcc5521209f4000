// SPDX-License-Identifier: MIT
// A way to the guest's input devices, as the sink that stands before it needs it.
#pragma once

#include "base/clock.h"
#include "input/input_sink.h"
#include "input/key_map.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {

struct ScreenPlace {
    double x = 0; ///< 0 to 1, left to right
    double y = 0; ///< 0 to 1, top to bottom
};

struct ButtonChange {
    std::uint32_t evdevCode = 0;
    ButtonState state = ButtonState::released;
};

/// What the pointer did at one time, in this order: moved, buttons, wheel.
struct PointerChange {
    std::optional<ScreenPlace> place = {}; ///< for an absolute pointer
    std::int32_t dx = 0;                   ///< for a relative one
    std::int32_t dy = 0;
    std::vector<ButtonChange> buttons = {};
    std::int32_t wheelDown = 0;  ///< clicks, upwards where negative
    std::int32_t wheelRight = 0; ///< clicks, to the left where negative

    [[nodiscard]] bool moved() const noexcept { return place || dx != 0 || dy != 0; }
    [[nodiscard]] bool clicked() const noexcept { return !buttons.empty() || wheelDown != 0 || wheelRight != 0; }
};

enum class TouchPhase { begin, update, end };

struct TouchChange {
    TouchPhase phase = TouchPhase::begin;
    unsigned slot = 0; ///< a finger's number, from 0
    ScreenPlace place;
};

/// Called from the loop, never from within a call to the back end.
class InputBackendObserver {
public:
    virtual ~InputBackendObserver() = default;
    /// Status or pointer mode are not what they were.
    virtual void backendChanged() = 0;
    /// takesMotion() is true again.
    virtual void motionTaken() = 0;
};

/// Keeps no state of keys and buttons. Connects, and connects again, by itself. No call blocks or throws.
class InputBackend {
public:
    static constexpr unsigned fingers = 10;

    virtual ~InputBackend() = default;

    virtual void key(const KeyMapping& key, KeyState state) = 0;
    /// Drops what the current pointer does not understand.
    virtual void pointer(const PointerChange& change) = 0;
    virtual void touch(const TouchChange& change) = 0;
    /// False while the guest has not yet taken what it was sent: motion is better kept and joined then.
    [[nodiscard]] virtual bool takesMotion() const noexcept = 0;
    /// Whether the guest has a touch screen.
    [[nodiscard]] virtual bool takesTouch() const noexcept = 0;
    /// Waits until the guest has taken what it was sent, or that long. The one call that blocks: for the end.
    virtual void drain(Nanoseconds longest) = 0;

    [[nodiscard]] virtual PointerMode pointerMode() const noexcept = 0;
    [[nodiscard]] virtual const InputStatus& status() const noexcept = 0;
    [[nodiscard]] virtual const std::string& description() const noexcept = 0;
    virtual void observe(InputBackendObserver* observer) noexcept = 0;
};

} // namespace vgpuview

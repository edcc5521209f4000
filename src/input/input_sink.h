// SPDX-License-Identifier: MIT
// Where keyboard, pointer and touch events of the host go: to the guest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vgpuview {

enum class KeyState { released, pressed };
enum class ButtonState { released, pressed };
enum class ScrollAxis { vertical, horizontal };

/// What the guest's current pointing device understands.
enum class PointerMode {
    none,     ///< the guest has no pointing device
    absolute, ///< a tablet: moveTo()
    relative, ///< a mouse: moveBy()
};
[[nodiscard]] std::string_view nameOf(PointerMode mode) noexcept;

enum class InputState {
    connecting, ///< no answer yet
    ready,      ///< events reach the guest
    off,        ///< events are dropped; InputStatus::reason tells why
};

struct InputStatus {
    InputState state = InputState::connecting;
    std::string reason = {}; ///< half a sentence where state is off: "the VM is paused"

    friend bool operator==(const InputStatus&, const InputStatus&) = default;
};

/// Hears that InputSink::status() or pointerMode() changed. Called from the loop, never from within a call to the sink.
class InputObserver {
public:
    virtual ~InputObserver() = default;
    virtual void inputChanged() = 0;
};

/// Events to one guest. No call blocks or throws; what cannot be delivered is dropped. One thread: the loop's.
///
/// Keys and buttons are physical: the codes of linux/input-event-codes.h, as evdev and wl_keyboard.key have them.
/// Repeats are the guest's business: a second press of a key that is down is ignored. Pointer and touch events take
/// effect with frame().
class InputSink {
public:
    virtual ~InputSink() = default;

    virtual void key(std::uint32_t evdevCode, KeyState state) = 0;
    virtual void button(std::uint32_t evdevCode, ButtonState state) = 0;
    /// A place on the guest's screen: 0 is its left or top edge, 1 its right or bottom edge. Dropped unless the pointer
    /// is absolute. Only the last place of a frame counts.
    virtual void moveTo(double x, double y) = 0;
    /// Steps of the guest's mouse; fractions add up. Dropped unless the pointer is relative.
    virtual void moveBy(double dx, double dy) = 0;
    /// 120 is one click of a wheel, downwards or to the right where positive (wl_pointer.axis_value120). Parts of a
    /// click add up.
    virtual void scroll(ScrollAxis axis, std::int32_t value120) = 0;
    /// Fingers, told apart by an id that the caller chooses and may use again after the finger is lifted. A guest
    /// without touch screen gets the first one as its pointer.
    virtual void touchDown(std::int32_t id, double x, double y) = 0;
    virtual void touchMove(std::int32_t id, double x, double y) = 0;
    virtual void touchUp(std::int32_t id) = 0;
    /// Ends a group of pointer or touch events (wl_pointer.frame, wl_touch.frame).
    virtual void frame() = 0;
    /// Lifts all that is pressed: keys, buttons, fingers. For focus loss, the end of a grab and suspend; the end of the
    /// sink does it by itself.
    virtual void releaseAll() = 0;

    [[nodiscard]] virtual PointerMode pointerMode() const noexcept = 0;
    [[nodiscard]] virtual const InputStatus& status() const noexcept = 0;
    /// A few words for people: "QMP /run/vm.sock".
    [[nodiscard]] virtual const std::string& description() const noexcept = 0;
    /// One observer at a time; nullptr ends it. It outlives the sink or is taken away.
    virtual void observe(InputObserver* observer) noexcept = 0;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The sink before a back end: knows what is pressed, joins motion, counts wheel clicks.
#pragma once

#include "input/held_keys.h"
#include "input/input_backend.h"
#include "input/input_sink.h"

#include <array>
#include <memory>
#include <optional>

namespace vgpuview {

/// Lifts the modifiers, and whatever is recorded as held, each time the guest can be reached again; lifts all at the
/// end.
class GuestInput final : public InputSink, private InputBackendObserver {
public:
    GuestInput(std::unique_ptr<InputBackend> backend, HeldKeys held);
    /// Lifts all that is pressed; waits for the guest to take it, a fifth of a second at most.
    ~GuestInput() override;
    GuestInput(const GuestInput&) = delete;
    GuestInput& operator=(const GuestInput&) = delete;

    void key(std::uint32_t evdevCode, KeyState state) override;
    void button(std::uint32_t evdevCode, ButtonState state) override;
    void moveTo(double x, double y) override;
    void moveBy(double dx, double dy) override;
    void scroll(ScrollAxis axis, std::int32_t value120) override;
    void touchDown(std::int32_t id, double x, double y) override;
    void touchMove(std::int32_t id, double x, double y) override;
    void touchUp(std::int32_t id) override;
    void frame() override;
    void releaseAll() override;

    [[nodiscard]] PointerMode pointerMode() const noexcept override { return pointerMode_; }
    [[nodiscard]] const InputStatus& status() const noexcept override { return status_; }
    [[nodiscard]] const std::string& description() const noexcept override { return backend_->description(); }
    void observe(InputObserver* observer) noexcept override { observer_ = observer; }

private:
    struct Finger {
        std::int32_t id = 0;
        ScreenPlace place;
        bool emulated = false; ///< goes to the guest as its pointer
    };

    void backendChanged() override;
    void motionTaken() override;

    // Only once what was held before has been lifted, and no longer than the back end delivers.
    [[nodiscard]] bool ready() const noexcept {
        return status_.state == InputState::ready && backend_->status().state == InputState::ready;
    }
    void sendPointer();
    void liftHeld();
    void liftFinger(unsigned slot);
    [[nodiscard]] std::optional<unsigned> slotOf(std::int32_t id) const noexcept;

    std::unique_ptr<InputBackend> backend_;
    HeldKeys held_;
    InputObserver* observer_ = nullptr;
    InputStatus status_;
    PointerMode pointerMode_ = PointerMode::none;
    PointerChange pending_;
    double fractionX_ = 0;
    double fractionY_ = 0;
    std::int64_t wheelVertical120_ = 0;
    std::int64_t wheelHorizontal120_ = 0;
    std::array<std::optional<Finger>, InputBackend::fingers> fingers_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A back end that writes down what it is told, in words.
#pragma once

#include "input/input_backend.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace vgpuview::doubles {

/// What a FakeInputBackend was told and what it shall answer; outlives it.
struct FakeGuest {
    std::vector<std::string> told;
    InputStatus status{.state = InputState::ready};
    PointerMode mode = PointerMode::absolute;
    bool takesMotion = true;
    bool takesTouch = true;
    InputBackendObserver* observer = nullptr;

    std::vector<std::string> take() { return std::exchange(told, {}); }
    void become(InputStatus next) {
        status = std::move(next);
        observer->backendChanged();
    }
};

class FakeInputBackend final : public InputBackend {
public:
    explicit FakeInputBackend(FakeGuest& guest)
        : guest_(guest) {}

    void key(const KeyMapping& key, KeyState state) override {
        guest_.told.push_back(fmt::format("{}{}", key.keyCode, state == KeyState::pressed ? "+" : "-"));
    }
    void pointer(const PointerChange& change) override {
        std::string text = "pointer";
        if (change.place)
            text += fmt::format(" at {:.3f},{:.3f}", change.place->x, change.place->y);
        if (change.dx != 0 || change.dy != 0)
            text += fmt::format(" by {},{}", change.dx, change.dy);
        for (const ButtonChange& button : change.buttons)
            text += fmt::format(" {:x}{}", button.evdevCode, button.state == ButtonState::pressed ? "+" : "-");
        if (change.wheelDown != 0 || change.wheelRight != 0)
            text += fmt::format(" wheel {},{}", change.wheelDown, change.wheelRight);
        guest_.told.push_back(text);
    }
    void touch(const TouchChange& change) override {
        guest_.told.push_back(fmt::format("touch {} {} {:.3f},{:.3f}", change.slot,
                                          change.phase == TouchPhase::begin    ? "begin"
                                          : change.phase == TouchPhase::update ? "update"
                                                                               : "end",
                                          change.place.x, change.place.y));
    }
    [[nodiscard]] bool takesMotion() const noexcept override { return guest_.takesMotion; }
    [[nodiscard]] bool takesTouch() const noexcept override { return guest_.takesTouch; }
    void drain(Nanoseconds) override { guest_.told.emplace_back("drain"); }
    [[nodiscard]] PointerMode pointerMode() const noexcept override { return guest_.mode; }
    [[nodiscard]] const InputStatus& status() const noexcept override { return guest_.status; }
    [[nodiscard]] const std::string& description() const noexcept override { return description_; }
    void observe(InputBackendObserver* observer) noexcept override { guest_.observer = observer; }

private:
    FakeGuest& guest_;
    std::string description_ = "fake";
};

} // namespace vgpuview::doubles

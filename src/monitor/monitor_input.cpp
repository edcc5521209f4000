// SPDX-License-Identifier: MIT
// The session's keyboards, pointers and touch screens, before the guest.
#include "monitor/monitor_input.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vgpuview {

namespace {

MonitorInput* inputOf(void* data) noexcept {
    return static_cast<MonitorInput*>(data);
}

std::string_view viewOf(const char* text) noexcept {
    return text ? std::string_view(text) : std::string_view();
}

// NaN is the left or top edge.
double within(double fraction) noexcept {
    return fraction > 0 ? std::min(fraction, 1.0) : 0.0;
}

} // namespace

MonitorInput::MonitorInput(InputSink* input, HotKeys hotKeys, MonitorInputObserver& observer,
                           std::function<void(std::exception_ptr)> fail)
    : input_(input)
    , hotKeys_(std::move(hotKeys))
    , observer_(observer)
    , fail_(std::move(fail))
    , keyboard_(input, hotKeys_, [this](HotKeyAction action) { observer_.hotKeyPressed(action); }) {
    // There is nothing else on the monitor.
    for (const HotKeyAction useless : {HotKeyAction::grab, HotKeyAction::fullScreen, HotKeyAction::statistics})
        hotKeys_.unbind(useless);
}

template<typename Function>
void MonitorInput::guarded(Function&& function) noexcept {
    try {
        function();
    } catch (...) {
        fail_(std::current_exception());
    }
}

monitor_input_events MonitorInput::events() noexcept {
    return {
        .data = this,
        .key =
            [](void* data, std::uint32_t code, bool pressed) {
                MonitorInput* self = inputOf(data);
                self->guarded([&] { self->key(code, pressed ? KeyState::pressed : KeyState::released); });
            },
        .pointer_moved =
            [](void* data, double dx, double dy, double unacceleratedDx, double unacceleratedDy) {
                MonitorInput* self = inputOf(data);
                self->guarded([&] { self->pointerMoved(dx, dy, unacceleratedDx, unacceleratedDy); });
            },
        .pointer_placed =
            [](void* data, const char* output, double x, double y) {
                MonitorInput* self = inputOf(data);
                self->guarded([&] { self->pointerPlaced(viewOf(output), x, y); });
            },
        .button =
            [](void* data, std::uint32_t code, bool pressed) {
                MonitorInput* self = inputOf(data);
                if (self->input_)
                    self->input_->button(code, pressed ? ButtonState::pressed : ButtonState::released);
            },
        .scrolled =
            [](void* data, bool horizontal, std::int32_t value120) {
                MonitorInput* self = inputOf(data);
                if (self->input_)
                    self->input_->scroll(horizontal ? ScrollAxis::horizontal : ScrollAxis::vertical, value120);
            },
        .touch_down =
            [](void* data, const char* output, std::int32_t id, double x, double y) {
                MonitorInput* self = inputOf(data);
                self->guarded([&] {
                    if (const auto place = self->placeOf(viewOf(output), x, y); place && self->input_)
                        self->input_->touchDown(id, place->x, place->y);
                });
            },
        .touch_moved =
            [](void* data, const char* output, std::int32_t id, double x, double y) {
                MonitorInput* self = inputOf(data);
                self->guarded([&] {
                    if (const auto place = self->placeOf(viewOf(output), x, y); place && self->input_)
                        self->input_->touchMove(id, place->x, place->y);
                });
            },
        .touch_up =
            [](void* data, std::int32_t id) {
                if (InputSink* input = inputOf(data)->input_)
                    input->touchUp(id);
            },
        .frame =
            [](void* data) {
                if (InputSink* input = inputOf(data)->input_)
                    input->frame();
            },
        .device_gone = [](void* data) { inputOf(data)->releaseAll(); },
    };
}

void MonitorInput::releaseAll() {
    consoleKeys_.releaseAll();
    lastPlaced_.reset();
    keyboard_.focusLost();
}

void MonitorInput::key(std::uint32_t code, KeyState state) {
    const KeyVerdict verdict = consoleKeys_.handle(code, state == KeyState::pressed);
    if (const auto* change = std::get_if<ChangeTerminal>(&verdict))
        observer_.changeTerminal(change->number);
    else if (std::holds_alternative<PassOn>(verdict))
        keyboard_.key(code, state);
}

void MonitorInput::pointerMoved(double dx, double dy, double unacceleratedDx, double unacceleratedDy) {
    if (!input_)
        return;
    if (input_->pointerMode() == PointerMode::relative) {
        input_->moveBy(unacceleratedDx, unacceleratedDy);
        return;
    }
    const auto view = observer_.guestView({});
    if (!view)
        return;
    pointer_ = {.x = within(pointer_.x + dx / view->place.size.width),
                .y = within(pointer_.y + dy / view->place.size.height)};
    input_->moveTo(pointer_.x, pointer_.y);
}

void MonitorInput::pointerPlaced(std::string_view monitor, double x, double y) {
    const auto place = placeOf(monitor, x, y);
    if (!place || !input_)
        return;
    const auto before = std::exchange(lastPlaced_, place);
    pointer_ = *place;
    if (input_->pointerMode() != PointerMode::relative) {
        input_->moveTo(place->x, place->y);
    } else if (const auto view = observer_.guestView(monitor); view && before) {
        input_->moveBy((place->x - before->x) * view->place.size.width,
                       (place->y - before->y) * view->place.size.height);
    }
}

std::optional<MonitorInput::Place> MonitorInput::placeOf(std::string_view monitor, double x, double y) const {
    const auto view = observer_.guestView(monitor);
    if (!view)
        return std::nullopt;
    const Rect& place = view->place;
    return Place{.x = within((x * view->monitor.width - place.origin.x) / place.size.width),
                 .y = within((y * view->monitor.height - place.origin.y) / place.size.height)};
}

} // namespace vgpuview

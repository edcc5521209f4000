// SPDX-License-Identifier: MIT
// The sink before a back end: knows what is pressed, joins motion, counts wheel clicks.
#include "input/guest_input.h"

#include <algorithm>
#include <cmath>

namespace vgpuview {

namespace {

constexpr Nanoseconds longestFarewell = std::chrono::milliseconds(200);
constexpr std::int64_t oneClick = 120;
constexpr std::int64_t mostClicks = 100;
constexpr double mostSteps = 100'000;

bool isButton(std::uint32_t evdevCode) noexcept {
    return evdevCode >= BTN_MISC && evdevCode < KEY_OK;
}

ScreenPlace placeOf(double x, double y) noexcept {
    const auto inside = [](double value) { return std::isnan(value) ? 0.0 : std::clamp(value, 0.0, 1.0); };
    return {.x = inside(x), .y = inside(y)};
}

// Whole steps of what has gathered; the rest stays.
std::int32_t takeSteps(double& gathered, double more) noexcept {
    if (std::isfinite(more))
        gathered = std::clamp(gathered + more, -mostSteps, mostSteps);
    const double whole = std::trunc(gathered);
    gathered -= whole;
    return static_cast<std::int32_t>(whole);
}

std::int32_t takeClicks(std::int64_t& gathered, std::int32_t more) noexcept {
    if (more == 0)
        return 0;
    // The other way round starts anew: what was left of the old direction must not be in its way.
    if ((gathered < 0) != (more < 0))
        gathered = 0;
    gathered = std::clamp(gathered + more, -mostClicks * oneClick, mostClicks * oneClick);
    const std::int64_t clicks = gathered / oneClick;
    gathered %= oneClick;
    return static_cast<std::int32_t>(clicks);
}

} // namespace

GuestInput::GuestInput(std::unique_ptr<InputBackend> backend, HeldKeys held)
    : backend_(std::move(backend))
    , held_(std::move(held)) {
    backend_->observe(this);
    backendChanged();
}

GuestInput::~GuestInput() {
    observer_ = nullptr;
    releaseAll();
    backend_->observe(nullptr);
    backend_->drain(longestFarewell);
}

void GuestInput::key(std::uint32_t evdevCode, KeyState state) {
    const auto mapping = keyMappingOf(evdevCode);
    if (!mapping || !ready() || held_.contains(evdevCode) == (state == KeyState::pressed))
        return;
    // What the pointer did before comes before.
    sendPointer();
    if (state == KeyState::pressed)
        held_.insert(evdevCode);
    backend_->key(*mapping, state);
    if (state == KeyState::released)
        held_.erase(evdevCode);
}

void GuestInput::button(std::uint32_t evdevCode, ButtonState state) {
    if (!isButton(evdevCode) || !ready() || held_.contains(evdevCode) == (state == ButtonState::pressed))
        return;
    if (state == ButtonState::pressed)
        held_.insert(evdevCode);
    else
        held_.erase(evdevCode);
    pending_.buttons.push_back({.evdevCode = evdevCode, .state = state});
}

void GuestInput::moveTo(double x, double y) {
    if (!ready())
        return;
    if (pending_.clicked())
        sendPointer();
    pending_.place = placeOf(x, y);
}

void GuestInput::moveBy(double dx, double dy) {
    if (!ready())
        return;
    if (pending_.clicked())
        sendPointer();
    pending_.dx = std::clamp(pending_.dx + takeSteps(fractionX_, dx), -static_cast<std::int32_t>(mostSteps),
                             static_cast<std::int32_t>(mostSteps));
    pending_.dy = std::clamp(pending_.dy + takeSteps(fractionY_, dy), -static_cast<std::int32_t>(mostSteps),
                             static_cast<std::int32_t>(mostSteps));
}

void GuestInput::scroll(ScrollAxis axis, std::int32_t value120) {
    if (!ready())
        return;
    const auto add = [value120](std::int32_t& clicks, std::int64_t& gathered) {
        clicks = static_cast<std::int32_t>(
            std::clamp<std::int64_t>(clicks + takeClicks(gathered, value120), -mostClicks, mostClicks));
    };
    if (axis == ScrollAxis::vertical)
        add(pending_.wheelDown, wheelVertical120_);
    else
        add(pending_.wheelRight, wheelHorizontal120_);
}

void GuestInput::touchDown(std::int32_t id, double x, double y) {
    if (!ready() || slotOf(id))
        return;
    const auto free = std::ranges::find_if(fingers_, [](const auto& finger) { return !finger.has_value(); });
    if (free == fingers_.end())
        return;
    const bool emulated = !backend_->takesTouch();
    if (emulated && free != fingers_.begin())
        return;
    *free = Finger{.id = id, .place = placeOf(x, y), .emulated = emulated};
    if (emulated) {
        moveTo(x, y);
        button(BTN_LEFT, ButtonState::pressed);
        return;
    }
    backend_->touch(
        {.phase = TouchPhase::begin, .slot = static_cast<unsigned>(free - fingers_.begin()), .place = (*free)->place});
}

void GuestInput::touchMove(std::int32_t id, double x, double y) {
    const auto slot = slotOf(id);
    if (!slot || !ready())
        return;
    Finger& finger = *fingers_[*slot];
    finger.place = placeOf(x, y);
    if (finger.emulated)
        moveTo(x, y);
    else
        backend_->touch({.phase = TouchPhase::update, .slot = *slot, .place = finger.place});
}

void GuestInput::touchUp(std::int32_t id) {
    if (const auto slot = slotOf(id))
        liftFinger(*slot);
}

void GuestInput::frame() {
    // Motion alone waits where the guest is behind; the next motion, a click or motionTaken() takes it along.
    if (pending_.clicked() || (pending_.moved() && backend_->takesMotion()))
        sendPointer();
}

void GuestInput::releaseAll() {
    for (unsigned slot = 0; slot < fingers_.size(); ++slot)
        if (fingers_[slot])
            liftFinger(slot);
    if (ready())
        liftHeld();
    fractionX_ = fractionY_ = 0;
    wheelVertical120_ = wheelHorizontal120_ = 0;
}

void GuestInput::backendChanged() {
    const bool wasReady = status_.state == InputState::ready;
    status_ = backend_->status();
    pointerMode_ = backend_->pointerMode();
    if (ready() && !wasReady) {
        for (const std::uint16_t modifier : modifierKeys())
            held_.insert(modifier);
        liftHeld();
    }
    if (!ready()) {
        // What is held stays recorded: the guest holds it until it can be told otherwise.
        for (const ButtonChange& unsent : pending_.buttons)
            held_.insert(unsent.evdevCode);
        pending_ = {};
        fingers_ = {};
    }
    if (observer_ != nullptr)
        observer_->inputChanged();
}

void GuestInput::motionTaken() {
    if (pending_.moved() && ready())
        sendPointer();
}

void GuestInput::sendPointer() {
    if (!pending_.moved() && !pending_.clicked())
        return;
    backend_->pointer(pending_);
    pending_.place.reset();
    pending_.dx = pending_.dy = 0;
    pending_.buttons.clear();
    pending_.wheelDown = pending_.wheelRight = 0;
}

void GuestInput::liftHeld() {
    held_.forEach([this](std::uint32_t evdevCode) {
        if (isButton(evdevCode))
            button(evdevCode, ButtonState::released);
        else if (keyMappingOf(evdevCode))
            key(evdevCode, KeyState::released);
        else
            held_.erase(evdevCode);
    });
    sendPointer();
}

void GuestInput::liftFinger(unsigned slot) {
    const Finger finger = *fingers_[slot];
    fingers_[slot].reset();
    if (!ready())
        return;
    if (finger.emulated)
        button(BTN_LEFT, ButtonState::released);
    else
        backend_->touch({.phase = TouchPhase::end, .slot = slot, .place = finger.place});
}

std::optional<unsigned> GuestInput::slotOf(std::int32_t id) const noexcept {
    for (unsigned slot = 0; slot < fingers_.size(); ++slot)
        if (fingers_[slot] && fingers_[slot]->id == id)
            return slot;
    return {};
}

} // namespace vgpuview

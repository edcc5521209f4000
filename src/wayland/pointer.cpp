// SPDX-License-Identifier: MIT
// The pointer: motion, buttons and wheel to the guest, in its own way of pointing.
#include "wayland/pointer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vgpuview {

namespace {

constexpr std::int32_t oneClick120 = 120;
// libinput: a wheel that does not count its clicks turns by 15 degrees for each.
constexpr double click120PerPixel = oneClick120 / 15.0;
constexpr std::int64_t mostScroll120 = std::int64_t{100} * oneClick120;
constexpr std::size_t mostButtons = 16;

ScrollAxis axisOf(std::size_t which) noexcept {
    return which == WL_POINTER_AXIS_HORIZONTAL_SCROLL ? ScrollAxis::horizontal : ScrollAxis::vertical;
}

} // namespace

Pointer::Pointer(EventLoop& loop, Proxy<wl_pointer> pointer, const Globals& globals, wl_surface* window,
                 InputSink* input, PointerObserver& observer)
    : loop_(loop)
    , globals_(globals)
    , window_(window)
    , input_(input)
    , observer_(observer)
    , pointer_(std::move(pointer)) {
    static constexpr wl_pointer_listener listener{
        .enter = EventHandler<&Pointer::enter>::call,
        .leave = EventHandler<&Pointer::leave>::call,
        .motion = EventHandler<&Pointer::motion>::call,
        .button = EventHandler<&Pointer::button>::call,
        .axis = EventHandler<&Pointer::axis>::call,
        .frame = EventHandler<&Pointer::frame>::call,
        .axis_source = ignoreEvent,
        .axis_stop = ignoreEvent,
        .axis_discrete = EventHandler<&Pointer::axisDiscrete>::call,
#ifdef WL_POINTER_AXIS_VALUE120_SINCE_VERSION
        .axis_value120 = EventHandler<&Pointer::axisValue120>::call,
#endif
    };
    wl_pointer_add_listener(pointer_.get(), &listener, this);
    buttons_.reserve(mostButtons);
}

Pointer::~Pointer() {
    releaseButtons();
}

PointerMode Pointer::mode() const noexcept {
    return input_ != nullptr ? input_->pointerMode() : PointerMode::none;
}

bool Pointer::canLock() const noexcept {
    return globals_.pointerConstraints && globals_.relativePointer;
}

bool Pointer::guestListens() const noexcept {
    return mode() == PointerMode::absolute || (mode() == PointerMode::relative && (locked_ || !canLock()));
}

void Pointer::enter(std::uint32_t serial, wl_surface* surface, wl_fixed_t x, wl_fixed_t y) {
    if (surface != window_)
        return;
    inside_ = true;
    x_ = wl_fixed_to_double(x);
    y_ = wl_fixed_to_double(y);
    observer_.pointerEntered(serial);
    moveTo(x_, y_);
    frameUnlessTold();
}

void Pointer::leave(std::uint32_t, wl_surface* surface) {
    if (!inside_ || (surface != window_ && surface != nullptr))
        return;
    inside_ = false;
    releaseButtons();
    scrolls_ = {};
    observer_.pointerLeft();
}

void Pointer::motion(std::uint32_t, wl_fixed_t x, wl_fixed_t y) {
    if (!inside_)
        return;
    moveTo(wl_fixed_to_double(x), wl_fixed_to_double(y));
    frameUnlessTold();
}

void Pointer::moveTo(double x, double y) {
    const double dx = x - std::exchange(x_, x);
    const double dy = y - std::exchange(y_, y);
    if (area_) {
        const Point pixel = guestPixelAt(area_->layout, x, y);
        if (input_ != nullptr && mode() == PointerMode::absolute)
            input_->moveTo(fractionOf(pixel.x, area_->picture.width), fractionOf(pixel.y, area_->picture.height));
        observer_.pointerMoved(pixel);
    }
    if (input_ != nullptr && mode() == PointerMode::relative && !canLock())
        input_->moveBy(dx, dy);
}

void Pointer::button(std::uint32_t, std::uint32_t, std::uint32_t code, std::uint32_t state) {
    if (!inside_ || input_ == nullptr)
        return;
    if (state == WL_POINTER_BUTTON_STATE_RELEASED) {
        if (std::erase(buttons_, code) > 0)
            input_->button(code, ButtonState::released);
    } else if (!guestListens()) {
        if (mode() == PointerMode::relative)
            observer_.captureWanted();
    } else if (buttons_.size() < mostButtons) {
        buttons_.push_back(code);
        input_->button(code, ButtonState::pressed);
    }
    frameUnlessTold();
}

void Pointer::axis(std::uint32_t, std::uint32_t which, wl_fixed_t distance) {
    if (!inside_ || which >= scrolls_.size())
        return;
    scrolls_[which].distance += wl_fixed_to_double(distance);
    frameUnlessTold();
}

void Pointer::axisDiscrete(std::uint32_t which, std::int32_t clicks) {
    addClicks(which, std::int64_t{clicks} * oneClick120);
}

void Pointer::axisValue120(std::uint32_t which, std::int32_t value120) {
    addClicks(which, value120);
}

void Pointer::addClicks(std::uint32_t which, std::int64_t clicks120) {
    if (!inside_ || which >= scrolls_.size())
        return;
    scrolls_[which].clicks120 += clicks120;
    scrolls_[which].counted = true;
}

void Pointer::frame() {
    if (input_ == nullptr)
        return;
    for (std::size_t which = 0; which < scrolls_.size(); ++which) {
        Scroll& scroll = scrolls_[which];
        double amount = static_cast<double>(scroll.clicks120);
        if (!scroll.counted)
            amount = scroll.rest120 + scroll.distance * click120PerPixel;
        amount = std::clamp(amount, -static_cast<double>(mostScroll120), static_cast<double>(mostScroll120));
        const double whole = std::trunc(amount);
        scroll = {.rest120 = amount - whole};
        if (whole != 0 && guestListens())
            input_->scroll(axisOf(which), static_cast<std::int32_t>(whole));
    }
    input_->frame();
}

void Pointer::frameUnlessTold() {
    if (wl_pointer_get_version(pointer_.get()) < WL_POINTER_FRAME_SINCE_VERSION)
        frame();
}

void Pointer::releaseButtons() {
    if (input_ == nullptr || buttons_.empty())
        return;
    for (const std::uint32_t code : buttons_)
        input_->button(code, ButtonState::released);
    buttons_.clear();
    input_->frame();
}

void Pointer::relativeMotion(std::uint32_t, std::uint32_t, wl_fixed_t, wl_fixed_t, wl_fixed_t dx, wl_fixed_t dy) {
    // The guest accelerates by itself.
    if (!locked_ || input_ == nullptr)
        return;
    input_->moveBy(wl_fixed_to_double(dx), wl_fixed_to_double(dy));
    frameUnlessTold();
}

void Pointer::capture() {
    const bool wantsLock = mode() == PointerMode::relative && canLock();
    if (wantsLock ? lock_ != nullptr : confinement_ != nullptr)
        return;
    endCapture();
    if (!globals_.pointerConstraints)
        return;
    if (!wantsLock) {
        static constexpr zwp_confined_pointer_v1_listener listener{
            .confined = ignoreEvent,
            .unconfined = EventHandler<&Pointer::captureEnded>::call,
        };
        confinement_.reset(zwp_pointer_constraints_v1_confine_pointer(globals_.pointerConstraints.get(), window_,
                                                                      pointer_.get(), nullptr,
                                                                      ZWP_POINTER_CONSTRAINTS_V1_LIFETIME_ONESHOT));
        zwp_confined_pointer_v1_add_listener(confinement_.get(), &listener, this);
        return;
    }
    static constexpr zwp_relative_pointer_v1_listener relativeListener{
        .relative_motion = EventHandler<&Pointer::relativeMotion>::call};
    relative_.reset(
        zwp_relative_pointer_manager_v1_get_relative_pointer(globals_.relativePointer.get(), pointer_.get()));
    zwp_relative_pointer_v1_add_listener(relative_.get(), &relativeListener, this);
    static constexpr zwp_locked_pointer_v1_listener listener{
        .locked = EventHandler<&Pointer::lockedNow>::call,
        .unlocked = EventHandler<&Pointer::captureEnded>::call,
    };
    lock_.reset(zwp_pointer_constraints_v1_lock_pointer(globals_.pointerConstraints.get(), window_, pointer_.get(),
                                                        nullptr, ZWP_POINTER_CONSTRAINTS_V1_LIFETIME_ONESHOT));
    zwp_locked_pointer_v1_add_listener(lock_.get(), &listener, this);
}

void Pointer::endCapture() {
    confinement_.reset();
    lock_.reset();
    relative_.reset();
    locked_ = false;
}

void Pointer::lockedNow() {
    locked_ = true;
}

void Pointer::captureEnded() {
    endCapture();
    observer_.captureLost();
}

} // namespace vgpuview

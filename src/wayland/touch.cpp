// SPDX-License-Identifier: MIT
// The touch screen: fingers to the guest.
#include "wayland/touch.h"

#include <algorithm>
#include <utility>

namespace vgpuview {

namespace {

constexpr std::size_t mostFingers = 16;

bool isInside(const Rect& rect, double x, double y) noexcept {
    return x >= rect.origin.x && y >= rect.origin.y && x - rect.origin.x < rect.size.width &&
           y - rect.origin.y < rect.size.height;
}

} // namespace

Touch::Touch(EventLoop& loop, Proxy<wl_touch> touch, wl_surface* window, InputSink& input)
    : loop_(loop)
    , window_(window)
    , input_(input)
    , touch_(std::move(touch)) {
    static constexpr wl_touch_listener listener{
        .down = EventHandler<&Touch::down>::call,
        .up = EventHandler<&Touch::up>::call,
        .motion = EventHandler<&Touch::motion>::call,
        .frame = EventHandler<&Touch::frame>::call,
        .cancel = EventHandler<&Touch::cancel>::call,
        .shape = ignoreEvent,
        .orientation = ignoreEvent,
    };
    wl_touch_add_listener(touch_.get(), &listener, this);
    fingers_.reserve(mostFingers);
}

Touch::~Touch() {
    cancel();
}

void Touch::down(std::uint32_t, std::uint32_t, wl_surface* surface, std::int32_t id, wl_fixed_t x, wl_fixed_t y) {
    if (surface != window_ || !area_ || fingers_.size() >= mostFingers ||
        !isInside(area_->layout.picture.destination, wl_fixed_to_double(x), wl_fixed_to_double(y)))
        return;
    const Point pixel = guestPixelAt(area_->layout, wl_fixed_to_double(x), wl_fixed_to_double(y));
    fingers_.push_back(id);
    input_.touchDown(id, fractionOf(pixel.x, area_->picture.width), fractionOf(pixel.y, area_->picture.height));
}

void Touch::up(std::uint32_t, std::uint32_t, std::int32_t id) {
    if (std::erase(fingers_, id) > 0)
        input_.touchUp(id);
}

void Touch::motion(std::uint32_t, std::int32_t id, wl_fixed_t x, wl_fixed_t y) {
    if (!area_ || std::ranges::find(fingers_, id) == fingers_.end())
        return;
    const Point pixel = guestPixelAt(area_->layout, wl_fixed_to_double(x), wl_fixed_to_double(y));
    input_.touchMove(id, fractionOf(pixel.x, area_->picture.width), fractionOf(pixel.y, area_->picture.height));
}

void Touch::frame() {
    input_.frame();
}

void Touch::cancel() {
    for (const std::int32_t id : fingers_)
        input_.touchUp(id);
    if (!std::exchange(fingers_, {}).empty())
        input_.frame();
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Where on a monitor a picture of another size goes.
#include "monitor/placement.h"

namespace vgpuview {

namespace {

Rect centred(Size size, Size monitor) noexcept {
    const auto middle = [](std::uint32_t inner, std::uint32_t outer) {
        return static_cast<std::int32_t>((std::int64_t{outer} - inner) / 2);
    };
    return {{middle(size.width, monitor.width), middle(size.height, monitor.height)}, size};
}

Size fitted(Size picture, Size monitor) noexcept {
    const std::uint64_t across = std::uint64_t{monitor.width} * picture.height;
    const std::uint64_t down = std::uint64_t{monitor.height} * picture.width;
    if (across <= down)
        return {monitor.width, std::max<std::uint32_t>(1, static_cast<std::uint32_t>(across / picture.width))};
    return {std::max<std::uint32_t>(1, static_cast<std::uint32_t>(down / picture.height)), monitor.height};
}

std::int32_t scaled(std::int64_t value, std::uint32_t from, std::uint32_t to) noexcept {
    const std::int64_t product = value * to;
    const std::int64_t half = from / 2;
    return static_cast<std::int32_t>((product >= 0 ? product + half : product - half) / from);
}

} // namespace

Rect placePicture(Size picture, Size monitor, MonitorScale scale) noexcept {
    switch (scale) {
    case MonitorScale::original:
        return centred(picture, monitor);
    case MonitorScale::integer:
        if (const std::uint32_t factor = std::min(monitor.width / picture.width, monitor.height / picture.height);
            factor > 0)
            return centred({picture.width * factor, picture.height * factor}, monitor);
        break;
    case MonitorScale::fit:
        break;
    }
    return centred(fitted(picture, monitor), monitor);
}

Rect placeWithin(const Rect& part, Size picture, const Rect& place) noexcept {
    const std::int32_t left = scaled(part.origin.x, picture.width, place.size.width);
    const std::int32_t top = scaled(part.origin.y, picture.height, place.size.height);
    const std::int32_t right = scaled(std::int64_t{part.origin.x} + part.size.width, picture.width, place.size.width);
    const std::int32_t bottom =
        scaled(std::int64_t{part.origin.y} + part.size.height, picture.height, place.size.height);
    return {
        {place.origin.x + left, place.origin.y + top},
        {static_cast<std::uint32_t>(std::max(1, right - left)), static_cast<std::uint32_t>(std::max(1, bottom - top))}};
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Where picture and cursor lie in the window.
#include "wayland/layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vgpuview {

namespace {

std::uint32_t divideRounded(std::uint64_t dividend, std::uint64_t divisor) noexcept {
    return static_cast<std::uint32_t>((dividend + divisor / 2) / divisor);
}

std::uint32_t divideUp(std::uint64_t dividend, std::uint64_t divisor) noexcept {
    return static_cast<std::uint32_t>((dividend + divisor - 1) / divisor);
}

std::uint32_t toDevice(std::uint32_t logical, Scale120 scale) noexcept {
    return divideRounded(std::uint64_t{logical} * scale, wholeScale);
}

std::uint32_t toLogical(std::uint32_t device, Scale120 scale) noexcept {
    return std::max(1U, divideRounded(std::uint64_t{device} * wholeScale, scale));
}

/// The fewest logical pixels that are a whole number of device pixels; 1 where that would be too coarse to use.
std::uint32_t alignmentOf(Scale120 scale) noexcept {
    constexpr std::uint32_t coarsest = 8;
    const std::uint32_t step = wholeScale / std::gcd(wholeScale, scale);
    return step <= coarsest ? step : 1;
}

std::uint32_t alignDown(std::uint32_t value, std::uint32_t step) noexcept {
    return value < step ? value : value - value % step;
}

/// One axis: centres length in the window, both edges on the grid. All logical.
struct Span {
    std::uint32_t start;
    std::uint32_t length;
};
Span centre(std::uint32_t window, std::uint32_t length, std::uint32_t step) noexcept {
    if (length >= window)
        return {0, window};
    const std::uint32_t aligned = alignDown(length, step);
    return {(window - aligned) / 2 / step * step, aligned};
}

/// The largest size of the picture's aspect inside the window, in device pixels; a begun pixel is a whole one.
Size fitInto(Size window, Size picture) noexcept {
    const std::uint64_t widthForHeight = std::uint64_t{window.width} * picture.height;
    const std::uint64_t heightForWidth = std::uint64_t{window.height} * picture.width;
    if (widthForHeight <= heightForWidth)
        return {window.width, divideUp(widthForHeight, picture.width)};
    return {divideUp(heightForWidth, picture.height), window.height};
}

Rect rectOf(Span x, Span y) noexcept {
    return {{static_cast<std::int32_t>(x.start), static_cast<std::int32_t>(y.start)}, {x.length, y.length}};
}

} // namespace

Layout layOut(Size window, Size picture, ScaleMode mode, Scale120 scale) noexcept {
    const Size device = deviceSize(window, scale);
    const Rect all{{0, 0}, picture};
    if (mode == ScaleMode::stretch || device.empty())
        return {.picture = {all, {{0, 0}, window}}, .fillsWindow = true};

    Rect source = all;
    Size shown = fitInto(device, picture);
    if (mode == ScaleMode::integer) {
        const std::uint32_t times = std::min(device.width / picture.width, device.height / picture.height);
        if (times >= 1)
            shown = {picture.width * times, picture.height * times};
    } else if (mode == ScaleMode::oneToOne) {
        shown = {std::min(device.width, picture.width), std::min(device.height, picture.height)};
        source = {{static_cast<std::int32_t>((picture.width - shown.width) / 2),
                   static_cast<std::int32_t>((picture.height - shown.height) / 2)},
                  shown};
    }

    const auto place = [&](std::uint32_t windowLength, std::uint32_t windowDevice, std::uint32_t shownDevice) {
        if (shownDevice >= windowDevice)
            return Span{0, windowLength};
        return centre(windowLength, toLogical(shownDevice, scale), alignmentOf(scale));
    };
    const Rect destination =
        rectOf(place(window.width, device.width, shown.width), place(window.height, device.height, shown.height));
    return {.picture = {source, destination}, .fillsWindow = destination.size == window};
}

std::optional<Placement> placeCursor(const Layout& layout, Point position, Size cursor) noexcept {
    const Rect& source = layout.picture.source;
    const Rect& destination = layout.picture.destination;
    const Rect visible = intersect({position, cursor}, source);
    if (visible.empty())
        return {};
    // Edges are scaled, not sizes, so that the cursor keeps to the picture's pixels under any factor.
    const auto scaled = [](std::int64_t offset, std::uint32_t from, std::uint32_t to) {
        return static_cast<std::int32_t>((offset * 2 * to + from) / (2 * std::int64_t{from}));
    };
    const std::int32_t left = scaled(visible.origin.x - source.origin.x, source.size.width, destination.size.width);
    const std::int32_t top = scaled(visible.origin.y - source.origin.y, source.size.height, destination.size.height);
    const std::int32_t right = scaled(std::int64_t{visible.origin.x} + visible.size.width - source.origin.x,
                                      source.size.width, destination.size.width);
    const std::int32_t bottom = scaled(std::int64_t{visible.origin.y} + visible.size.height - source.origin.y,
                                       source.size.height, destination.size.height);
    return Placement{
        .source = {{visible.origin.x - position.x, visible.origin.y - position.y}, visible.size},
        .destination = {{destination.origin.x + left, destination.origin.y + top},
                        {static_cast<std::uint32_t>(std::max(1, right - left)),
                         static_cast<std::uint32_t>(std::max(1, bottom - top))}},
    };
}

Point guestPixelAt(const Layout& layout, double x, double y) noexcept {
    const auto along = [](double place, std::int32_t start, std::uint32_t length, std::int32_t sourceStart,
                          std::uint32_t sourceLength) {
        const double pixel = std::floor((place - start) * sourceLength / length);
        return sourceStart + static_cast<std::int32_t>(std::clamp(pixel, 0.0, sourceLength - 1.0));
    };
    const Rect& source = layout.picture.source;
    const Rect& destination = layout.picture.destination;
    return {along(x, destination.origin.x, destination.size.width, source.origin.x, source.size.width),
            along(y, destination.origin.y, destination.size.height, source.origin.y, source.size.height)};
}

double fractionOf(std::int32_t pixel, std::uint32_t length) noexcept {
    if (pixel <= 0)
        return 0;
    return static_cast<std::uint32_t>(pixel) + 1 >= length ? 1 : (pixel + 0.5) / length;
}

Size deviceSize(Size window, Scale120 scale) noexcept {
    return {toDevice(window.width, scale), toDevice(window.height, scale)};
}

Size naturalWindowSize(Size picture, Scale120 scale) noexcept {
    return {toLogical(picture.width, scale), toLogical(picture.height, scale)};
}

} // namespace vgpuview

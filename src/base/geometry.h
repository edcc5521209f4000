// SPDX-License-Identifier: MIT
// Sizes, points and rectangles in pixels.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vgpuview {

struct Size {
    std::uint32_t width = 0;
    std::uint32_t height = 0;

    [[nodiscard]] constexpr bool empty() const noexcept { return width == 0 || height == 0; }
    friend constexpr bool operator==(const Size&, const Size&) = default;
};

/// x grows to the right, y downwards; may be negative (a cursor over the left or top edge).
struct Point {
    std::int32_t x = 0;
    std::int32_t y = 0;

    friend constexpr bool operator==(const Point&, const Point&) = default;
};

/// Top left corner and size.
struct Rect {
    Point origin;
    Size size;

    [[nodiscard]] constexpr bool empty() const noexcept { return size.empty(); }
    friend constexpr bool operator==(const Rect&, const Rect&) = default;
};

/// The smallest rectangle that holds both; an empty one counts for nothing.
[[nodiscard]] constexpr Rect unite(const Rect& a, const Rect& b) noexcept {
    if (a.empty())
        return b;
    if (b.empty())
        return a;
    const std::int64_t left = std::min(a.origin.x, b.origin.x);
    const std::int64_t top = std::min(a.origin.y, b.origin.y);
    const std::int64_t right =
        std::max(std::int64_t{a.origin.x} + a.size.width, std::int64_t{b.origin.x} + b.size.width);
    const std::int64_t bottom =
        std::max(std::int64_t{a.origin.y} + a.size.height, std::int64_t{b.origin.y} + b.size.height);
    return {{static_cast<std::int32_t>(left), static_cast<std::int32_t>(top)},
            {static_cast<std::uint32_t>(right - left), static_cast<std::uint32_t>(bottom - top)}};
}

/// The part both share; empty where they do not meet.
[[nodiscard]] constexpr Rect intersect(const Rect& a, const Rect& b) noexcept {
    const std::int64_t left = std::max(a.origin.x, b.origin.x);
    const std::int64_t top = std::max(a.origin.y, b.origin.y);
    const std::int64_t right =
        std::min(std::int64_t{a.origin.x} + a.size.width, std::int64_t{b.origin.x} + b.size.width);
    const std::int64_t bottom =
        std::min(std::int64_t{a.origin.y} + a.size.height, std::int64_t{b.origin.y} + b.size.height);
    if (right <= left || bottom <= top)
        return {};
    return {{static_cast<std::int32_t>(left), static_cast<std::int32_t>(top)},
            {static_cast<std::uint32_t>(right - left), static_cast<std::uint32_t>(bottom - top)}};
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What changed in a picture, as a few rectangles.
#pragma once

#include "base/geometry.h"

#include <array>
#include <cstddef>
#include <span>

namespace vgpuview {

/// Up to 16 rectangles in buffer pixels that together cover all that changed; never allocates. Where more come, the
/// last one grows to hold them.
class Damage {
public:
    static constexpr std::size_t capacity = 16;

    Damage() = default;
    [[nodiscard]] static Damage all(Size size) noexcept {
        Damage damage;
        damage.add({{0, 0}, size});
        return damage;
    }

    void add(const Rect& rect) noexcept;
    void add(const Damage& other) noexcept {
        for (const Rect& rect : other.rects())
            add(rect);
    }
    void clear() noexcept { count_ = 0; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::span<const Rect> rects() const noexcept { return {rects_.data(), count_}; }
    /// The smallest rectangle around all.
    [[nodiscard]] Rect bounds() const noexcept;

private:
    std::array<Rect, capacity> rects_{};
    std::size_t count_ = 0;
};

} // namespace vgpuview

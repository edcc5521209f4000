// SPDX-License-Identifier: MIT
// Where picture and cursor lie in the window.
#pragma once

#include "base/geometry.h"
#include "wayland/window_sink.h"

#include <cstdint>
#include <optional>

namespace vgpuview {

/// Device pixels per logical pixel in 120ths, as wp_fractional_scale_v1 counts.
using Scale120 = std::uint32_t;
inline constexpr Scale120 wholeScale = 120;

/// A part of a buffer (in its pixels) shown in a rectangle of the window (in logical pixels).
struct Placement {
    Rect source;
    Rect destination;

    friend constexpr bool operator==(const Placement&, const Placement&) = default;
};

struct Layout {
    Placement picture;
    bool fillsWindow = false; ///< no black bar is needed: the picture can be the window's own buffer

    friend constexpr bool operator==(const Layout&, const Layout&) = default;
};

/// Places a picture. Bars are whole device pixels wide where the scale allows it. window and picture are not empty.
[[nodiscard]] Layout layOut(Size window, Size picture, ScaleMode mode, Scale120 scale) noexcept;

/// Places the cursor over the picture, clipped to it; nothing where it is out of sight.
[[nodiscard]] std::optional<Placement> placeCursor(const Layout& layout, Point position, Size cursor) noexcept;

/// The guest's pixel below a place in the window, in logical pixels; the nearest one where the place is beside the
/// picture. The layout's picture is not empty.
[[nodiscard]] Point guestPixelAt(const Layout& layout, double x, double y) noexcept;

/// A pixel of the guest's as a pointing device has it: 0 is the first of length, 1 the last, and any other one's middle
/// lies between, so that a guest that rounds either way finds the same pixel.
[[nodiscard]] double fractionOf(std::int32_t pixel, std::uint32_t length) noexcept;

/// What a window covers of the screen, in device pixels.
[[nodiscard]] Size deviceSize(Size window, Scale120 scale) noexcept;

/// The window that shows a picture pixel by pixel.
[[nodiscard]] Size naturalWindowSize(Size picture, Scale120 scale) noexcept;

} // namespace vgpuview

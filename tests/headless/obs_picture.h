// SPDX-License-Identifier: MIT
// What OBS drew, compared with what the test vGPU showed.
#pragma once

#include "base/geometry.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace vgpuview::headless {

/// Pixels as 0xAARRGGBB, rows without padding.
struct Picture {
    Size size;
    std::vector<std::uint32_t> argb;
};

enum class CursorSeen { yes, no };

struct Expected {
    CursorSeen cursor = CursorSeen::yes;
    std::optional<std::uint32_t> number = {}; ///< nothing: the one that stands in the picture
    Size screen = {};                         ///< empty: the picture's
    Rect part = {};                           ///< of the screen; empty: all
    int tolerance = 0;
};

/// Whether every pixel is the frame's, the cursor included. Where the cursor is blended, rounding may differ by one.
[[nodiscard]] testing::AssertionResult isPattern(const Picture& picture, Expected expected);

} // namespace vgpuview::headless

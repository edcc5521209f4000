// SPDX-License-Identifier: MIT
// What stands beside a frame's pixels (spa/buffer/meta.h).
#pragma once

#include "frame/damage.h"

#include <cstddef>
#include <cstdint>

struct spa_buffer;

namespace vgpuview {

/// Of the metadata that hold one rectangle of damage, and as many as a frame has.
inline constexpr std::size_t leastDamageSize = 16;
inline constexpr std::size_t damageSize = leastDamageSize * Damage::capacity;

/// timestamp: nanoseconds on CLOCK_MONOTONIC. Metadata that the consumers did not ask for are left alone, here and
/// below.
void tellHeader(spa_buffer& buffer, std::int64_t timestamp, std::uint64_t sequence) noexcept;
/// Changed pixels since the frame before; where there is no room for all rectangles, one around them.
void tellDamage(spa_buffer& buffer, const Damage& damage) noexcept;

} // namespace vgpuview

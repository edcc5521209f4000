// SPDX-License-Identifier: MIT
// Pixels of any known format as 8 bit ARGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vgpuview {

/// Reads argb.size() pixels of a linear row and writes them as 0xAARRGGBB; alpha is 255 where the format has none, and
/// otherwise as it is stored (premultiplied, as cursor planes have it). Channels of other widths are scaled and
/// rounded, as a GPU does. fourcc must be one that factsOf() knows, and row hold argb.size() pixels.
void convertRow(std::uint32_t fourcc, const std::byte* row, std::span<std::uint32_t> argb) noexcept;

} // namespace vgpuview

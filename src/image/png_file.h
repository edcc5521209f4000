// SPDX-License-Identifier: MIT
// Pictures as PNG files.
#pragma once

#include "base/geometry.h"

#include <cstdint>
#include <span>
#include <string>

namespace vgpuview {

/// Writes an opaque picture of 0xAARRGGBB pixels (alpha is ignored), rows without padding, as a PNG with 8 bits per
/// channel. The path "-" is standard output, which may not be a terminal. A regular file appears, or is replaced, all
/// at once; on failure nothing is left behind. Devices and pipes are written to as they are. Throws Error.
void writePng(const std::string& path, Size size, std::span<const std::uint32_t> argb);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A line of text as a picture, for when the guest shows none.
#pragma once

#include "frame/buffer.h"

#include <string_view>

namespace vgpuview {

/// White on black, XR24, in memory. Null where there is no memory for it.
[[nodiscard]] BufferRef makeNotice(std::string_view text);

} // namespace vgpuview

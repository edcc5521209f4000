// SPDX-License-Identifier: MIT
// How the alpha bits of a plane are meant.
#pragma once

namespace vgpuview {

enum class AlphaUse {
    opaque, ///< they may hold anything
    premultiplied,
};

} // namespace vgpuview

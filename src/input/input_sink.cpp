// SPDX-License-Identifier: MIT
// Names of what a guest's input is like.
#include "input/input_sink.h"

namespace vgpuview {

std::string_view nameOf(PointerMode mode) noexcept {
    switch (mode) {
    case PointerMode::none:
        return "none";
    case PointerMode::absolute:
        return "absolute";
    case PointerMode::relative:
        return "relative";
    }
    return "none";
}

} // namespace vgpuview

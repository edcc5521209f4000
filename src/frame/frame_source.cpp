// SPDX-License-Identifier: MIT
// Names of display kinds.
#include "frame/frame_source.h"

namespace vgpuview {

std::string_view nameOf(DisplayKind kind) noexcept {
    switch (kind) {
    case DisplayKind::dmaBuf:
        return "dma-buf";
    case DisplayKind::region:
        return "region";
    case DisplayKind::memory:
        return "memory";
    }
    return "unknown";
}

} // namespace vgpuview

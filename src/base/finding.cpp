// SPDX-License-Identifier: MIT
// Names of severities.
#include "base/finding.h"

#include <array>
#include <cstddef>

namespace vgpuview {

std::string_view nameOf(Severity severity) noexcept {
    static constexpr std::array<std::string_view, 4> names{"ok", "note", "warning", "problem"};
    return names[static_cast<std::size_t>(severity)];
}

} // namespace vgpuview

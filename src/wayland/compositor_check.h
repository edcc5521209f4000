// SPDX-License-Identifier: MIT
// What the compositor of this session lacks for a guest's screen to be shown well.
#pragma once

#include "base/finding.h"

#include <vector>

namespace vgpuview {

/// Connects to $WAYLAND_DISPLAY, looks at what it offers, disconnects. Never throws for what it finds.
[[nodiscard]] std::vector<Finding> examineCompositor();

} // namespace vgpuview

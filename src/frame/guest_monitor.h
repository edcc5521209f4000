// SPDX-License-Identifier: MIT
// The monitor that a guest is shown on, as its vGPU's EDID tells it.
#pragma once

#include "base/geometry.h"

#include <cstdint>
#include <optional>

namespace vgpuview {

/// What a sink would have the guest believe its monitor to be.
struct GuestMonitor {
    Size size;                            ///< of the native mode, in device pixels of the host's screen; not empty
    std::uint32_t refreshMilliHz = 60000; ///< of the native mode
    std::optional<Size> millimetres = {}; ///< of the picture; nothing: not known

    friend bool operator==(const GuestMonitor&, const GuestMonitor&) = default;
};

} // namespace vgpuview

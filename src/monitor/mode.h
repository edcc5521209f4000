// SPDX-License-Identifier: MIT
// Which of a monitor's modes to use.
#pragma once

#include "base/geometry.h"
#include "base/mode_request.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vgpuview {

/// A mode that a monitor has.
struct MonitorMode {
    Size size;
    std::uint32_t refreshMilliHz = 0; ///< 0: unknown
    bool preferred = false;

    friend bool operator==(const MonitorMode&, const MonitorMode&) = default;
};

/// The index of the mode of that size whose refresh is nearest to the wanted one, or the highest where none is wanted.
/// Nothing where no mode has the size.
[[nodiscard]] std::optional<std::size_t> findMode(std::span<const MonitorMode> modes,
                                                  const ModeRequest& request) noexcept;

/// The mode for a guest's picture: one of its size, the preferred one's refresh rate first; else the preferred mode,
/// else the first. Nothing where there are no modes.
[[nodiscard]] std::optional<std::size_t> modeForPicture(std::span<const MonitorMode> modes,
                                                        std::optional<Size> picture) noexcept;

} // namespace vgpuview

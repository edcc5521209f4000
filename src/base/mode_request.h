// SPDX-License-Identifier: MIT
// A mode as the user asks for it: size and refresh rate.
#pragma once

#include "base/geometry.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace vgpuview {

/// A mode as the user asks for it.
struct ModeRequest {
    Size size;
    std::optional<std::uint32_t> refreshMilliHz; ///< nothing: it does not matter

    friend bool operator==(const ModeRequest&, const ModeRequest&) = default;
};

/// Parses "1920x1080" or "1920x1080@59.94" (hertz). Nothing if it is neither, or beyond 16384 pixels or 1000 Hz.
[[nodiscard]] std::optional<ModeRequest> parseMode(std::string_view text) noexcept;

} // namespace vgpuview

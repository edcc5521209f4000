// SPDX-License-Identifier: MIT
// Pixel formats (DRM fourcc) and modifiers: names and the few facts that this program needs.
// Source: drm_fourcc.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vgpuview {

/// A DRM fourcc and a DRM format modifier: together they say how pixels lie in memory.
struct PixelFormat {
    std::uint32_t fourcc = 0;
    std::uint64_t modifier = 0;

    friend constexpr bool operator==(const PixelFormat&, const PixelFormat&) = default;
};

/// Facts on a single-plane format.
struct FormatFacts {
    std::uint32_t fourcc;
    std::uint32_t bytesPerPixel;
    std::uint32_t opaqueTwin; ///< the same layout with the alpha bits ignored; itself where it has no alpha
    std::uint32_t alphaTwin;  ///< the same layout with alpha; itself where it has it, 0 where there is none
};

/// Facts on a format that a vGPU may report, or nothing for one that this program does not know.
[[nodiscard]] std::optional<FormatFacts> factsOf(std::uint32_t fourcc) noexcept;

/// "XR24"; control characters and the like are shown as '.'.
[[nodiscard]] std::string fourccName(std::uint32_t fourcc);
/// "linear", "I915_X_TILED", or the number in hexadecimal.
[[nodiscard]] std::string modifierName(std::uint64_t modifier);
/// "XR24 linear".
[[nodiscard]] std::string nameOf(const PixelFormat& format);

} // namespace vgpuview

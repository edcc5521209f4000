// SPDX-License-Identifier: MIT
// Pixel formats (DRM fourcc) and modifiers: names and the few facts that this program needs.
#include "base/pixel_format.h"

#include <drm_fourcc.h>
#include <fmt/format.h>
#include <xf86drm.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace vgpuview {

namespace {

// What GVT-g (fb_decoder.c), mbochs, mdpy and NVIDIA's region type report, less the packed YUV and C8 that no sink
// shows.
constexpr std::array knownFormats{
    FormatFacts{DRM_FORMAT_XRGB8888, 4, DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888},
    FormatFacts{DRM_FORMAT_ARGB8888, 4, DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888},
    FormatFacts{DRM_FORMAT_XBGR8888, 4, DRM_FORMAT_XBGR8888, DRM_FORMAT_ABGR8888},
    FormatFacts{DRM_FORMAT_ABGR8888, 4, DRM_FORMAT_XBGR8888, DRM_FORMAT_ABGR8888},
    FormatFacts{DRM_FORMAT_XRGB2101010, 4, DRM_FORMAT_XRGB2101010, DRM_FORMAT_ARGB2101010},
    FormatFacts{DRM_FORMAT_ARGB2101010, 4, DRM_FORMAT_XRGB2101010, DRM_FORMAT_ARGB2101010},
    FormatFacts{DRM_FORMAT_XBGR2101010, 4, DRM_FORMAT_XBGR2101010, DRM_FORMAT_ABGR2101010},
    FormatFacts{DRM_FORMAT_ABGR2101010, 4, DRM_FORMAT_XBGR2101010, DRM_FORMAT_ABGR2101010},
    FormatFacts{DRM_FORMAT_RGB565, 2, DRM_FORMAT_RGB565, 0},
    FormatFacts{DRM_FORMAT_RGB888, 3, DRM_FORMAT_RGB888, 0},
};

} // namespace

std::optional<FormatFacts> factsOf(std::uint32_t fourcc) noexcept {
    for (const FormatFacts& facts : knownFormats)
        if (facts.fourcc == fourcc)
            return facts;
    return {};
}

std::string fourccName(std::uint32_t fourcc) {
    std::string name;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        const char c = static_cast<char>((fourcc >> shift) & 0xff);
        name += c >= ' ' && c <= '~' ? c : '.';
    }
    return name;
}

std::string modifierName(std::uint64_t modifier) {
    if (modifier == DRM_FORMAT_MOD_LINEAR)
        return "linear";
    if (modifier == DRM_FORMAT_MOD_INVALID)
        return "implicit";
    const std::unique_ptr<char, decltype(&std::free)> name(drmGetFormatModifierName(modifier), &std::free);
    if (!name)
        return fmt::format("{:#018x}", modifier);
    const std::unique_ptr<char, decltype(&std::free)> vendor(drmGetFormatModifierVendor(modifier), &std::free);
    return vendor ? fmt::format("{}_{}", vendor.get(), name.get()) : std::string(name.get());
}

std::string nameOf(const PixelFormat& format) {
    return fmt::format("{} {}", fourccName(format.fourcc), modifierName(format.modifier));
}

} // namespace vgpuview

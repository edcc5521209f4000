// SPDX-License-Identifier: MIT
// What a user can set on a source, as OBS stores it.
#include "obs/capture_settings.h"

#include "frame/plane_check.h"

#include <obs-module.h>

#include <algorithm>
#include <string_view>

namespace vgpuview {

namespace {

std::uint32_t readInset(obs_data& settings, const char* name) {
    return static_cast<std::uint32_t>(
        std::clamp<long long>(obs_data_get_int(&settings, name), 0, static_cast<long long>(maxPlaneExtent)));
}

} // namespace

Rect cropped(Size size, const Crop& crop) noexcept {
    if (size.empty())
        return {};
    const std::uint32_t left = std::min(crop.left, size.width - 1);
    const std::uint32_t top = std::min(crop.top, size.height - 1);
    const std::uint32_t right = std::min(crop.right, size.width - 1 - left);
    const std::uint32_t bottom = std::min(crop.bottom, size.height - 1 - top);
    return {{static_cast<std::int32_t>(left), static_cast<std::int32_t>(top)},
            {size.width - left - right, size.height - top - bottom}};
}

void setDefaults(obs_data& settings) {
    obs_data_set_default_string(&settings, setting::origin, setting::deviceOrigin);
    obs_data_set_default_string(&settings, setting::device, "");
    obs_data_set_default_string(&settings, setting::address, "");
    obs_data_set_default_string(&settings, setting::node, "");
    obs_data_set_default_bool(&settings, setting::cursor, true);
    obs_data_set_default_string(&settings, setting::blanking, setting::lastPicture);
    for (const char* inset : {setting::cropLeft, setting::cropTop, setting::cropRight, setting::cropBottom})
        obs_data_set_default_int(&settings, inset, 0);
}

CaptureSettings readSettings(obs_data& settings) {
    const auto text = [&](const char* name) { return std::string_view(obs_data_get_string(&settings, name)); };
    CaptureSettings read;
    if (text(setting::origin) == setting::nodeOrigin)
        read.origin = {OriginKind::node, std::string(text(setting::node))};
    else
        read.origin = {OriginKind::device,
                       std::string(text(setting::device) == setting::otherDevice ? text(setting::address)
                                                                                 : text(setting::device))};
    read.cursor = obs_data_get_bool(&settings, setting::cursor) ? CursorDrawing::drawn : CursorDrawing::left;
    read.blanking = text(setting::blanking) == setting::nothing ? Blanking::nothing : Blanking::lastPicture;
    read.crop = {.left = readInset(settings, setting::cropLeft),
                 .top = readInset(settings, setting::cropTop),
                 .right = readInset(settings, setting::cropRight),
                 .bottom = readInset(settings, setting::cropBottom)};
    return read;
}

} // namespace vgpuview

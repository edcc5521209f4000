// SPDX-License-Identifier: MIT
// What a consumer of a node takes, as SPA pods.
#include "pipewire/node_format.h"

#include "frame/damage.h"
#include "frame/plane_check.h"

#include <drm_fourcc.h>
#include <spa/buffer/buffer.h>
#include <spa/buffer/meta.h>
#include <spa/param/buffers.h>
#include <spa/param/param.h>
#include <spa/param/video/format.h>
#include <spa/pod/builder.h>

#include <algorithm>
#include <array>
#include <span>

namespace vgpuview {

namespace {

struct FormatName {
    std::uint32_t fourcc;
    std::uint32_t videoFormat;
};

// SPA names the order of bytes in memory, DRM that of bits in a little-endian word.
constexpr std::array formatNames{
    FormatName{DRM_FORMAT_XRGB8888, SPA_VIDEO_FORMAT_BGRx},
    FormatName{DRM_FORMAT_ARGB8888, SPA_VIDEO_FORMAT_BGRA},
    FormatName{DRM_FORMAT_XBGR8888, SPA_VIDEO_FORMAT_RGBx},
    FormatName{DRM_FORMAT_ABGR8888, SPA_VIDEO_FORMAT_RGBA},
    FormatName{DRM_FORMAT_XRGB2101010, SPA_VIDEO_FORMAT_xRGB_210LE},
    FormatName{DRM_FORMAT_XBGR2101010, SPA_VIDEO_FORMAT_xBGR_210LE},
    FormatName{DRM_FORMAT_RGB565, SPA_VIDEO_FORMAT_RGB16},
    FormatName{DRM_FORMAT_RGB888, SPA_VIDEO_FORMAT_BGR},
};

constexpr int leastBuffers = 2;
constexpr int preferredBuffers = 8;
constexpr int mostBuffers = 16;

const spa_pod* format(spa_pod_builder& builder, std::uint32_t videoFormat, std::span<const std::uint64_t> modifiers) {
    spa_pod_frame object{};
    spa_pod_builder_push_object(&builder, &object, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
    spa_pod_builder_add(&builder, SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
                        SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format, SPA_POD_Id(videoFormat), 0);
    if (!modifiers.empty()) {
        spa_pod_builder_prop(&builder, SPA_FORMAT_VIDEO_modifier,
                             SPA_POD_PROP_FLAG_MANDATORY | SPA_POD_PROP_FLAG_DONT_FIXATE);
        spa_pod_frame choice{};
        spa_pod_builder_push_choice(&builder, &choice, SPA_CHOICE_Enum, 0);
        // The first value of a choice is the preferred one, and stands again among those that there are.
        spa_pod_builder_long(&builder, static_cast<std::int64_t>(modifiers.front()));
        for (const std::uint64_t modifier : modifiers)
            spa_pod_builder_long(&builder, static_cast<std::int64_t>(modifier));
        spa_pod_builder_pop(&builder, &choice);
    }
    const spa_rectangle preferred{1920, 1080};
    const spa_rectangle least{1, 1};
    const spa_rectangle most{maxPlaneExtent, maxPlaneExtent};
    const spa_fraction usual{60, 1};
    const spa_fraction variable{0, 1};
    const spa_fraction fastest{1000, 1};
    spa_pod_builder_add(&builder, SPA_FORMAT_VIDEO_size, SPA_POD_CHOICE_RANGE_Rectangle(&preferred, &least, &most),
                        SPA_FORMAT_VIDEO_framerate, SPA_POD_CHOICE_RANGE_Fraction(&usual, &variable, &fastest), 0);
    return static_cast<const spa_pod*>(spa_pod_builder_pop(&builder, &object));
}

const spa_pod* meta(spa_pod_builder& builder, std::uint32_t type, std::size_t preferred, std::size_t least,
                    std::size_t most) {
    return static_cast<const spa_pod*>(spa_pod_builder_add_object(
        &builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta, SPA_PARAM_META_type, SPA_POD_Id(type), SPA_PARAM_META_size,
        SPA_POD_CHOICE_RANGE_Int(static_cast<int>(preferred), static_cast<int>(least), static_cast<int>(most))));
}

constexpr std::size_t cursorBytes(std::size_t extent) noexcept {
    return sizeof(spa_meta_cursor) + sizeof(spa_meta_bitmap) + extent * extent * 4;
}

} // namespace

std::vector<std::uint32_t> shownFourccs() {
    std::vector<std::uint32_t> fourccs;
    fourccs.reserve(std::size(formatNames));
    for (const FormatName& name : formatNames)
        fourccs.push_back(name.fourcc);
    return fourccs;
}

std::optional<std::uint32_t> fourccOf(std::uint32_t videoFormat) noexcept {
    for (const FormatName& name : formatNames)
        if (name.videoFormat == videoFormat)
            return name.fourcc;
    return {};
}

std::vector<const spa_pod*> acceptedFormats(spa_pod_builder& builder, const std::vector<ImportableFormat>& importable) {
    std::vector<const spa_pod*> pods;
    for (const FormatName& name : formatNames) {
        const auto found = std::find_if(importable.begin(), importable.end(), [&](const ImportableFormat& entry) {
            return entry.fourcc == name.fourcc && !entry.modifiers.empty();
        });
        if (found != importable.end())
            pods.push_back(format(builder, name.videoFormat, found->modifiers));
    }
    for (const FormatName& name : formatNames)
        pods.push_back(format(builder, name.videoFormat, {}));
    return pods;
}

std::vector<const spa_pod*> wantedBuffers(spa_pod_builder& builder, NodeMemory memory) {
    const int types = 1 << (memory == NodeMemory::dmaBuf ? SPA_DATA_DmaBuf : SPA_DATA_MemFd);
    return {static_cast<const spa_pod*>(spa_pod_builder_add_object(
                &builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
                SPA_POD_CHOICE_RANGE_Int(preferredBuffers, leastBuffers, mostBuffers), SPA_PARAM_BUFFERS_blocks,
                SPA_POD_Int(1), SPA_PARAM_BUFFERS_dataType, SPA_POD_CHOICE_FLAGS_Int(types))),
            meta(builder, SPA_META_Header, sizeof(spa_meta_header), sizeof(spa_meta_header), sizeof(spa_meta_header)),
            meta(builder, SPA_META_VideoDamage, sizeof(spa_meta_region) * Damage::capacity, sizeof(spa_meta_region),
                 sizeof(spa_meta_region) * Damage::capacity),
            meta(builder, SPA_META_Cursor, cursorBytes(64), cursorBytes(1), cursorBytes(maxCursorExtent))};
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What a stream offers and what a consumer chose, as SPA pods.
#include "pipewire/stream_format.h"

#include "frame/plane_check.h"

#include <drm_fourcc.h>
#include <spa/buffer/buffer.h>
#include <spa/param/buffers.h>
#include <spa/param/param.h>
#include <spa/param/video/format.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>
#include <spa/pod/parser.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

namespace vgpuview {

namespace {

// More modifiers than any GPU draws into, and room for as many.
constexpr std::size_t mostModifiers = 64;
constexpr std::size_t podWords = 256;

} // namespace

class PodWriter {
public:
    PodWriter(std::uint32_t type, std::uint32_t id) {
        pod_.words_.resize(podWords);
        spa_pod_builder_init(&builder_, pod_.words_.data(),
                             static_cast<std::uint32_t>(pod_.words_.size() * sizeof(std::uint64_t)));
        spa_pod_builder_push_object(&builder_, &object_, type, id);
    }
    PodWriter(const PodWriter&) = delete;
    PodWriter& operator=(const PodWriter&) = delete;

    PodWriter& id(std::uint32_t key, std::uint32_t value) {
        spa_pod_builder_prop(&builder_, key, 0);
        spa_pod_builder_id(&builder_, value);
        return *this;
    }
    PodWriter& integer(std::uint32_t key, std::int32_t value) {
        spa_pod_builder_prop(&builder_, key, 0);
        spa_pod_builder_int(&builder_, value);
        return *this;
    }
    PodWriter& integers(std::uint32_t key, std::uint32_t choice, std::initializer_list<std::int32_t> values) {
        spa_pod_builder_prop(&builder_, key, 0);
        spa_pod_frame frame;
        spa_pod_builder_push_choice(&builder_, &frame, choice, 0);
        for (const std::int32_t value : values)
            spa_pod_builder_int(&builder_, value);
        spa_pod_builder_pop(&builder_, &frame);
        return *this;
    }
    PodWriter& modifiers(std::span<const std::uint64_t> values) {
        // A lone mandatory value arrives fixated: no second round to fix it is needed.
        if (values.size() == 1) {
            spa_pod_builder_prop(&builder_, SPA_FORMAT_VIDEO_modifier, SPA_POD_PROP_FLAG_MANDATORY);
            spa_pod_builder_long(&builder_, static_cast<std::int64_t>(values.front()));
            return *this;
        }
        spa_pod_builder_prop(&builder_, SPA_FORMAT_VIDEO_modifier,
                             SPA_POD_PROP_FLAG_MANDATORY | SPA_POD_PROP_FLAG_DONT_FIXATE);
        spa_pod_frame frame;
        spa_pod_builder_push_choice(&builder_, &frame, SPA_CHOICE_Enum, 0);
        // The first value of a choice is the preferred one, and stands again among those that there are.
        spa_pod_builder_long(&builder_, static_cast<std::int64_t>(values.front()));
        for (const std::uint64_t value : values)
            spa_pod_builder_long(&builder_, static_cast<std::int64_t>(value));
        spa_pod_builder_pop(&builder_, &frame);
        return *this;
    }
    PodWriter& size(std::uint32_t key, Size value) {
        spa_pod_builder_prop(&builder_, key, 0);
        spa_pod_builder_rectangle(&builder_, value.width, value.height);
        return *this;
    }
    PodWriter& fractions(std::uint32_t key, std::uint32_t choice, std::span<const Fraction> values) {
        spa_pod_builder_prop(&builder_, key, 0);
        spa_pod_frame frame;
        spa_pod_builder_push_choice(&builder_, &frame, choice, 0);
        for (const Fraction& value : values)
            spa_pod_builder_fraction(&builder_, value.numerator, value.denominator);
        spa_pod_builder_pop(&builder_, &frame);
        return *this;
    }
    [[nodiscard]] Pod take() {
        spa_pod_builder_pop(&builder_, &object_);
        return std::move(pod_);
    }

private:
    Pod pod_;
    spa_pod_builder builder_{};
    spa_pod_frame object_{};
};

namespace {

struct FormatName {
    std::uint32_t fourcc;
    std::uint32_t videoFormat;
};

// SPA names the order of bytes in memory, DRM that of bits in a little-endian word.
constexpr std::array formatNames{
    FormatName{DRM_FORMAT_XRGB8888, SPA_VIDEO_FORMAT_BGRx},
    FormatName{DRM_FORMAT_XBGR8888, SPA_VIDEO_FORMAT_RGBx},
    FormatName{DRM_FORMAT_XRGB2101010, SPA_VIDEO_FORMAT_xRGB_210LE},
    FormatName{DRM_FORMAT_XBGR2101010, SPA_VIDEO_FORMAT_xBGR_210LE},
    FormatName{DRM_FORMAT_RGB565, SPA_VIDEO_FORMAT_RGB16},
    FormatName{DRM_FORMAT_RGB888, SPA_VIDEO_FORMAT_BGR},
};

/// A property's value, or nullptr. What was fixed by negotiation may come as a choice of one.
const spa_pod* find(const spa_pod& object, std::uint32_t key) noexcept {
    const spa_pod_prop* const property = spa_pod_find_prop(&object, nullptr, key);
    if (!property)
        return nullptr;
    std::uint32_t count = 0;
    std::uint32_t choice = SPA_CHOICE_None;
    const spa_pod* const value = spa_pod_get_values(&property->value, &count, &choice);
    return count > 0 && choice == SPA_CHOICE_None ? value : nullptr;
}

Fraction fractionIn(const spa_pod* value) noexcept {
    spa_fraction fraction{};
    if (!value || spa_pod_get_fraction(value, &fraction) < 0 || fraction.denom == 0)
        return {};
    return {fraction.num, fraction.denom};
}

/// Each once; empty for what is no modifier, or a choice other than one of some values.
std::vector<std::uint64_t> modifiersIn(const spa_pod& property) {
    std::uint32_t count = 0;
    std::uint32_t choice = SPA_CHOICE_None;
    const spa_pod* const values = spa_pod_get_values(&property, &count, &choice);
    if (values->type != SPA_TYPE_Long || values->size != sizeof(std::int64_t) ||
        (choice != SPA_CHOICE_None && choice != SPA_CHOICE_Enum))
        return {};
    std::vector<std::uint64_t> modifiers;
    const std::span all(static_cast<const std::int64_t*>(SPA_POD_BODY_CONST(values)),
                        choice == SPA_CHOICE_None ? std::min(count, 1U) : count);
    for (const std::int64_t value : all) {
        const auto modifier = static_cast<std::uint64_t>(value);
        if (std::find(modifiers.begin(), modifiers.end(), modifier) == modifiers.end())
            modifiers.push_back(modifier);
    }
    return modifiers;
}

std::optional<std::uint32_t> idIn(const spa_pod* value) noexcept {
    std::uint32_t id = 0;
    if (!value || spa_pod_get_id(value, &id) < 0)
        return {};
    return id;
}

} // namespace

std::optional<std::uint32_t> videoFormatOf(std::uint32_t fourcc) noexcept {
    const std::optional<FormatFacts> facts = factsOf(fourcc);
    if (!facts)
        return {};
    for (const FormatName& name : formatNames)
        if (name.fourcc == facts->opaqueTwin)
            return name.videoFormat;
    return {};
}

Pod formatPod(const Offer& offer, RateChoice rates, std::uint32_t maxFps) {
    PodWriter pod(SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
    pod.id(SPA_FORMAT_mediaType, SPA_MEDIA_TYPE_video)
        .id(SPA_FORMAT_mediaSubtype, SPA_MEDIA_SUBTYPE_raw)
        .id(SPA_FORMAT_VIDEO_format, offer.videoFormat);
    if (!offer.modifiers.empty())
        pod.modifiers(std::span(offer.modifiers).first(std::min(offer.modifiers.size(), mostModifiers)));
    pod.size(SPA_FORMAT_VIDEO_size, offer.size);
    const Fraction most{maxFps, 1};
    if (rates == RateChoice::range) {
        // The first value of a choice is the preferred one: variable.
        pod.fractions(SPA_FORMAT_VIDEO_framerate, SPA_CHOICE_Range, std::array{Fraction{0, 1}, Fraction{0, 1}, most});
        pod.fractions(SPA_FORMAT_VIDEO_maxFramerate, SPA_CHOICE_Range, std::array{most, Fraction{1, 1}, most});
    } else {
        std::vector<Fraction> values{most, most};
        for (const std::uint32_t fps : {60U, 30U, 15U})
            if (fps < maxFps)
                values.push_back({fps, 1});
        pod.fractions(SPA_FORMAT_VIDEO_framerate, SPA_CHOICE_Enum, values);
    }
    if (offer.videoFormat == SPA_VIDEO_FORMAT_YUY2)
        pod.id(SPA_FORMAT_VIDEO_colorRange, SPA_VIDEO_COLOR_RANGE_16_235)
            .id(SPA_FORMAT_VIDEO_colorMatrix, SPA_VIDEO_COLOR_MATRIX_BT601);
    return pod.take();
}

std::optional<ChosenFormat> parseFormat(const spa_pod& format) {
    if (!spa_pod_is_object_type(&format, SPA_TYPE_OBJECT_Format))
        return {};
    if (idIn(find(format, SPA_FORMAT_mediaType)) != SPA_MEDIA_TYPE_video ||
        idIn(find(format, SPA_FORMAT_mediaSubtype)) != SPA_MEDIA_SUBTYPE_raw)
        return {};
    const std::optional<std::uint32_t> videoFormat = idIn(find(format, SPA_FORMAT_VIDEO_format));
    const spa_pod* const sizeValue = find(format, SPA_FORMAT_VIDEO_size);
    spa_rectangle size{};
    if (!videoFormat || !sizeValue || spa_pod_get_rectangle(sizeValue, &size) < 0)
        return {};
    if (size.width == 0 || size.height == 0 || std::max(size.width, size.height) > maxPlaneExtent)
        return {};
    ChosenFormat chosen;
    chosen.videoFormat = *videoFormat;
    chosen.size = {size.width, size.height};
    if (const spa_pod_prop* const property = spa_pod_find_prop(&format, nullptr, SPA_FORMAT_VIDEO_modifier)) {
        chosen.modifiers = modifiersIn(property->value);
        if (chosen.modifiers.empty())
            return {};
        chosen.modifierIsOpen =
            spa_pod_is_choice(&property->value) && SPA_POD_CHOICE_TYPE(&property->value) != SPA_CHOICE_None;
    }
    chosen.framerate = fractionIn(find(format, SPA_FORMAT_VIDEO_framerate));
    chosen.maxFramerate = fractionIn(find(format, SPA_FORMAT_VIDEO_maxFramerate));
    return chosen;
}

Pod buffersPod(SlotMemory memory, BufferCount count, std::uint32_t stride, std::uint32_t height) {
    const std::int32_t type = memory == SlotMemory::dmaBuf ? 1 << SPA_DATA_DmaBuf : 1 << SPA_DATA_MemFd;
    PodWriter pod(SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers);
    pod.integers(SPA_PARAM_BUFFERS_buffers, SPA_CHOICE_Range, {count.preferred, count.least, count.most})
        .integer(SPA_PARAM_BUFFERS_blocks, 1);
    if (stride != 0)
        pod.integer(SPA_PARAM_BUFFERS_size, static_cast<std::int32_t>(stride * height))
            .integer(SPA_PARAM_BUFFERS_stride, static_cast<std::int32_t>(stride));
    return pod.integers(SPA_PARAM_BUFFERS_dataType, SPA_CHOICE_Flags, {type}).take();
}

Pod metaPod(std::uint32_t type, std::size_t byteSize, std::size_t least) {
    const auto size = static_cast<std::int32_t>(byteSize);
    PodWriter pod(SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta);
    pod.id(SPA_PARAM_META_type, type);
    if (least == 0)
        pod.integer(SPA_PARAM_META_size, size);
    else
        pod.integers(SPA_PARAM_META_size, SPA_CHOICE_Range, {size, static_cast<std::int32_t>(least), size});
    return pod.take();
}

} // namespace vgpuview

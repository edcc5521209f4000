// SPDX-License-Identifier: MIT
// Guest buffers as textures of libobs, without a copy.
#include "obs/dma_buf_textures.h"

#include "frame/mapped_buffer.h"

#include <drm_fourcc.h>
#include <epoxy/gl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace vgpuview {

namespace {

gs_color_format colorFormatOf(std::uint32_t fourcc) noexcept {
    switch (fourcc) {
    case DRM_FORMAT_XRGB2101010:
    case DRM_FORMAT_ARGB2101010:
    case DRM_FORMAT_XBGR2101010:
    case DRM_FORMAT_ABGR2101010:
        return GS_R10G10B10A2;
    case DRM_FORMAT_XBGR8888:
    case DRM_FORMAT_ABGR8888:
        return GS_RGBA_UNORM;
    case DRM_FORMAT_ARGB8888:
        return GS_BGRA_UNORM;
    default:
        return GS_BGRX_UNORM;
    }
}

bool rendersInSoftware() {
    const auto* name = reinterpret_cast<const char*>(glGetString(GL_RENDERER));
    const std::string_view renderer = name ? name : "";
    return renderer.find("llvmpipe") != std::string_view::npos || renderer.find("softpipe") != std::string_view::npos;
}

} // namespace

void DmaBufSupport::ask() {
    asked_ = true;
    gs_dmabuf_flags flags = GS_DMABUF_FLAG_NONE;
    std::uint32_t* formats = nullptr;
    std::size_t count = 0;
    if (!gs_query_dmabuf_capabilities(&flags, &formats, &count))
        return;
    const ObsMemory<std::uint32_t> owned(formats);
    fourccs_.assign(formats, formats + count);
    implicitModifiers_ = (flags & GS_DMABUF_FLAG_IMPLICIT_MODIFIERS_SUPPORTED) != 0;
}

const std::vector<std::uint64_t>& DmaBufSupport::modifiersOf(std::uint32_t fourcc) {
    if (!asked_)
        ask();
    const auto [place, isNew] = modifiers_.try_emplace(fourcc);
    std::vector<std::uint64_t>& known = place->second;
    if (!isNew || std::find(fourccs_.begin(), fourccs_.end(), fourcc) == fourccs_.end())
        return known;
    std::uint64_t* modifiers = nullptr;
    std::size_t count = 0;
    if (gs_query_dmabuf_modifiers_for_format(fourcc, &modifiers, &count)) {
        const ObsMemory<std::uint64_t> owned(modifiers);
        known.assign(modifiers, modifiers + count);
    }
    // Who can be told no modifier at all takes a linear buffer or guesses.
    if (implicitModifiers_ && std::find(known.begin(), known.end(), DRM_FORMAT_MOD_INVALID) == known.end())
        known.push_back(DRM_FORMAT_MOD_INVALID);
    return known;
}

bool DmaBufSupport::canImport(const PixelFormat& format) {
    const std::vector<std::uint64_t>& modifiers = modifiersOf(format.fourcc);
    return std::find(modifiers.begin(), modifiers.end(), format.modifier) != modifiers.end();
}

gs_texture_t* DmaBufTextures::textureOf(const Buffer& buffer) {
    const auto [place, isNew] = textures_.try_emplace(buffer.id());
    if (isNew)
        place->second = import(buffer);
    return place->second.get();
}

TexturePtr DmaBufTextures::import(const Buffer& buffer) {
    const BufferLayout& layout = buffer.layout();
    PixelFormat format = layout.format;
    if (alpha_ == AlphaUse::opaque)
        format.fourcc = factsOf(format.fourcc)->opaqueTwin;
    if (!support_.canImport(format)) {
        refusal_ = fmt::format("OBS' renderer does not take {} as a dma-buf", nameOf(format));
        return nullptr;
    }
    // Mesa's software renderer maps at first use, and where that is refused it reads from address zero.
    if (rendersInSoftware() && !MappedBuffer::map(buffer, MapAccess::readWrite)) {
        refusal_ = fmt::format("the software renderer can't map the dma-buf: {}", std::strerror(errno));
        return nullptr;
    }
    const int fd = buffer.fd();
    const bool implicit = format.modifier == DRM_FORMAT_MOD_INVALID;
    TexturePtr texture(gs_texture_create_from_dmabuf(layout.size.width, layout.size.height, format.fourcc,
                                                     colorFormatOf(format.fourcc), 1, &fd, &layout.stride,
                                                     &layout.offset, implicit ? nullptr : &format.modifier));
    if (!texture)
        refusal_ = fmt::format("OBS' renderer refuses the dma-buf ({}, {}x{}, {} bytes a row)", nameOf(format),
                               layout.size.width, layout.size.height, layout.stride);
    return texture;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Which dma-bufs EGL imports, and the import itself.
#include "gpu/dma_buf_formats.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vgpuview {

EglImage::EglImage(EglImage&& other) noexcept
    : display_(other.display_)
    , image_(std::exchange(other.image_, EGL_NO_IMAGE_KHR)) {}

EglImage& EglImage::operator=(EglImage&& other) noexcept {
    std::swap(display_, other.display_);
    std::swap(image_, other.image_);
    return *this;
}

EglImage::~EglImage() {
    if (image_ != EGL_NO_IMAGE_KHR)
        eglDestroyImageKHR(display_, image_);
}

DmaBufFormats::DmaBufFormats(const EglContext& context)
    : context_(context) {
    // libepoxy looks for an extension's functions in the display of the current context alone.
    const EglContext::Current current(context);
    if (!current)
        return;
    if (!context.has("EGL_EXT_image_dma_buf_import_modifiers")) {
        // Nothing can be asked. These two are what every renderer knows.
        for (const std::uint32_t fourcc : {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888})
            entries_.push_back({{fourcc, DRM_FORMAT_MOD_LINEAR}, Use::sampleAndRender, Statement::implicit});
        return;
    }
    EGLint count = 0;
    if (eglQueryDmaBufFormatsEXT(context.display(), 0, nullptr, &count) == EGL_FALSE || count <= 0)
        return;
    std::vector<EGLint> fourccs(static_cast<std::size_t>(count));
    eglQueryDmaBufFormatsEXT(context.display(), count, fourccs.data(), &count);
    fourccs.resize(static_cast<std::size_t>(count));
    for (const EGLint fourcc : fourccs)
        addModifiersOf(fourcc);
}

void DmaBufFormats::addModifiersOf(EGLint fourcc) {
    const auto format = static_cast<std::uint32_t>(fourcc);
    EGLint count = 0;
    if (eglQueryDmaBufModifiersEXT(context_.display(), fourcc, 0, nullptr, nullptr, &count) == EGL_FALSE ||
        count <= 0) {
        entries_.push_back({{format, DRM_FORMAT_MOD_LINEAR}, Use::sampleAndRender, Statement::implicit});
        return;
    }
    std::vector<EGLuint64KHR> modifiers(static_cast<std::size_t>(count));
    std::vector<EGLBoolean> externalOnly(modifiers.size());
    eglQueryDmaBufModifiersEXT(context_.display(), fourcc, count, modifiers.data(), externalOnly.data(), &count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count) && i < modifiers.size(); ++i)
        entries_.push_back({{format, modifiers[i]},
                            externalOnly[i] != EGL_FALSE ? Use::sampleOnly : Use::sampleAndRender,
                            Statement::listed});
}

const DmaBufFormats::Entry* DmaBufFormats::find(const PixelFormat& format) const noexcept {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.format == format; });
    return found == entries_.end() ? nullptr : &*found;
}

bool DmaBufFormats::canImport(const PixelFormat& format) const noexcept {
    return find(format) != nullptr;
}

std::vector<std::uint64_t> DmaBufFormats::renderableModifiers(std::uint32_t fourcc) const {
    std::vector<std::uint64_t> modifiers;
    for (const Entry& entry : entries_)
        if (entry.format.fourcc == fourcc && entry.use == Use::sampleAndRender &&
            entry.format.modifier != DRM_FORMAT_MOD_INVALID)
            modifiers.push_back(entry.format.modifier);
    return modifiers;
}

EglImage DmaBufFormats::import(const Buffer& buffer) const noexcept {
    const BufferLayout& layout = buffer.layout();
    const Entry* entry = find(layout.format);
    if (!entry)
        return {};
    const auto attribute = [](std::uint64_t value) { return static_cast<EGLint>(static_cast<std::uint32_t>(value)); };
    std::array<EGLint, 17> attributes{EGL_WIDTH,
                                      attribute(layout.size.width),
                                      EGL_HEIGHT,
                                      attribute(layout.size.height),
                                      EGL_LINUX_DRM_FOURCC_EXT,
                                      attribute(layout.format.fourcc),
                                      EGL_DMA_BUF_PLANE0_FD_EXT,
                                      buffer.fd(),
                                      EGL_DMA_BUF_PLANE0_OFFSET_EXT,
                                      attribute(layout.offset),
                                      EGL_DMA_BUF_PLANE0_PITCH_EXT,
                                      attribute(layout.stride),
                                      EGL_NONE};
    if (entry->statement == Statement::listed) {
        attributes[12] = EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT;
        attributes[13] = attribute(layout.format.modifier & 0xffffffffU);
        attributes[14] = EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT;
        attributes[15] = attribute(layout.format.modifier >> 32);
        attributes[16] = EGL_NONE;
    }
    return {context_.display(),
            eglCreateImageKHR(context_.display(), EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, nullptr, attributes.data())};
}

} // namespace vgpuview

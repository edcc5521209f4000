// SPDX-License-Identifier: MIT
// Which dma-bufs EGL imports, and the import itself.
#pragma once

#include "frame/buffer.h"
#include "gpu/egl_context.h"

#include <cstdint>
#include <vector>

namespace vgpuview {

/// An EGLImage of a dma-buf: another name of the same memory.
class EglImage {
public:
    EglImage() = default;
    EglImage(EGLDisplay display, EGLImageKHR image) noexcept
        : display_(display)
        , image_(image) {}
    EglImage(EglImage&& other) noexcept;
    EglImage& operator=(EglImage&& other) noexcept;
    ~EglImage();

    [[nodiscard]] explicit operator bool() const noexcept { return image_ != EGL_NO_IMAGE_KHR; }
    [[nodiscard]] EGLImageKHR get() const noexcept { return image_; }

private:
    EGLDisplay display_ = EGL_NO_DISPLAY;
    EGLImageKHR image_ = EGL_NO_IMAGE_KHR;
};

/// Source: EGL_EXT_image_dma_buf_import and EGL_EXT_image_dma_buf_import_modifiers.
class DmaBufFormats {
public:
    /// The context outlives it.
    explicit DmaBufFormats(const EglContext& context);

    [[nodiscard]] bool canImport(const PixelFormat& format) const noexcept;
    [[nodiscard]] std::vector<std::uint64_t> renderableModifiers(std::uint32_t fourcc) const;
    /// Empty where EGL refuses. The context must be current.
    [[nodiscard]] EglImage import(const Buffer& buffer) const noexcept;

private:
    enum class Use { sampleOnly, sampleAndRender };
    enum class Statement {
        listed,   ///< with its modifier
        implicit, ///< only as a format, with no word on modifiers: linear is tried
    };
    struct Entry {
        PixelFormat format;
        Use use;
        Statement statement;
    };
    void addModifiersOf(EGLint fourcc);
    [[nodiscard]] const Entry* find(const PixelFormat& format) const noexcept;

    const EglContext& context_;
    std::vector<Entry> entries_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A texture that follows a picture in memory: only what changed is uploaded.
#include "obs/uploaded_texture.h"

#include "base/pixel_format.h"

#include <drm_fourcc.h>
#include <epoxy/gl.h>

#include <cerrno>

namespace vgpuview {

namespace {

/// A DRM format (little endian) in OpenGL's terms, and the texture that holds it without loss.
struct UploadFormat {
    gs_color_format texture;
    GLenum format;
    GLenum type;
};

std::optional<UploadFormat> uploadFormatOf(std::uint32_t fourcc, AlphaUse alpha) noexcept {
    // A texture without alpha has the order of the screen's bytes. Mesa 22's software renderer swaps red and blue in
    // some tiles that it copies from one of another order.
    const gs_color_format bgr = alpha == AlphaUse::opaque ? GS_BGRX_UNORM : GS_BGRA_UNORM;
    switch (fourcc) {
    case DRM_FORMAT_XRGB8888:
    case DRM_FORMAT_ARGB8888:
        return UploadFormat{bgr, GL_BGRA, GL_UNSIGNED_BYTE};
    case DRM_FORMAT_XBGR8888:
    case DRM_FORMAT_ABGR8888:
        return UploadFormat{GS_RGBA_UNORM, GL_RGBA, GL_UNSIGNED_BYTE};
    case DRM_FORMAT_XRGB2101010:
    case DRM_FORMAT_ARGB2101010:
        return UploadFormat{GS_R10G10B10A2, GL_BGRA, GL_UNSIGNED_INT_2_10_10_10_REV};
    case DRM_FORMAT_XBGR2101010:
    case DRM_FORMAT_ABGR2101010:
        return UploadFormat{GS_R10G10B10A2, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV};
    case DRM_FORMAT_RGB565:
        return UploadFormat{bgr, GL_RGB, GL_UNSIGNED_SHORT_5_6_5};
    case DRM_FORMAT_RGB888:
        return UploadFormat{bgr, GL_BGR, GL_UNSIGNED_BYTE};
    default:
        return {};
    }
}

/// libobs uploads whole textures only, so rows go by OpenGL itself. libobs remembers what it has bound: everything is
/// put back as it was.
class BoundTexture {
public:
    explicit BoundTexture(GLuint name) noexcept {
        glGetIntegerv(GL_TEXTURE_BINDING_2D, &texture_);
        glGetIntegerv(GL_PIXEL_UNPACK_BUFFER_BINDING, &buffer_);
        glGetIntegerv(GL_UNPACK_ALIGNMENT, &alignment_);
        glGetIntegerv(GL_UNPACK_ROW_LENGTH, &rowLength_);
        glBindTexture(GL_TEXTURE_2D, name);
        glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
        glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    }
    BoundTexture(const BoundTexture&) = delete;
    BoundTexture& operator=(const BoundTexture&) = delete;
    ~BoundTexture() {
        glPixelStorei(GL_UNPACK_ROW_LENGTH, rowLength_);
        glPixelStorei(GL_UNPACK_ALIGNMENT, alignment_);
        glBindBuffer(GL_PIXEL_UNPACK_BUFFER, static_cast<GLuint>(buffer_));
        glBindTexture(GL_TEXTURE_2D, static_cast<GLuint>(texture_));
    }

private:
    GLint texture_ = 0;
    GLint buffer_ = 0;
    GLint alignment_ = 4;
    GLint rowLength_ = 0;
};

} // namespace

gs_texture_t* UploadedTexture::update(const Buffer& buffer, const Damage& damage) {
    const BufferLayout& layout = buffer.layout();
    const std::optional<UploadFormat> format = uploadFormatOf(layout.format.fourcc, alpha_);
    if (!format || layout.format.modifier != DRM_FORMAT_MOD_LINEAR) {
        errno = EOPNOTSUPP;
        return nullptr;
    }
    const MappedBuffer* mapped = mappingOf(buffer);
    if (!mapped)
        return nullptr;
    if (texture_ && size_ == layout.size && fourcc_ == layout.format.fourcc) {
        upload(*mapped, layout, damage);
        return texture_.get();
    }
    texture_.reset(gs_texture_create(layout.size.width, layout.size.height, format->texture, 1, nullptr, 0));
    if (!texture_) {
        errno = ENOMEM;
        return nullptr;
    }
    size_ = layout.size;
    fourcc_ = layout.format.fourcc;
    upload(*mapped, layout, Damage::all(size_));
    return texture_.get();
}

void UploadedTexture::clear() {
    mappings_.clear();
    texture_.reset();
}

const MappedBuffer* UploadedTexture::mappingOf(const Buffer& buffer) {
    if (const auto found = mappings_.find(buffer.id()); found != mappings_.end())
        return &found->second;
    std::optional<MappedBuffer> mapped = MappedBuffer::map(buffer, MapAccess::read);
    return mapped ? &mappings_.emplace(buffer.id(), std::move(*mapped)).first->second : nullptr;
}

void UploadedTexture::upload(const MappedBuffer& mapped, const BufferLayout& layout, const Damage& damage) {
    if (damage.empty())
        return;
    const UploadFormat format = *uploadFormatOf(layout.format.fourcc, alpha_);
    const std::uint32_t bytesPerPixel = factsOf(layout.format.fourcc)->bytesPerPixel;
    const BoundTexture bound(*static_cast<const GLuint*>(gs_texture_get_obj(texture_.get())));
    const MappedAccess access(mapped);
    const auto put = [&](std::int32_t x, std::int32_t y, std::uint32_t width, std::uint32_t height) {
        glTexSubImage2D(GL_TEXTURE_2D, 0, x, y, static_cast<GLsizei>(width), static_cast<GLsizei>(height),
                        format.format, format.type,
                        mapped.row(static_cast<std::uint32_t>(y)).data() + static_cast<std::size_t>(x) * bytesPerPixel);
    };
    const bool wholePixels = layout.stride % bytesPerPixel == 0;
    glPixelStorei(GL_UNPACK_ROW_LENGTH, wholePixels ? static_cast<GLint>(layout.stride / bytesPerPixel) : 0);
    for (const Rect& changed : damage.rects()) {
        const Rect rect = intersect(changed, {{0, 0}, layout.size});
        if (rect.empty())
            continue;
        if (wholePixels)
            put(rect.origin.x, rect.origin.y, rect.size.width, rect.size.height);
        else
            for (std::uint32_t row = 0; row < rect.size.height; ++row)
                put(rect.origin.x, rect.origin.y + static_cast<std::int32_t>(row), rect.size.width, 1);
        bytesUploaded_ += std::uint64_t{rect.size.width} * rect.size.height * bytesPerPixel;
    }
}

} // namespace vgpuview

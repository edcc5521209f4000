// SPDX-License-Identifier: MIT
// A frame as one picture of plain pixels.
#include "image/picture.h"

#include "base/error.h"
#include "frame/mapped_buffer.h"
#include "frame/pixel_convert.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace vgpuview {

namespace {

Picture readPlane(const Buffer& buffer, PixelReader* reader, const char* name) {
    const BufferLayout& layout = buffer.layout();
    Picture picture{.size = layout.size, .argb = {}};
    picture.argb.resize(std::size_t{layout.size.width} * layout.size.height);
    // A map of tiles is no picture.
    int refusal = EOPNOTSUPP;
    if (layout.format.modifier == DRM_FORMAT_MOD_LINEAR) {
        if (const auto mapped = MappedBuffer::map(buffer, MapAccess::read)) {
            const MappedAccess access(*mapped);
            for (std::uint32_t y = 0; y < layout.size.height; ++y)
                convertRow(layout.format.fourcc, mapped->row(y).data(),
                           std::span(picture.argb).subspan(std::size_t{y} * layout.size.width, layout.size.width));
            return picture;
        }
        refusal = errno;
    }
    if (reader && reader->read(buffer, picture.argb))
        return picture;
    throw Error(refusal, {.operation = "read",
                          .object = std::string("the ") + name + " plane (" + nameOf(layout.format) + ")",
                          .cause = reader ? "it can be neither mapped nor imported by the GPU" : "it can't be mapped",
                          .hint = reader ? "" : "with EGL it could be read through the GPU",
                          .exit = ExitCode::notSupported});
}

/// over = source + destination * (1 - source alpha), per channel; a source that is not really premultiplied saturates.
std::uint32_t blend(std::uint32_t source, std::uint32_t destination) noexcept {
    const std::uint32_t rest = 255 - (source >> 24);
    std::uint32_t result = 0xff000000U;
    for (unsigned shift = 0; shift < 24; shift += 8) {
        const std::uint32_t behind = ((destination >> shift & 0xffU) * rest + 127) / 255;
        result |= std::min<std::uint32_t>((source >> shift & 0xffU) + behind, 255) << shift;
    }
    return result;
}

void blendOver(Picture& picture, const Picture& cursor, Point position) {
    const Rect visible = intersect({{0, 0}, picture.size}, {position, cursor.size});
    for (std::uint32_t row = 0; row < visible.size.height; ++row) {
        const auto y = static_cast<std::uint32_t>(visible.origin.y) + row;
        const auto x = static_cast<std::uint32_t>(visible.origin.x);
        const auto cursorY = static_cast<std::uint32_t>(visible.origin.y - position.y) + row;
        const auto cursorX = static_cast<std::uint32_t>(visible.origin.x - position.x);
        std::uint32_t* to = &picture.argb[std::size_t{y} * picture.size.width + x];
        const std::uint32_t* from = &cursor.argb[std::size_t{cursorY} * cursor.size.width + cursorX];
        for (std::uint32_t i = 0; i < visible.size.width; ++i)
            to[i] = blend(from[i], to[i]);
    }
}

} // namespace

Picture composePicture(const Frame& frame, CursorVisibility cursor, PixelReader* reader) {
    if (!frame.primary)
        throw Error(ENODATA, {.operation = "take",
                              .object = "a picture",
                              .cause = "the guest shows none at this moment",
                              .exit = ExitCode::failed});
    Picture picture = readPlane(*frame.primary->buffer, reader, "primary");
    for (std::uint32_t& pixel : picture.argb)
        pixel |= 0xff000000U;
    if (cursor == CursorVisibility::visible && frame.cursor) {
        const Point origin = frame.primary->position;
        const Point position{frame.cursor->position.x - origin.x, frame.cursor->position.y - origin.y};
        blendOver(picture, readPlane(*frame.cursor->buffer, reader, "cursor"), position);
    }
    return picture;
}

} // namespace vgpuview

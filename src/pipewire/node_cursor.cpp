// SPDX-License-Identifier: MIT
// The cursor that a node tells of beside its pictures.
#include "pipewire/node_cursor.h"

#include "base/error.h"
#include "frame/mapped_buffer.h"
#include "frame/picture_memory.h"
#include "frame/plane_check.h"

#include <drm_fourcc.h>
#include <spa/buffer/buffer.h>
#include <spa/buffer/meta.h>
#include <spa/param/video/raw.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vgpuview {

namespace {

constexpr std::uint32_t bytesPerPixel = 4;

std::int32_t bounded(std::int32_t value) noexcept {
    constexpr auto most = static_cast<std::int32_t>(2 * maxPlaneExtent);
    return std::clamp(value, -most, most);
}

std::optional<std::uint32_t> fourccOfImage(std::uint32_t videoFormat) noexcept {
    switch (videoFormat) {
    case SPA_VIDEO_FORMAT_RGBA:
        return DRM_FORMAT_ABGR8888;
    case SPA_VIDEO_FORMAT_BGRA:
        return DRM_FORMAT_ARGB8888;
    default:
        return {};
    }
}

} // namespace

void NodeCursor::take(const spa_buffer& buffer) {
    const spa_meta* meta = spa_buffer_find_meta(&buffer, SPA_META_Cursor);
    if (!meta || meta->size < sizeof(spa_meta_cursor))
        return;
    spa_meta_cursor told{};
    std::memcpy(&told, meta->data, sizeof(told));
    if (told.id == 0) {
        plane_.reset();
        return;
    }
    if (told.bitmap_offset != 0 && told.bitmap_offset < meta->size)
        takeImage(std::span(static_cast<const std::byte*>(meta->data), meta->size).subspan(told.bitmap_offset));
    if (!image_) {
        plane_.reset();
        return;
    }
    const Point hotSpot{bounded(told.hotspot.x), bounded(told.hotspot.y)};
    plane_ = Plane{.buffer = image_,
                   .position = {bounded(told.position.x) - hotSpot.x, bounded(told.position.y) - hotSpot.y},
                   .hotSpot = hotSpot};
}

void NodeCursor::takeImage(std::span<const std::byte> bytes) {
    spa_meta_bitmap bitmap{};
    if (bytes.size() < sizeof(bitmap))
        return;
    std::memcpy(&bitmap, bytes.data(), sizeof(bitmap));
    const Size size{bitmap.size.width, bitmap.size.height};
    const std::optional<std::uint32_t> fourcc = fourccOfImage(bitmap.format);
    if (bitmap.offset == 0 || size.empty()) {
        // An empty image is no image.
        if (image_)
            retired_(std::exchange(image_, nullptr));
        return;
    }
    if (!fourcc || std::max(size.width, size.height) > maxCursorExtent || bitmap.stride <= 0)
        return;
    const std::uint64_t rowBytes = std::uint64_t{size.width} * bytesPerPixel;
    const auto stride = static_cast<std::uint64_t>(bitmap.stride);
    if (stride < rowBytes || bitmap.offset > bytes.size() ||
        stride * (size.height - 1) + rowBytes > bytes.size() - bitmap.offset)
        return;
    const BufferLayout layout{.size = size,
                              .stride = static_cast<std::uint32_t>(rowBytes),
                              .offset = 0,
                              .byteSize = rowBytes * size.height,
                              .format = {*fourcc, DRM_FORMAT_MOD_LINEAR}};
    auto image = std::make_shared<const Buffer>(BufferKind::memory, layout, allocateMemfd(layout.byteSize));
    const std::optional<MappedBuffer> mapped = MappedBuffer::map(*image, MapAccess::readWrite);
    if (!mapped)
        throw Error(errno, {.operation = "map", .object = "a cursor image"});
    for (std::uint32_t y = 0; y < size.height; ++y)
        std::memcpy(mapped->row(y).data(), bytes.data() + bitmap.offset + y * stride, rowBytes);
    if (image_)
        retired_(std::move(image_));
    image_ = std::move(image);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The guest's cursor as consumers get it: an image beside the picture, or drawn into it.
#include "pipewire/cursor_image.h"

#include "frame/mapped_buffer.h"
#include "frame/pixel_convert.h"
#include "pipewire/slot_pool.h"

#include <drm_fourcc.h>
#include <spa/param/video/raw.h>

#include <algorithm>

namespace vgpuview {

namespace {

constexpr std::size_t pixelSize = 4;
constexpr std::size_t pixelsOffset = sizeof(spa_meta_bitmap);

// 0 means "nothing new" in the metadata; all our cursors share one other number.
constexpr std::uint32_t cursorId = 1;

constexpr Size clearSize{1, 1};
constexpr std::uint32_t clearPixel = 0;

void writeImage(spa_meta_bitmap& bitmap, Size size, std::span<const std::uint32_t> argb) noexcept {
    bitmap.format = SPA_VIDEO_FORMAT_RGBA;
    bitmap.size = {size.width, size.height};
    bitmap.stride = static_cast<std::int32_t>(size.width * pixelSize);
    bitmap.offset = static_cast<std::uint32_t>(pixelsOffset);
    auto* byte = reinterpret_cast<std::uint8_t*>(&bitmap) + pixelsOffset;
    for (const std::uint32_t pixel : argb) {
        *byte++ = static_cast<std::uint8_t>(pixel >> 16);
        *byte++ = static_cast<std::uint8_t>(pixel >> 8);
        *byte++ = static_cast<std::uint8_t>(pixel);
        *byte++ = static_cast<std::uint8_t>(pixel >> 24);
    }
}

} // namespace

const std::size_t CursorImage::metaSize =
    sizeof(spa_meta_cursor) + sizeof(spa_meta_bitmap) + pixelSize * largestExtent * largestExtent;

CursorImage::CursorImage() {
    argb_.reserve(std::size_t{largestExtent} * largestExtent);
}

void CursorImage::load(const Buffer& buffer, PixelReader& reader) {
    if (buffer.id() == id_)
        return;
    id_ = buffer.id();
    const Size size = buffer.layout().size;
    size_ = {std::min(size.width, largestExtent), std::min(size.height, largestExtent)};
    if (!loadMapped(buffer))
        loadRead(buffer, reader);
}

bool CursorImage::loadMapped(const Buffer& buffer) {
    const BufferLayout& layout = buffer.layout();
    if (layout.format.modifier != DRM_FORMAT_MOD_LINEAR || !factsOf(layout.format.fourcc))
        return false;
    const std::optional<MappedBuffer> mapped = MappedBuffer::map(buffer, MapAccess::read);
    if (!mapped)
        return false;
    argb_.resize(std::size_t{size_.width} * size_.height);
    const MappedAccess access(*mapped);
    for (std::uint32_t y = 0; y < size_.height; ++y)
        convertRow(layout.format.fourcc, mapped->row(y).data(),
                   std::span(argb_).subspan(std::size_t{y} * size_.width, size_.width));
    return true;
}

void CursorImage::loadRead(const Buffer& buffer, PixelReader& reader) {
    const Size size = buffer.layout().size;
    std::vector<std::uint32_t> whole(std::size_t{size.width} * size.height);
    if (!reader.read(buffer, whole)) {
        size_ = {};
        argb_.clear();
        return;
    }
    argb_.clear();
    for (std::uint32_t y = 0; y < size_.height; ++y) {
        const auto row = whole.begin() + static_cast<std::ptrdiff_t>(std::size_t{y} * size.width);
        argb_.insert(argb_.end(), row, row + size_.width);
    }
}

void CursorImage::forget(BufferId id) noexcept {
    if (id_ != id)
        return;
    id_ = 0;
    size_ = {};
    argb_.clear();
}

void tellCursor(Slot& slot, const CursorImage& image, const std::optional<Plane>& cursor) noexcept {
    spa_meta* const meta = spa_buffer_find_meta(slot.buffer->buffer, SPA_META_Cursor);
    if (!meta || meta->size < sizeof(spa_meta_cursor) + sizeof(spa_meta_bitmap) + pixelSize)
        return;
    auto& told = *static_cast<spa_meta_cursor*>(meta->data);
    auto& bitmap = *reinterpret_cast<spa_meta_bitmap*>(static_cast<std::byte*>(meta->data) + sizeof(spa_meta_cursor));
    const BufferId imageId = cursor ? image.id() : 0;
    const bool shown =
        cursor && !image.size().empty() && meta->size >= sizeof(told) + pixelsOffset + image.argb().size_bytes();
    if (slot.cursorImage != imageId || !slot.cursorWritten) {
        writeImage(bitmap, shown ? image.size() : clearSize, shown ? image.argb() : std::span(&clearPixel, 1));
        slot.cursorImage = imageId;
        slot.cursorWritten = true;
        slot.cursorTold = false;
    }
    told.id = cursorId;
    told.flags = 0;
    if (cursor) {
        // The protocol's position is that of the hot spot, ours that of the image's corner.
        const Point hotSpot = cursor->hotSpot.value_or(Point{});
        told.position = {cursor->position.x + hotSpot.x, cursor->position.y + hotSpot.y};
        told.hotspot = {hotSpot.x, hotSpot.y};
    }
    told.bitmap_offset = slot.cursorTold ? 0 : static_cast<std::uint32_t>(sizeof(spa_meta_cursor));
    slot.cursorTold = true;
}

} // namespace vgpuview

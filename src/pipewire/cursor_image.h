// SPDX-License-Identifier: MIT
// The guest's cursor as consumers get it: an image beside the picture, or drawn into it.
#pragma once

#include "frame/frame.h"
#include "frame/pixel_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

struct Slot;

/// The pixels of the guest's cursor plane, read once per buffer.
class CursorImage {
public:
    /// Larger ones are cut off at the right and at the bottom: common consumers take no larger ones.
    static constexpr std::uint32_t largestExtent = 384;
    /// Of the metadata that hold any image (spa/buffer/meta.h).
    static const std::size_t metaSize;

    CursorImage();

    /// Reads the buffer unless it is the one that was read last: by a mapping, else by the reader. One that can't be
    /// read becomes an empty image.
    void load(const Buffer& buffer, PixelReader& reader);
    void forget(BufferId id) noexcept;

    /// 0: none.
    [[nodiscard]] BufferId id() const noexcept { return id_; }
    [[nodiscard]] Size size() const noexcept { return size_; }
    /// size().width by size().height pixels, 0xAARRGGBB, premultiplied.
    [[nodiscard]] std::span<const std::uint32_t> argb() const noexcept { return {argb_.data(), argb_.size()}; }

private:
    [[nodiscard]] bool loadMapped(const Buffer& buffer);
    void loadRead(const Buffer& buffer, PixelReader& reader);

    BufferId id_ = 0;
    Size size_;
    std::vector<std::uint32_t> argb_;
};

/// Writes where the cursor is, and its image if this slot has not told it yet, into the slot's metadata. No cursor
/// plane: an image of one clear pixel, because common consumers keep the last one where they are given none. A slot
/// whose consumers asked for no cursor is left alone.
void tellCursor(Slot& slot, const CursorImage& image, const std::optional<Plane>& cursor) noexcept;

} // namespace vgpuview

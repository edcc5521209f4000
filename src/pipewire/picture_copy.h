// SPDX-License-Identifier: MIT
// Copies of the guest's picture by the CPU, for consumers that can't take its memory.
#pragma once

#include "frame/mapped_buffer.h"
#include "frame/overlay_picture.h"
#include "frame/pixel_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace vgpuview {

enum class CopyFormat { bgrx, yuy2 };

/// Where a copy goes: rows from top to bottom.
struct CopyTarget {
    CopyFormat format;
    Size size;            ///< the picture's; for YUY2 its width without an odd last pixel
    std::uint32_t stride; ///< bytes
    std::span<std::byte> bytes;
};

class PictureCopy {
public:
    /// Whether the CPU can read the buffer's picture.
    [[nodiscard]] bool readable(const Buffer& buffer);
    /// By a mapping, else by the reader. False, and the target is as it was, where the picture can't be read or is
    /// smaller than the target.
    bool copy(const Buffer& from, PixelReader& reader, const CopyTarget& to,
              const std::optional<OverlayPicture>& overlay);
    static void fillBlack(const CopyTarget& to) noexcept;
    void forget(BufferId id) noexcept;
    void clear() noexcept;

private:
    /// nullptr: it can't be read.
    const MappedBuffer* mapping(const Buffer& buffer);

    std::vector<std::pair<BufferId, std::optional<MappedBuffer>>> mapped_; ///< nothing: refused
    std::vector<std::uint32_t> row_;
    std::vector<std::uint32_t> read_; ///< what the reader gave
};

/// Two pixels or more, an even number, 0xAARRGGBB to YUY2: BT.601, limited range.
void toYuy2(std::span<const std::uint32_t> argb, std::byte* yuy2) noexcept;

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Copies of the guest's picture by the CPU, for consumers that can't take its memory.
#include "pipewire/picture_copy.h"

#include "frame/pixel_convert.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <cstring>

namespace vgpuview {

namespace {

// More buffers than a guest flips between; the oldest mapping goes first.
constexpr std::size_t mostMappings = 16;

struct Rgb {
    int red;
    int green;
    int blue;
};

constexpr Rgb split(std::uint32_t argb) noexcept {
    return {static_cast<int>((argb >> 16) & 0xff), static_cast<int>((argb >> 8) & 0xff), static_cast<int>(argb & 0xff)};
}

constexpr int luma(const Rgb& c) noexcept {
    return ((66 * c.red + 129 * c.green + 25 * c.blue + 128) >> 8) + 16;
}

std::uint32_t over(std::uint32_t below, std::uint32_t above) noexcept {
    const std::uint32_t rest = 255 - (above >> 24);
    std::uint32_t result = 0xff000000;
    for (const unsigned shift : {0U, 8U, 16U}) {
        const std::uint32_t sum = ((above >> shift) & 0xff) + (((below >> shift) & 0xff) * rest + 127) / 255;
        result |= std::min<std::uint32_t>(sum, 255) << shift;
    }
    return result;
}

void draw(const OverlayPicture& overlay, std::uint32_t y, std::span<std::uint32_t> row) noexcept {
    const std::int64_t overlayY = std::int64_t{y} - overlay.position.y;
    if (overlayY < 0 || overlayY >= overlay.size.height)
        return;
    const std::uint32_t* const line = &overlay.argb[static_cast<std::size_t>(overlayY) * overlay.size.width];
    const std::int64_t first = std::max<std::int64_t>(0, overlay.position.x);
    const std::int64_t end = std::min<std::int64_t>(static_cast<std::int64_t>(row.size()),
                                                    std::int64_t{overlay.position.x} + overlay.size.width);
    for (std::int64_t x = first; x < end; ++x) {
        std::uint32_t& pixel = row[static_cast<std::size_t>(x)];
        pixel = over(pixel, line[x - overlay.position.x]);
    }
}

} // namespace

void toYuy2(std::span<const std::uint32_t> argb, std::byte* yuy2) noexcept {
    for (std::size_t x = 0; x + 1 < argb.size(); x += 2) {
        const Rgb left = split(argb[x]);
        const Rgb right = split(argb[x + 1]);
        const Rgb mean{(left.red + right.red + 1) / 2, (left.green + right.green + 1) / 2,
                       (left.blue + right.blue + 1) / 2};
        const int u = ((-38 * mean.red - 74 * mean.green + 112 * mean.blue + 128) >> 8) + 128;
        const int v = ((112 * mean.red - 94 * mean.green - 18 * mean.blue + 128) >> 8) + 128;
        *yuy2++ = static_cast<std::byte>(luma(left));
        *yuy2++ = static_cast<std::byte>(u);
        *yuy2++ = static_cast<std::byte>(luma(right));
        *yuy2++ = static_cast<std::byte>(v);
    }
}

const MappedBuffer* PictureCopy::mapping(const Buffer& buffer) {
    const auto found =
        std::find_if(mapped_.begin(), mapped_.end(), [&](const auto& entry) { return entry.first == buffer.id(); });
    if (found != mapped_.end())
        return found->second ? &*found->second : nullptr;
    if (mapped_.size() >= mostMappings)
        mapped_.erase(mapped_.begin());
    const PixelFormat& format = buffer.layout().format;
    std::optional<MappedBuffer> mapped;
    if (format.modifier == DRM_FORMAT_MOD_LINEAR && factsOf(format.fourcc))
        mapped = MappedBuffer::map(buffer, MapAccess::read);
    mapped_.emplace_back(buffer.id(), std::move(mapped));
    return mapped_.back().second ? &*mapped_.back().second : nullptr;
}

bool PictureCopy::readable(const Buffer& buffer) {
    return mapping(buffer) != nullptr;
}

bool PictureCopy::copy(const Buffer& from, PixelReader& reader, const CopyTarget& to,
                       const std::optional<OverlayPicture>& overlay) {
    const BufferLayout& layout = from.layout();
    if (layout.size.width < to.size.width || layout.size.height < to.size.height)
        return false;
    row_.resize(to.size.width);
    const auto finishRow = [&](std::uint32_t y) {
        std::byte* const target = to.bytes.data() + std::size_t{y} * to.stride;
        if (overlay)
            draw(*overlay, y, row_);
        if (to.format == CopyFormat::bgrx)
            std::memcpy(target, row_.data(), row_.size() * sizeof(row_[0]));
        else
            toYuy2(row_, target);
    };
    if (const MappedBuffer* const mapped = mapping(from)) {
        const MappedAccess access(*mapped);
        for (std::uint32_t y = 0; y < to.size.height; ++y) {
            convertRow(layout.format.fourcc, mapped->row(y).data(), row_);
            finishRow(y);
        }
        return true;
    }
    read_.resize(std::size_t{layout.size.width} * layout.size.height);
    if (!reader.read(from, read_))
        return false;
    for (std::uint32_t y = 0; y < to.size.height; ++y) {
        std::copy_n(read_.begin() + static_cast<std::ptrdiff_t>(std::size_t{y} * layout.size.width), row_.size(),
                    row_.begin());
        finishRow(y);
    }
    return true;
}

void PictureCopy::clear() noexcept {
    mapped_.clear();
    read_ = {};
}

void PictureCopy::fillBlack(const CopyTarget& to) noexcept {
    static constexpr std::uint32_t blackBgrx = 0xff000000;
    static constexpr std::uint32_t blackYuy2 = 0x80108010;
    const std::uint32_t black = to.format == CopyFormat::bgrx ? blackBgrx : blackYuy2;
    for (std::size_t i = 0; i + sizeof(black) <= to.bytes.size(); i += sizeof(black))
        std::memcpy(&to.bytes[i], &black, sizeof(black));
}

void PictureCopy::forget(BufferId id) noexcept {
    std::erase_if(mapped_, [&](const auto& entry) { return entry.first == id; });
}

} // namespace vgpuview

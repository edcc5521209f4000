// SPDX-License-Identifier: MIT
// A GPU that copies memory which both sides can map, for hosts that have neither a GPU nor udmabuf.
#pragma once

#include "base/error.h"
#include "doubles/fake_source.h"
#include "frame/mapped_buffer.h"
#include "gpu/gpu.h"

#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

namespace vgpuview::doubles {

/// What it is asked to do, and how it answers. Outlives the GPUs made by it.
struct FakeGpuHost {
    std::vector<std::uint64_t> modifiers{DRM_FORMAT_MOD_LINEAR}; ///< that can be drawn into
    std::set<std::uint64_t> unallocatable;                       ///< of these
    bool blits = true;
    unsigned made = 0;
    unsigned alive = 0;
    unsigned copies = 0;
    unsigned reads = 0;
    std::set<BufferId> known; ///< imported and not forgotten
};

/// Its buffers are laid out in rows whatever their modifier says.
class FakeGpu final : public Gpu {
public:
    explicit FakeGpu(FakeGpuHost& host)
        : host_(host) {
        ++host_.made;
        ++host_.alive;
    }
    FakeGpu(const FakeGpu&) = delete;
    FakeGpu& operator=(const FakeGpu&) = delete;
    ~FakeGpu() override {
        --host_.alive;
        host_.known.clear();
    }

    [[nodiscard]] bool canImport(const PixelFormat& format) const override {
        return format.fourcc == DRM_FORMAT_XRGB8888 || format.fourcc == DRM_FORMAT_ARGB8888;
    }
    [[nodiscard]] std::vector<std::uint64_t> renderableModifiers(std::uint32_t) const override {
        return host_.modifiers;
    }
    [[nodiscard]] BufferRef allocate(Size size, std::uint32_t fourcc,
                                     std::span<const std::uint64_t> modifiers) override {
        for (const std::uint64_t modifier : modifiers) {
            if (host_.unallocatable.contains(modifier))
                continue;
            const BufferRef linear = makeMemoryBuffer(size, BufferKind::dmaBuf, fourcc);
            BufferLayout layout = linear->layout();
            layout.format.modifier = modifier;
            return std::make_shared<const Buffer>(BufferKind::dmaBuf, layout, UniqueFd::duplicateOf(linear->fd()));
        }
        throw Error(ENOMEM, {.operation = "allocate", .object = "a dma-buf of the fake GPU"});
    }
    [[nodiscard]] bool blit(const Buffer& from, const Buffer& to,
                            const std::optional<OverlayPicture>& overlay) override {
        if (!host_.blits)
            return false;
        const auto source = MappedBuffer::map(from, MapAccess::read);
        const auto target = MappedBuffer::map(to, MapAccess::readWrite);
        if (!source || !target)
            return false;
        host_.known.insert({from.id(), to.id()});
        ++host_.copies;
        const std::size_t row = std::size_t{to.layout().size.width} * 4;
        for (std::uint32_t y = 0; y < to.layout().size.height; ++y)
            std::memcpy(target->row(y).data(), source->row(y).data(), row);
        if (overlay)
            blend(*overlay, *target, to.layout().size);
        return true;
    }
    [[nodiscard]] bool read(const Buffer& from, std::span<std::uint32_t> argb) override {
        const auto source = MappedBuffer::map(from, MapAccess::read);
        if (!source)
            return false;
        host_.known.insert(from.id());
        ++host_.reads;
        const Size size = from.layout().size;
        for (std::uint32_t y = 0; y < size.height; ++y)
            std::memcpy(&argb[std::size_t{y} * size.width], source->row(y).data(), std::size_t{size.width} * 4);
        return true;
    }
    void forget(const Buffer& buffer) override { host_.known.erase(buffer.id()); }

private:
    static void blend(const OverlayPicture& overlay, const MappedBuffer& target, Size size) {
        for (std::uint32_t y = 0; y < overlay.size.height; ++y)
            for (std::uint32_t x = 0; x < overlay.size.width; ++x) {
                const Point place{overlay.position.x + static_cast<std::int32_t>(x),
                                  overlay.position.y + static_cast<std::int32_t>(y)};
                if (place.x < 0 || place.y < 0 || place.x >= static_cast<std::int32_t>(size.width) ||
                    place.y >= static_cast<std::int32_t>(size.height))
                    continue;
                std::byte* const bytes =
                    target.row(static_cast<std::uint32_t>(place.y)).data() + std::ptrdiff_t{place.x} * 4;
                std::uint32_t below = 0;
                std::memcpy(&below, bytes, 4);
                const std::uint32_t above = overlay.argb[std::size_t{y} * overlay.size.width + x];
                std::uint32_t blended = 0;
                for (const unsigned shift : {0U, 8U, 16U})
                    blended |= ((above >> shift & 0xff) + (below >> shift & 0xff) * (255 - (above >> 24)) / 255)
                               << shift;
                std::memcpy(bytes, &blended, 4);
            }
    }

    FakeGpuHost& host_;
};

inline GpuFactory factoryOf(FakeGpuHost& host) {
    return [&host]() -> std::unique_ptr<Gpu> { return std::make_unique<FakeGpu>(host); };
}

} // namespace vgpuview::doubles

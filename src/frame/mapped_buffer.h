// SPDX-License-Identifier: MIT
// A buffer's memory as bytes of this process.
#pragma once

#include "frame/buffer.h"

#include <cstddef>
#include <optional>
#include <span>

namespace vgpuview {

enum class MapAccess { read, readWrite };

/// A shared mapping of a buffer's picture. It holds the memory itself, not the buffer: it may outlive both the buffer
/// and its descriptor.
class MappedBuffer {
public:
    /// Nothing where the mapping is refused, as many drivers do for their dma-bufs, or where the descriptor is shorter
    /// than the layout says; errno tells which (EOVERFLOW for the latter).
    [[nodiscard]] static std::optional<MappedBuffer> map(const Buffer& buffer, MapAccess access) noexcept;

    MappedBuffer(MappedBuffer&& other) noexcept;
    MappedBuffer& operator=(MappedBuffer&& other) noexcept;
    ~MappedBuffer();

    /// The layout's byteSize bytes, starting with the first pixel. Not to be written to where mapped for reading.
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return picture_; }
    /// Row y, stride bytes or what is left in the last one. y must be below the layout's height.
    [[nodiscard]] std::span<std::byte> row(std::uint32_t y) const noexcept;

    /// Brackets each access by the CPU. For a dma-buf DMA_BUF_IOCTL_SYNC (linux/dma-buf.h), which waits for a GPU that
    /// is still at work; else nothing. A refusal is no obstacle: the picture is then as coherent as the driver makes
    /// it.
    void beginAccess() const noexcept;
    void endAccess() const noexcept;

private:
    MappedBuffer(std::span<std::byte> mapping, std::span<std::byte> picture, std::uint32_t stride) noexcept
        : mapping_(mapping)
        , picture_(picture)
        , stride_(stride) {}
    void sync(std::uint64_t flags) const noexcept;

    std::span<std::byte> mapping_; ///< as mmap gave it
    std::span<std::byte> picture_; ///< the part from the layout's offset
    std::uint32_t stride_;
    UniqueFd dmaBuf_; ///< for the bracketing ioctls; none for plain memory
    std::uint64_t direction_ = 0;
};

/// Begins an access now and ends it when destroyed.
class MappedAccess {
public:
    explicit MappedAccess(const MappedBuffer& mapped) noexcept
        : mapped_(mapped) {
        mapped_.beginAccess();
    }
    MappedAccess(const MappedAccess&) = delete;
    MappedAccess& operator=(const MappedAccess&) = delete;
    ~MappedAccess() { mapped_.endAccess(); }

private:
    const MappedBuffer& mapped_;
};

} // namespace vgpuview

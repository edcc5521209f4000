// SPDX-License-Identifier: MIT
// A guest's picture in memory, as a descriptor that can be forwarded.
#pragma once

#include "base/geometry.h"
#include "base/pixel_format.h"
#include "base/unique_fd.h"

#include <cstdint>
#include <memory>

namespace vgpuview {

/// Where the pixels lie behind the descriptor. Validated: nothing is zero, all rows lie within byteSize.
struct BufferLayout {
    Size size;                  ///< pixels
    std::uint32_t stride = 0;   ///< bytes from row to row; may exceed width * bytes per pixel
    std::uint32_t offset = 0;   ///< bytes from the descriptor's start to the first pixel
    std::uint64_t byteSize = 0; ///< bytes that belong to the picture, from offset
    PixelFormat format;

    friend bool operator==(const BufferLayout&, const BufferLayout&) = default;
};

enum class BufferKind {
    dmaBuf, ///< a dma-buf: a GPU or a compositor can import it; mapping may be refused
    memory, ///< a memfd: can be mapped, and handed to a compositor as a wl_shm pool
};

/// Never used twice in a process, so a sink may key its imports on it.
using BufferId = std::uint64_t;

/// One picture's memory. The source makes it and keeps it while it is current or likely to come back; whoever shows it
/// holds a BufferRef as long as the descriptor is needed. Content is live: a guest draws when it likes.
class Buffer {
public:
    Buffer(BufferKind kind, BufferLayout layout, UniqueFd fd);
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    [[nodiscard]] BufferId id() const noexcept { return id_; }
    [[nodiscard]] BufferKind kind() const noexcept { return kind_; }
    [[nodiscard]] const BufferLayout& layout() const noexcept { return layout_; }
    /// Owned by the buffer. Do not close; duplicate what must live longer.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// While a reader is registered, a source that draws the buffer itself (region copies) draws into another one.
    [[nodiscard]] bool beingRead() const noexcept { return readers_ > 0; }

private:
    friend class BufferReadLock;

    BufferId id_;
    BufferKind kind_;
    BufferLayout layout_;
    UniqueFd fd_;
    mutable unsigned readers_ = 0;
};

using BufferRef = std::shared_ptr<const Buffer>;

/// Held by a sink from the moment it hands the buffer to a reader (a compositor) until that reader releases it.
class BufferReadLock {
public:
    BufferReadLock() = default;
    explicit BufferReadLock(BufferRef buffer) noexcept;
    BufferReadLock(BufferReadLock&&) noexcept = default;
    BufferReadLock& operator=(BufferReadLock&& other) noexcept;
    ~BufferReadLock() { release(); }

    void release() noexcept;
    [[nodiscard]] const BufferRef& buffer() const noexcept { return buffer_; }

private:
    BufferRef buffer_;
};

} // namespace vgpuview

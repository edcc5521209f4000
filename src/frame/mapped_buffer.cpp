// SPDX-License-Identifier: MIT
// A buffer's memory as bytes of this process.
#include "frame/mapped_buffer.h"

#include "frame/plane_check.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vgpuview {

std::optional<MappedBuffer> MappedBuffer::map(const Buffer& buffer, MapAccess access) noexcept {
    const BufferLayout& layout = buffer.layout();
    // Pages behind a memfd's end can be mapped, but touching them kills the process.
    const off_t end = ::lseek(buffer.fd(), 0, SEEK_END);
    if (end < 0)
        return {};
    if (!fitsInto(layout, static_cast<std::uint64_t>(end))) {
        errno = EOVERFLOW;
        return {};
    }
    const auto length = static_cast<std::size_t>(layout.offset + layout.byteSize);
    const int protection = access == MapAccess::read ? PROT_READ : PROT_READ | PROT_WRITE;
    void* address = ::mmap(nullptr, length, protection, MAP_SHARED, buffer.fd(), 0);
    if (address == MAP_FAILED)
        return {};
    const std::span<std::byte> mapping(static_cast<std::byte*>(address), length);
    MappedBuffer mapped(mapping, mapping.subspan(layout.offset), layout.stride);
    if (buffer.kind() == BufferKind::dmaBuf) {
        mapped.dmaBuf_ = UniqueFd(::fcntl(buffer.fd(), F_DUPFD_CLOEXEC, 0));
        if (!mapped.dmaBuf_)
            return {};
        mapped.direction_ = access == MapAccess::read ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_RW;
    }
    return mapped;
}

MappedBuffer::MappedBuffer(MappedBuffer&& other) noexcept
    : mapping_(std::exchange(other.mapping_, {}))
    , picture_(std::exchange(other.picture_, {}))
    , stride_(other.stride_)
    , dmaBuf_(std::move(other.dmaBuf_))
    , direction_(other.direction_) {}

MappedBuffer& MappedBuffer::operator=(MappedBuffer&& other) noexcept {
    // What this one held goes when other is destroyed.
    std::swap(mapping_, other.mapping_);
    std::swap(picture_, other.picture_);
    std::swap(stride_, other.stride_);
    std::swap(dmaBuf_, other.dmaBuf_);
    std::swap(direction_, other.direction_);
    return *this;
}

MappedBuffer::~MappedBuffer() {
    if (!mapping_.empty()) {
        const int before = errno;
        ::munmap(mapping_.data(), mapping_.size());
        errno = before;
    }
}

std::span<std::byte> MappedBuffer::row(std::uint32_t y) const noexcept {
    const std::size_t start = std::size_t{y} * stride_;
    return picture_.subspan(start, std::min<std::size_t>(stride_, picture_.size() - start));
}

void MappedBuffer::beginAccess() const noexcept {
    sync(DMA_BUF_SYNC_START);
}

void MappedBuffer::endAccess() const noexcept {
    sync(DMA_BUF_SYNC_END);
}

void MappedBuffer::sync(std::uint64_t flags) const noexcept {
    if (!dmaBuf_)
        return;
    dma_buf_sync request{.flags = flags | direction_};
    while (::ioctl(dmaBuf_.get(), DMA_BUF_IOCTL_SYNC, &request) != 0 && (errno == EINTR || errno == EAGAIN)) {
    }
}

} // namespace vgpuview

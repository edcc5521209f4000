// SPDX-License-Identifier: MIT
// A guest's picture in memory, as a descriptor that can be forwarded.
#include "frame/buffer.h"

#include <atomic>

namespace vgpuview {

namespace {

BufferId nextBufferId() noexcept {
    // Ids are unique in the process, and OBS runs several sources on several threads.
    static std::atomic<BufferId> last{0};
    return ++last;
}

} // namespace

Buffer::Buffer(BufferKind kind, BufferLayout layout, UniqueFd fd)
    : id_(nextBufferId())
    , kind_(kind)
    , layout_(layout)
    , fd_(std::move(fd)) {}

BufferReadLock::BufferReadLock(BufferRef buffer) noexcept
    : buffer_(std::move(buffer)) {
    if (buffer_)
        ++buffer_->readers_;
}

BufferReadLock& BufferReadLock::operator=(BufferReadLock&& other) noexcept {
    if (this != &other) {
        release();
        buffer_ = std::move(other.buffer_);
    }
    return *this;
}

void BufferReadLock::release() noexcept {
    if (buffer_)
        --buffer_->readers_;
    buffer_.reset();
}

} // namespace vgpuview

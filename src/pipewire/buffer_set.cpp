// SPDX-License-Identifier: MIT
// The guest's buffers that a pool of slots should carry.
#include "pipewire/buffer_set.h"

#include <algorithm>

namespace vgpuview {

BufferSet::BufferSet(std::size_t capacity)
    : capacity_(capacity) {
    buffers_.reserve(capacity_);
}

void BufferSet::use(const BufferRef& buffer) {
    const auto found = find(buffer->id());
    if (found != buffers_.end()) {
        std::rotate(buffers_.begin(), found, found + 1);
        return;
    }
    if (!buffers_.empty() && !suits(*buffer))
        buffers_.clear();
    else if (buffers_.size() >= capacity_)
        buffers_.resize(capacity_ - 1);
    buffers_.insert(buffers_.begin(), buffer);
}

void BufferSet::expect(const BufferRef& buffer) {
    if (!buffers_.empty() && buffers_.size() < capacity_ && suits(*buffer) && find(buffer->id()) == buffers_.end())
        buffers_.push_back(buffer);
}

BufferSet::Buffers::iterator BufferSet::find(BufferId id) noexcept {
    return std::find_if(buffers_.begin(), buffers_.end(), [&](const BufferRef& buffer) { return buffer->id() == id; });
}

bool BufferSet::suits(const Buffer& buffer) const noexcept {
    return buffers_.front()->kind() == buffer.kind() && *layout() == buffer.layout();
}

void BufferSet::drop(BufferId id) noexcept {
    std::erase_if(buffers_, [&](const BufferRef& buffer) { return buffer->id() == id; });
}

bool BufferSet::allBeingRead() const noexcept {
    return buffers_.size() > 1 &&
           std::all_of(buffers_.begin(), buffers_.end(), [](const BufferRef& buffer) { return buffer->beingRead(); });
}

void BufferSet::limit(std::size_t capacity) noexcept {
    capacity_ = std::max<std::size_t>(capacity, 1);
    if (buffers_.size() > capacity_)
        buffers_.resize(capacity_);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The guest's buffers that a pool of slots should carry.
#include "pipewire/buffer_set.h"

#include <algorithm>

namespace vgpuview {

BufferSet::BufferSet(std::size_t capacity)
    : capacity_(capacity) {
    buffers_.reserve(capacity_);
}

BufferSet::Change BufferSet::use(const BufferRef& buffer) {
    const auto found = std::find_if(buffers_.begin(), buffers_.end(),
                                    [&](const BufferRef& other) { return other->id() == buffer->id(); });
    if (found != buffers_.end()) {
        std::rotate(buffers_.begin(), found, found + 1);
        return Change::none;
    }
    Change change = Change::grown;
    if (!buffers_.empty() && (buffers_.front()->kind() != buffer->kind() || *layout() != buffer->layout())) {
        buffers_.clear();
        change = Change::restarted;
    } else if (buffers_.size() >= capacity_) {
        buffers_.resize(capacity_ - 1);
        change = Change::replaced;
    }
    buffers_.insert(buffers_.begin(), buffer);
    return change;
}

void BufferSet::drop(BufferId id) noexcept {
    std::erase_if(buffers_, [&](const BufferRef& buffer) { return buffer->id() == id; });
}

void BufferSet::limit(std::size_t capacity) noexcept {
    capacity_ = std::max<std::size_t>(capacity, 1);
    if (buffers_.size() > capacity_)
        buffers_.resize(capacity_);
}

} // namespace vgpuview

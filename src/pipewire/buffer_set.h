// SPDX-License-Identifier: MIT
// The guest's buffers that a pool of slots should carry.
#pragma once

#include "frame/buffer.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

/// Buffers of one kind and one layout, most recently shown first. A guest flips between a few; each that it adds costs
/// consumers a new pool, so those that it left are kept until the room is needed.
class BufferSet {
public:
    enum class Change {
        none,     ///< it was in the set
        grown,    ///< it is new, the others stay
        replaced, ///< it is new, and one had to go
        restarted ///< it differs in kind or layout: the others went
    };

    /// capacity: at least 1.
    explicit BufferSet(std::size_t capacity);

    /// The buffer is being shown.
    Change use(const BufferRef& buffer);
    void drop(BufferId id) noexcept;
    void clear() noexcept { buffers_.clear(); }
    /// Where a consumer takes fewer slots than there are buffers.
    void limit(std::size_t capacity) noexcept;

    [[nodiscard]] std::span<const BufferRef> buffers() const noexcept { return buffers_; }
    /// Of all buffers; nothing while there are none.
    [[nodiscard]] const BufferLayout* layout() const noexcept {
        return buffers_.empty() ? nullptr : &buffers_.front()->layout();
    }

private:
    std::size_t capacity_;
    std::vector<BufferRef> buffers_;
};

} // namespace vgpuview

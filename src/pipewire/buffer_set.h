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
    /// capacity: at least 1.
    explicit BufferSet(std::size_t capacity);

    /// The buffer is being shown. Where it is new and there is no room, the one that was shown longest ago goes; where
    /// it differs in kind or layout, all others.
    void use(const BufferRef& buffer);
    /// It may be shown next: there is room for it, if it is like the one that is shown.
    void expect(const BufferRef& buffer);
    void drop(BufferId id) noexcept;
    void clear() noexcept { buffers_.clear(); }
    /// Where a consumer takes fewer slots than there are buffers, and when it is gone. At least 1.
    void limit(std::size_t capacity) noexcept;

    /// Whether a source that turns between them, and waits for readers, has none left to draw in.
    [[nodiscard]] bool allBeingRead() const noexcept;
    [[nodiscard]] std::span<const BufferRef> buffers() const noexcept { return buffers_; }
    /// Of all buffers; nothing while there are none.
    [[nodiscard]] const BufferLayout* layout() const noexcept {
        return buffers_.empty() ? nullptr : &buffers_.front()->layout();
    }

private:
    using Buffers = std::vector<BufferRef>;

    [[nodiscard]] Buffers::iterator find(BufferId id) noexcept;
    [[nodiscard]] bool suits(const Buffer& buffer) const noexcept;

    std::size_t capacity_;
    Buffers buffers_;
};

} // namespace vgpuview

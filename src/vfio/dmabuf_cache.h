// SPDX-License-Identifier: MIT
// The dma-bufs of a device that are likely to be shown again, each fetched once.
#pragma once

#include "frame/buffer.h"
#include "frame/plane_check.h"
#include "vfio/device.h"
#include "vfio/quirks.h"

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace vgpuview {

/// A dma-buf, or why it can't be shown. It is kept all the same, so that it is not fetched again with every poll.
struct CachedDmaBuf {
    BufferRef buffer;
    std::optional<PlaneFault> fault;
};

/// Told apart by id, geometry, format and modifier, since drivers use ids again. What was not used for longest goes
/// when there are more than the bounds, and what another picture took the id from goes at once. To be destroyed before
/// the device is closed.
class DmaBufCache {
public:
    static constexpr std::size_t primaryBound = 8;
    static constexpr std::size_t cursorBound = 4;
    /// For drivers whose dma-bufs must not be fetched twice.
    static constexpr std::size_t keepingBound = 4096;

    /// retired: called with each buffer that the cache has let go of; the reference it gets is the last of the cache's.
    DmaBufCache(DeviceCalls device, QuirkSet& quirks, std::function<void(const Buffer&)> retired);
    DmaBufCache(const DmaBufCache&) = delete;
    DmaBufCache& operator=(const DmaBufCache&) = delete;

    /// The dma-buf of a checked plane. 0, or -errno: -EINVAL or -ENOENT where the guest has turned to another one since
    /// the query. reportedBytes bounds the picture where the kernel does not tell the dma-buf's size.
    [[nodiscard]] int find(PlaneType type, std::uint32_t id, const BufferLayout& layout, std::uint64_t reportedBytes,
                           CachedDmaBuf& found);
    /// Lets go of all, telling retired.
    void clear();
    [[nodiscard]] std::size_t size() const noexcept { return entries_[0].size() + entries_[1].size(); }

private:
    struct Entry {
        std::uint32_t id;
        BufferLayout layout;
        CachedDmaBuf dmaBuf;
        std::uint64_t lastUse;
    };
    using Entries = std::vector<Entry>;

    void retire(Entries& entries, std::size_t index);
    void trim(Entries& entries, std::size_t bound);

    DeviceCalls device_;
    QuirkSet& quirks_;
    std::function<void(const Buffer&)> retired_;
    std::array<Entries, 2> entries_;
    std::uint64_t uses_ = 0;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A plane that lies in a region of the device: copies the rows that changed into buffers that can be forwarded.
#pragma once

#include "frame/buffer.h"
#include "frame/damage.h"
#include "frame/plane_check.h"
#include "vfio/device.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

/// A region of a device, mapped for reading.
class RegionMapping {
public:
    /// Takes over the mapping; the seam outlives it.
    RegionMapping(VfioIo& io, void* address, std::size_t length) noexcept
        : io_(io)
        , address_(address)
        , length_(length) {}
    RegionMapping(const RegionMapping&) = delete;
    RegionMapping& operator=(const RegionMapping&) = delete;
    ~RegionMapping() { io_.unmap(address_, length_); }

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return {static_cast<const std::byte*>(address_), length_};
    }

private:
    VfioIo& io_;
    void* address_;
    std::size_t length_;
};

struct RegionUpdate {
    int error = 0;                        ///< positive errno: nothing could be read this time
    std::optional<PlaneFault> fault = {}; ///< the picture does not fit into the region
    BufferRef buffer = {};                ///< the picture, unless there is an error or fault
    bool changed = false;                 ///< since the update before
    Damage damage = {};                   ///< the rows that changed
};

/// The region is mapped once and compared with the last copy; only rows that differ are copied. Three buffers, whose
/// memory the kernel finds when they are first written to: one that is being read is not written to; while all are, the
/// change waits for a later update.
class RegionPlane {
public:
    static constexpr std::size_t bufferCount = 3;

    /// retired: called with each buffer that will not be used again.
    RegionPlane(DeviceCalls device, std::function<void(const Buffer&)> retired);
    ~RegionPlane();
    RegionPlane(const RegionPlane&) = delete;
    RegionPlane& operator=(const RegionPlane&) = delete;

    [[nodiscard]] RegionUpdate update(std::uint32_t regionIndex, const BufferLayout& layout);
    /// All that update() may hand out until they are retired.
    [[nodiscard]] std::span<const BufferRef> buffers() const noexcept { return buffers_; }
    /// Lets go of the buffers and of the mapping.
    void clear();

    [[nodiscard]] std::uint64_t bytesCopied() const noexcept { return bytesCopied_; }
    [[nodiscard]] std::uint64_t reallocations() const noexcept { return reallocations_; }

private:
    class Copy;

    [[nodiscard]] int map(std::uint32_t regionIndex);
    [[nodiscard]] int adopt(const BufferLayout& layout);
    [[nodiscard]] Copy* pickTarget() noexcept;
    [[nodiscard]] bool findChangedRows();
    void copyRows(Copy& target, Damage& damage);
    void retireCopies();

    DeviceCalls device_;
    std::function<void(const Buffer&)> retired_;
    std::unique_ptr<RegionMapping> mapping_;
    std::optional<std::uint32_t> mappedIndex_;
    BufferLayout source_; ///< as it lies in the region
    std::size_t rowBytes_ = 0;
    std::vector<std::unique_ptr<Copy>> copies_;
    std::vector<BufferRef> buffers_; ///< of the copies
    Copy* latest_ = nullptr;
    std::vector<std::uint8_t> changed_; ///< one per row
    std::uint64_t bytesCopied_ = 0;
    std::uint64_t reallocations_ = 0;
};

} // namespace vgpuview

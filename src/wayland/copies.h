// SPDX-License-Identifier: MIT
// Copies of pictures that the compositor cannot take as they are, in shared memory that any compositor can show.
#pragma once

#include "frame/mapped_buffer.h"
#include "wayland/client_buffer.h"
#include "wayland/connection.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

/// A few wl_shm buffers of one size, drawn in turn, for one surface.
class Copies final {
public:
    /// format: WL_SHM_FORMAT_XRGB8888 or _ARGB8888. All outlive it.
    Copies(const Globals& globals, ReleaseObserver& observer, std::uint32_t format);
    ~Copies();
    Copies(const Copies&) = delete;
    Copies& operator=(const Copies&) = delete;

    /// A buffer that nobody reads, or null: all are in use until the next release. Throws Error where memory cannot be
    /// had.
    [[nodiscard]] ClientBuffer* next(Size size);
    /// The pixels of what next() gave, 0xAARRGGBB, top row first, no padding.
    [[nodiscard]] std::span<std::uint32_t> pixels() const noexcept { return current_; }
    /// After each commit: frees buffers of a former size.
    void collect();
    /// All, at once. No surface may show one any more.
    void clear();

private:
    struct Ring;

    const Globals& globals_;
    ReleaseObserver& observer_;
    std::uint32_t format_;
    std::vector<std::unique_ptr<Ring>> rings_; ///< the last one is in use
    std::span<std::uint32_t> current_;
};

/// Copies the picture, converted; false where it cannot be mapped, or is not linear.
[[nodiscard]] bool copyPicture(const Buffer& from, std::span<std::uint32_t> to);

} // namespace vgpuview

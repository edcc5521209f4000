// SPDX-License-Identifier: MIT
// The GPU's part in a stream: copies in dma-bufs of our own, and pictures that can't be mapped read back.
#pragma once

#include "base/log.h"
#include "gpu/gpu.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace vgpuview {

/// Makes the GPU when it is first needed, and does without from the first failure of that on.
class GpuCopies final : public PixelReader {
public:
    /// What copies are made in; the guest's alpha means nothing.
    static const std::uint32_t fourcc;

    GpuCopies(Log& log, GpuFactory makeGpu);
    ~GpuCopies() override;
    GpuCopies(const GpuCopies&) = delete;
    GpuCopies& operator=(const GpuCopies&) = delete;

    /// Whether the GPU says that it can take the picture.
    [[nodiscard]] bool canTake(const Buffer& picture);
    /// Modifiers that copies can have, best first; empty: no copies.
    [[nodiscard]] std::span<const std::uint64_t> modifiers();
    /// A dma-buf to copy into, with one of the modifiers. nullptr where there is none, which the log tells.
    [[nodiscard]] BufferRef allocate(Size size, std::span<const std::uint64_t> modifiers);
    /// False where it can't be done.
    [[nodiscard]] bool copy(const Buffer& from, const Buffer& to, const std::optional<OverlayPicture>& overlay);
    [[nodiscard]] bool read(const Buffer& from, std::span<std::uint32_t> argb) override;
    void forget(const Buffer& buffer);
    /// Gives the GPU back until it is needed again.
    void rest() noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    [[nodiscard]] bool haveGpu();

    Log& log_;
    GpuFactory makeGpu_;
    std::unique_ptr<Gpu> gpu_;
    bool noGpu_;
    std::optional<std::pair<PixelFormat, bool>> taken_; ///< the last answer of canTake()
    bool modifiersKnown_ = false;
    std::vector<std::uint64_t> modifiers_;
    std::uint64_t count_ = 0;
};

} // namespace vgpuview

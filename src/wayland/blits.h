// SPDX-License-Identifier: MIT
// Copies by the GPU, into dma-bufs that the compositor can import, of pictures that it cannot.
#pragma once

#include "base/log.h"
#include "gpu/gpu.h"
#include "wayland/dmabuf_formats.h"
#include "wayland/imports.h"
#include "wayland/window_sink.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>

namespace vgpuview {

/// Makes the GPU the first time it is needed, and does without from the first failure of that on.
class Blits final {
public:
    struct Result {
        ClientBuffer* buffer = nullptr; ///< holds the picture; null: none is free yet, or
        bool impossible = false;        ///< none ever will be
    };

    /// All outlive it.
    Blits(Imports& imports, const DmabufFormats& formats, Log& log, GpuFactory makeGpu);
    ~Blits();
    Blits(const Blits&) = delete;
    Blits& operator=(const Blits&) = delete;

    /// Copies the whole picture of a dma-buf.
    [[nodiscard]] Result draw(const Buffer& from);
    /// Reads a picture that cannot be mapped; false where the GPU can't either. Pixels as in PixelReader.
    [[nodiscard]] bool read(const Buffer& from, std::span<std::uint32_t> argb);
    void forget(const Buffer& buffer);
    /// Lets go of all buffers of its own.
    void clear();

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    [[nodiscard]] bool haveGpu();
    [[nodiscard]] bool haveTargets(Size size);
    void giveUp(const std::string& why);

    Imports& imports_;
    const DmabufFormats& formats_;
    Log& log_;
    GpuFactory makeGpu_;
    std::unique_ptr<Gpu> gpu_;
    bool noGpu_ = false;
    bool noTargets_ = false; ///< the compositor and the GPU have no buffer in common
    // One on screen, one in the compositor's queue, one to draw.
    std::array<BufferRef, 3> targets_;
    std::uint64_t count_ = 0;
};

} // namespace vgpuview

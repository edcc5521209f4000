// SPDX-License-Identifier: MIT
// A GPU, for sinks that must have other pixels than the guest's own buffer: it copies dma-bufs and reads them back.
#pragma once

#include "base/log.h"
#include "frame/buffer.h"
#include "frame/overlay_picture.h"
#include "frame/pixel_reader.h"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

/// All calls on one thread. Whatever context of other code is current there stays current. What was imported is kept by
/// buffer id until forget().
class Gpu : public PixelReader {
public:
    /// The GPU with that DRM device number, where it is given and has a render node; else the first that works; else
    /// EGL's software renderer. Throws Error (not supported) where there is no EGL, or none that imports dma-bufs.
    [[nodiscard]] static std::unique_ptr<Gpu> create(Log& log, std::optional<dev_t> device = {});

    /// Whether dma-bufs of that format and modifier can be read by the GPU, as far as it says.
    [[nodiscard]] virtual bool canImport(const PixelFormat& format) const = 0;
    /// Modifiers that allocate() can use and blit() can draw into; empty where the format is not for drawing.
    [[nodiscard]] virtual std::vector<std::uint64_t> renderableModifiers(std::uint32_t fourcc) const = 0;
    /// A dma-buf of one plane, to draw into, with one of the modifiers, or where none are given with any. Throws Error.
    [[nodiscard]] virtual BufferRef allocate(Size size, std::uint32_t fourcc,
                                             std::span<const std::uint64_t> modifiers) = 0;
    /// Copies the whole picture, scaled where the sizes differ, draws the other one over it, in pixels of the target,
    /// and waits until the GPU is done. False where something can't be imported or drawn.
    [[nodiscard]] virtual bool blit(const Buffer& from, const Buffer& to,
                                    const std::optional<OverlayPicture>& overlay) = 0;
    /// Frees what was imported of that buffer.
    virtual void forget(const Buffer& buffer) = 0;
};

/// Makes the GPU at the moment a copy is needed; may throw Error, or be empty: no GPU.
using GpuFactory = std::function<std::unique_ptr<Gpu>()>;

} // namespace vgpuview

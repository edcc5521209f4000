// SPDX-License-Identifier: MIT
// Dma-bufs to draw into.
#pragma once

#include "frame/buffer.h"

#include <cstdint>
#include <span>

struct gbm_device;

namespace vgpuview {

/// From the GPU's own allocator; one plane only. modifiers: none means linear. Throws Error.
[[nodiscard]] BufferRef allocateOnGpu(gbm_device& device, Size size, std::uint32_t fourcc,
                                      std::span<const std::uint64_t> modifiers);

/// Linear, from the system's memory by udmabuf. Throws Error.
[[nodiscard]] BufferRef allocateInMemory(Size size, std::uint32_t fourcc);

} // namespace vgpuview

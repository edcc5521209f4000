// SPDX-License-Identifier: MIT
// Reads by the GPU what can't be mapped.
#pragma once

#include "base/log.h"
#include "frame/pixel_reader.h"
#if VGPUVIEW_GPU
#include "gpu/gpu.h"

#include <memory>
#endif

namespace vgpuview {

/// The GPU is opened the first time it is needed. Without one, or in a build without, nothing can be read.
class LateGpuReader final : public PixelReader {
public:
    /// The log outlives it.
    explicit LateGpuReader(Log& log)
        : log_(log) {}

    /// Throws Error where there is no GPU.
    bool read([[maybe_unused]] const Buffer& from, [[maybe_unused]] std::span<std::uint32_t> argb) override {
#if VGPUVIEW_GPU
        if (!gpu_)
            gpu_ = Gpu::create(log_);
        return gpu_->read(from, argb);
#else
        return false;
#endif
    }

private:
    [[maybe_unused]] Log& log_;
#if VGPUVIEW_GPU
    std::unique_ptr<Gpu> gpu_;
#endif
};

} // namespace vgpuview

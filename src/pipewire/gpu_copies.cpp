// SPDX-License-Identifier: MIT
// The GPU's part in a stream: copies in dma-bufs of our own, and pictures that can't be mapped read back.
#include "pipewire/gpu_copies.h"

#include "base/error.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <utility>

namespace vgpuview {

const std::uint32_t GpuCopies::fourcc = DRM_FORMAT_XRGB8888;

GpuCopies::GpuCopies(Log& log, GpuFactory makeGpu)
    : log_(log)
    , makeGpu_(std::move(makeGpu))
    , noGpu_(!makeGpu_) {}

GpuCopies::~GpuCopies() = default;

bool GpuCopies::canTake(const Buffer& picture) {
    if (picture.kind() != BufferKind::dmaBuf)
        return false;
    const PixelFormat& format = picture.layout().format;
    if (!taken_ || taken_->first != format)
        taken_ = {format, haveGpu() && gpu_->canImport(format)};
    return taken_->second;
}

std::span<const std::uint64_t> GpuCopies::modifiers() {
    if (!modifiersKnown_ && haveGpu()) {
        modifiers_ = gpu_->renderableModifiers(fourcc);
        // Linear is the one that every consumer can take, and the slowest to draw.
        std::stable_partition(modifiers_.begin(), modifiers_.end(),
                              [](std::uint64_t modifier) { return modifier != DRM_FORMAT_MOD_LINEAR; });
        modifiersKnown_ = true;
    }
    return modifiers_;
}

BufferRef GpuCopies::allocate(Size size, std::span<const std::uint64_t> modifiers) {
    if (!haveGpu())
        return nullptr;
    try {
        return gpu_->allocate(size, fourcc, modifiers);
    } catch (const Error& error) {
        log_.info("stream: no copies by the GPU: {}", error.what());
        return nullptr;
    }
}

bool GpuCopies::copy(const Buffer& from, const Buffer& to, const std::optional<OverlayPicture>& overlay) {
    if (!haveGpu() || !gpu_->blit(from, to, overlay))
        return false;
    ++count_;
    return true;
}

bool GpuCopies::read(const Buffer& from, std::span<std::uint32_t> argb) {
    return canTake(from) && gpu_->read(from, argb);
}

void GpuCopies::forget(const Buffer& buffer) {
    if (gpu_)
        gpu_->forget(buffer);
}

void GpuCopies::rest() noexcept {
    gpu_.reset();
}

bool GpuCopies::haveGpu() {
    if (gpu_ || noGpu_)
        return gpu_ != nullptr;
    try {
        gpu_ = makeGpu_();
    } catch (const Error& error) {
        log_.debug("no GPU to copy with: {}", error.what());
    }
    noGpu_ = !gpu_;
    return gpu_ != nullptr;
}

} // namespace vgpuview

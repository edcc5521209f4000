// SPDX-License-Identifier: MIT
// Copies by the GPU, into dma-bufs that the compositor can import, of pictures that it cannot.
#include "wayland/blits.h"

#include "base/error.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace vgpuview {

Blits::Blits(Imports& imports, const DmabufFormats& formats, Log& log, GpuFactory makeGpu)
    : imports_(imports)
    , formats_(formats)
    , log_(log)
    , makeGpu_(std::move(makeGpu))
    , noGpu_(!makeGpu_) {}

Blits::~Blits() = default;

Blits::Result Blits::draw(const Buffer& from) {
    constexpr Result impossible{.buffer = nullptr, .impossible = true};
    if (noTargets_ || !haveGpu() || !gpu_->canImport(from.layout().format) || !haveTargets(from.layout().size))
        return impossible;
    for (const BufferRef& target : targets_) {
        Import& import = imports_.of(target, PlaneType::primary);
        if (import.state() == ImportState::refused) {
            giveUp(import.refusal());
            return impossible;
        }
        if (import.state() == ImportState::pending || import.buffer().busy())
            continue;
        if (!gpu_->blit(from, *target, {}))
            return impossible;
        ++count_;
        return {.buffer = &import.buffer(), .impossible = false};
    }
    return {};
}

bool Blits::read(const Buffer& from, std::span<std::uint32_t> argb) {
    return haveGpu() && gpu_->read(from, argb);
}

void Blits::forget(const Buffer& buffer) {
    if (gpu_)
        gpu_->forget(buffer);
}

void Blits::clear() {
    for (BufferRef& target : targets_)
        if (const BufferRef old = std::exchange(target, nullptr)) {
            imports_.forget(old->id());
            gpu_->forget(*old);
        }
}

bool Blits::haveGpu() {
    if (gpu_ || noGpu_)
        return gpu_ != nullptr;
    try {
        gpu_ = makeGpu_();
    } catch (const Error& error) {
        log_.info("no GPU to copy with: {}", error.what());
    }
    noGpu_ = !gpu_;
    return gpu_ != nullptr;
}

bool Blits::haveTargets(Size size) {
    if (targets_[0] && targets_[0]->layout().size == size)
        return true;
    clear();
    std::vector<std::uint64_t> modifiers;
    for (const std::uint64_t modifier : gpu_->renderableModifiers(DRM_FORMAT_XRGB8888))
        if (formats_.modifierFor({DRM_FORMAT_XRGB8888, modifier}))
            modifiers.push_back(modifier);
    if (modifiers.empty()) {
        giveUp("they have no format in common");
        return false;
    }
    try {
        for (BufferRef& target : targets_)
            target = gpu_->allocate(size, DRM_FORMAT_XRGB8888, modifiers);
    } catch (const Error& error) {
        giveUp(error.what());
        return false;
    }
    return true;
}

void Blits::giveUp(const std::string& why) {
    log_.info("the GPU cannot copy for the compositor: {}", why);
    noTargets_ = true;
    clear();
}

} // namespace vgpuview

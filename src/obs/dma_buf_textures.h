// SPDX-License-Identifier: MIT
// Guest buffers as textures of libobs, without a copy.
#pragma once

#include "base/pixel_format.h"
#include "frame/buffer.h"
#include "obs/alpha_use.h"
#include "obs/handles.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace vgpuview {

/// What libobs' renderer can import, asked once per format (gs_query_dmabuf_capabilities and _modifiers_for_format).
/// Inside the graphics context.
class DmaBufSupport {
public:
    [[nodiscard]] bool canImport(const PixelFormat& format);
    /// With DRM_FORMAT_MOD_INVALID where an implicit modifier will do; empty for a format that can't be imported.
    [[nodiscard]] const std::vector<std::uint64_t>& modifiersOf(std::uint32_t fourcc);

private:
    void ask();

    bool asked_ = false;
    bool implicitModifiers_ = false;
    std::vector<std::uint32_t> fourccs_;
    std::unordered_map<std::uint32_t, std::vector<std::uint64_t>> modifiers_;
};

/// One texture per dma-buf, made when it is first shown and kept until the buffer is forgotten. It is sampled live:
/// what the guest draws shows in the next picture of OBS. All calls inside the graphics context.
class DmaBufTextures {
public:
    explicit DmaBufTextures(AlphaUse alpha) noexcept
        : alpha_(alpha) {}

    /// nullptr where the renderer refuses it, which is not tried again; refusal() tells why.
    [[nodiscard]] gs_texture_t* textureOf(const Buffer& buffer);
    void forget(BufferId buffer) { textures_.erase(buffer); }
    void clear() { textures_.clear(); }

    /// A clause on the last buffer that was refused.
    [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }
    [[nodiscard]] std::size_t count() const noexcept { return textures_.size(); }

private:
    [[nodiscard]] TexturePtr import(const Buffer& buffer);

    AlphaUse alpha_;
    DmaBufSupport support_;
    std::unordered_map<BufferId, TexturePtr> textures_; ///< null: refused
    std::string refusal_;
};

} // namespace vgpuview

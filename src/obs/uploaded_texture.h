// SPDX-License-Identifier: MIT
// A texture that follows a picture in memory: only what changed is uploaded.
#pragma once

#include "frame/buffer.h"
#include "frame/damage.h"
#include "frame/mapped_buffer.h"
#include "obs/alpha_use.h"
#include "obs/handles.h"

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace vgpuview {

/// For buffers that no renderer can import: plain memory, and dma-bufs that were refused. One texture serves all
/// buffers of one layout, as each shows the same picture a little later. All calls inside the graphics context.
class UploadedTexture {
public:
    explicit UploadedTexture(AlphaUse alpha) noexcept
        : alpha_(alpha) {}

    /// Uploads the changed pixels, all of them where the texture is new. Nothing but nullptr where the buffer can't be
    /// mapped (errno tells) or its layout is not linear (EOPNOTSUPP).
    [[nodiscard]] gs_texture_t* update(const Buffer& buffer, const Damage& damage);
    void forget(BufferId buffer) { mappings_.erase(buffer); }
    void clear();

    [[nodiscard]] std::uint64_t bytesUploaded() const noexcept { return bytesUploaded_; }

private:
    [[nodiscard]] const MappedBuffer* mappingOf(const Buffer& buffer);
    void upload(const MappedBuffer& mapped, const BufferLayout& layout, const Damage& damage);

    AlphaUse alpha_;
    std::unordered_map<BufferId, MappedBuffer> mappings_;
    TexturePtr texture_;
    Size size_;
    std::uint32_t fourcc_ = 0;
    std::uint64_t bytesUploaded_ = 0;
};

} // namespace vgpuview

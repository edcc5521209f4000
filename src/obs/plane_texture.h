// SPDX-License-Identifier: MIT
// One plane of the guest as a texture that libobs can draw, whatever memory it lies in.
#pragma once

#include "base/log.h"
#include "frame/frame.h"
#include "obs/dma_buf_textures.h"
#include "obs/uploaded_texture.h"

#include <optional>

namespace vgpuview {

/// All calls inside the graphics context.
class PlaneTexture {
public:
    /// The log outlives it.
    PlaneTexture(AlphaUse alpha, Log& log) noexcept
        : imports_(alpha)
        , uploaded_(alpha)
        , log_(log) {}

    /// The texture of what the plane shows now, or nullptr where it can't be shown. damage: what changed in the
    /// picture since the call before; it counts only where pixels are uploaded.
    [[nodiscard]] gs_texture_t* update(const Buffer& buffer, const Damage& damage);
    void forget(BufferId buffer);
    void clear();

    /// How the last picture got here.
    enum class Way { none, imported, uploaded, refused };
    [[nodiscard]] Way way() const noexcept { return way_; }
    /// Why it is not imported, or not shown at all: a clause, or empty.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
    [[nodiscard]] std::uint64_t bytesUploaded() const noexcept { return uploaded_.bytesUploaded(); }

private:
    [[nodiscard]] gs_texture_t* upload(const Buffer& buffer, const Damage& damage);
    void settle(Way way, const Buffer& buffer, std::string trouble);

    DmaBufTextures imports_;
    UploadedTexture uploaded_;
    Log& log_;
    BufferId settledFor_ = 0; ///< the buffer that way_ was found for
    Way way_ = Way::none;
    std::string trouble_;
};

} // namespace vgpuview

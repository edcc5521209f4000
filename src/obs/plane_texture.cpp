// SPDX-License-Identifier: MIT
// One plane of the guest as a texture that libobs can draw, whatever memory it lies in.
#include "obs/plane_texture.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vgpuview {

gs_texture_t* PlaneTexture::update(const Buffer& buffer, const Damage& damage) {
    if (buffer.kind() == BufferKind::memory)
        return upload(buffer, damage);
    if (gs_texture_t* texture = imports_.textureOf(buffer)) {
        settle(Way::imported, buffer, {});
        return texture;
    }
    return upload(buffer, damage);
}

gs_texture_t* PlaneTexture::upload(const Buffer& buffer, const Damage& damage) {
    gs_texture_t* texture = uploaded_.update(buffer, damage);
    const int error = errno;
    if (settledFor_ == buffer.id() && way_ == (texture ? Way::uploaded : Way::refused))
        return texture;
    const bool refusedImport = buffer.kind() == BufferKind::dmaBuf;
    if (texture)
        settle(Way::uploaded, buffer, refusedImport ? imports_.refusal() : std::string());
    else
        settle(Way::refused, buffer,
               fmt::format("{}{}can't be uploaded: {}", refusedImport ? imports_.refusal() : "",
                           refusedImport ? "; it " : "the picture ", std::strerror(error)));
    return texture;
}

void PlaneTexture::settle(Way way, const Buffer& buffer, std::string trouble) {
    const bool news = way != way_ || trouble != trouble_;
    settledFor_ = buffer.id();
    way_ = way;
    if (!news)
        return;
    trouble_ = std::move(trouble);
    if (way_ == Way::refused)
        log_.error("cannot show the picture: {}", trouble_);
    else if (!trouble_.empty())
        log_.warning("pictures are copied: {}", trouble_);
}

void PlaneTexture::forget(BufferId buffer) {
    imports_.forget(buffer);
    uploaded_.forget(buffer);
}

void PlaneTexture::clear() {
    imports_.clear();
    uploaded_.clear();
    way_ = Way::none;
    settledFor_ = 0;
    trouble_.clear();
}

} // namespace vgpuview

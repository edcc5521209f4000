// SPDX-License-Identifier: MIT
// Draws textures of gamma-encoded pixels, as guests make them, into whatever OBS renders to.
#pragma once

#include "base/geometry.h"
#include "obs/handles.h"

namespace vgpuview {

/// Where OBS' target is 8 bit sRGB, pixels are passed on as they are: no conversion that could round, and the cursor is
/// blended as on a screen. Into a target of linear light they are decoded. All calls inside the graphics context.

/// The part of the texture, at the origin, whatever its alpha says.
void drawOpaque(gs_texture_t& texture, const Rect& part);
/// The part of the texture, at that point, over what is there. Alpha is premultiplied.
void drawPremultiplied(gs_texture_t& texture, const Rect& part, Point at);
/// Makes the target a copy of the texture.
void copyOpaque(gs_texture_t& texture, gs_texrender_t& target);

} // namespace vgpuview

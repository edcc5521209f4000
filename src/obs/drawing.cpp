// SPDX-License-Identifier: MIT
// Draws textures of gamma-encoded pixels, as guests make them, into whatever OBS renders to.
#include "obs/drawing.h"

namespace vgpuview {

namespace {

class EncodedTarget {
public:
    EncodedTarget()
        : before_(gs_framebuffer_srgb_enabled()) {
        gs_enable_framebuffer_srgb(false);
    }
    EncodedTarget(const EncodedTarget&) = delete;
    EncodedTarget& operator=(const EncodedTarget&) = delete;
    ~EncodedTarget() { gs_enable_framebuffer_srgb(before_); }

private:
    bool before_;
};

void draw(gs_effect_t* effect, gs_texture_t& texture, const Rect& part) {
    const EncodedTarget encoded;
    const char* technique = gs_get_color_space() == GS_CS_SRGB ? "Draw" : "DrawSrgbDecompress";
    gs_effect_set_texture(gs_effect_get_param_by_name(effect, "image"), &texture);
    while (gs_effect_loop(effect, technique))
        gs_draw_sprite_subregion(&texture, 0, static_cast<std::uint32_t>(part.origin.x),
                                 static_cast<std::uint32_t>(part.origin.y), part.size.width, part.size.height);
}

} // namespace

void drawOpaque(gs_texture_t& texture, const Rect& part) {
    draw(obs_get_base_effect(OBS_EFFECT_OPAQUE), texture, part);
}

void drawPremultiplied(gs_texture_t& texture, const Rect& part, Point at) {
    gs_blend_state_push();
    gs_blend_function(GS_BLEND_ONE, GS_BLEND_INVSRCALPHA);
    gs_matrix_push();
    gs_matrix_translate3f(static_cast<float>(at.x), static_cast<float>(at.y), 0.0F);
    draw(obs_get_base_effect(OBS_EFFECT_DEFAULT), texture, part);
    gs_matrix_pop();
    gs_blend_state_pop();
}

void copyOpaque(gs_texture_t& texture, gs_texrender_t& target) {
    const Size size{gs_texture_get_width(&texture), gs_texture_get_height(&texture)};
    gs_texrender_reset(&target);
    if (!gs_texrender_begin_with_color_space(&target, size.width, size.height, GS_CS_SRGB))
        return;
    gs_ortho(0.0F, static_cast<float>(size.width), 0.0F, static_cast<float>(size.height), -1.0F, 1.0F);
    gs_blend_state_push();
    gs_enable_blending(false);
    drawOpaque(texture, {{0, 0}, size});
    gs_blend_state_pop();
    gs_texrender_end(&target);
}

} // namespace vgpuview

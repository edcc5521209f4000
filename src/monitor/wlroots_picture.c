/* SPDX-License-Identifier: MIT */
/* An output's pictures: a buffer scanned out, or what the renderer makes of some. */
#include "monitor/wlroots_types.h"

#include <pixman.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/render/wlr_texture.h>
#include <wlr/util/box.h>
#if HAS_OUTPUT_STATE
#include <wlr/render/pass.h>
#else
#include <wlr/types/wlr_matrix.h>
#endif

enum monitor_result monitor_output_scan_out(struct monitor_output* output, const struct monitor_layer* layer,
                                            const struct monitor_rectangle* damage) {
    struct wlr_output* wlr = output->output;
    struct wlr_buffer* buffer = &layer->buffer->base;
    const struct monitor_rectangle* place = &layer->destination;
    const bool whole = place->x == 0 && place->y == 0 && place->width == wlr->width && place->height == wlr->height &&
                       buffer->width == wlr->width && buffer->height == wlr->height;
    pixman_region32_t region;
    pixman_region32_init_rect(&region, damage->x, damage->y, (unsigned)damage->width, (unsigned)damage->height);
#if HAS_OUTPUT_STATE
    struct wlr_output_state state;
    wlr_output_state_init(&state);
    wlr_output_state_set_buffer(&state, buffer);
#if WLR_VERSION_MINOR >= 19
    bool possible = true;
    if (!whole)
        state.buffer_dst_box =
            (struct wlr_box){.x = place->x, .y = place->y, .width = place->width, .height = place->height};
#else
    bool possible = whole;
#endif
    if (whole)
        wlr_output_state_set_damage(&state, &region);
    possible = possible && wlr_output_test_state(wlr, &state);
    const bool committed = possible && wlr_output_commit_state(wlr, &state);
    wlr_output_state_finish(&state);
#else
    bool possible = whole;
    if (possible) {
        wlr_output_attach_buffer(wlr, buffer);
        wlr_output_set_damage(wlr, &region);
        possible = wlr_output_test(wlr);
        if (!possible)
            wlr_output_rollback(wlr);
    }
    const bool committed = possible && wlr_output_commit(wlr);
#endif
    pixman_region32_fini(&region);
    return committed ? MONITOR_DONE : possible ? MONITOR_FAILED : MONITOR_REFUSED;
}

enum { MAX_LAYERS = 4 };

static bool draw(struct wlr_output* wlr, struct wlr_renderer* renderer, struct wlr_texture* const* textures,
                 const struct monitor_layer* layers, size_t count) {
#if HAS_OUTPUT_STATE
    struct wlr_output_state state;
    wlr_output_state_init(&state);
#if WLR_VERSION_MINOR >= 19
    struct wlr_render_pass* pass = wlr_output_begin_render_pass(wlr, &state, NULL);
#else
    struct wlr_render_pass* pass = wlr_output_begin_render_pass(wlr, &state, NULL, NULL);
#endif
    (void)renderer;
    bool committed = false;
    if (pass) {
        wlr_render_pass_add_rect(pass, &(struct wlr_render_rect_options){
                                           .box = {.width = wlr->width, .height = wlr->height},
                                           .color = {.a = 1},
                                           .blend_mode = WLR_RENDER_BLEND_MODE_NONE,
                                       });
        for (size_t i = 0; i < count; ++i) {
            const struct monitor_rectangle* place = &layers[i].destination;
            wlr_render_pass_add_texture(
                pass, &(struct wlr_render_texture_options){
                          .texture = textures[i],
                          .dst_box = {.x = place->x, .y = place->y, .width = place->width, .height = place->height},
                      });
        }
        committed = wlr_render_pass_submit(pass) && wlr_output_commit_state(wlr, &state);
    }
    wlr_output_state_finish(&state);
    return committed;
#else
    if (!wlr_output_attach_render(wlr, NULL))
        return false;
    wlr_renderer_begin(renderer, (uint32_t)wlr->width, (uint32_t)wlr->height);
    wlr_renderer_clear(renderer, (const float[4]){0, 0, 0, 1});
    for (size_t i = 0; i < count; ++i) {
        const struct monitor_rectangle* place = &layers[i].destination;
        const struct wlr_box box = {.x = place->x, .y = place->y, .width = place->width, .height = place->height};
        float matrix[9];
        wlr_matrix_project_box(matrix, &box, WL_OUTPUT_TRANSFORM_NORMAL, 0, wlr->transform_matrix);
        wlr_render_texture_with_matrix(renderer, textures[i], matrix, 1);
    }
    wlr_renderer_end(renderer);
    return wlr_output_commit(wlr);
#endif
}

enum monitor_result monitor_output_compose(struct monitor_output* output, const struct monitor_layer* layers,
                                           size_t layer_count) {
    struct wlr_renderer* renderer = output->host->renderer;
    struct wlr_texture* textures[MAX_LAYERS] = {NULL};
    enum monitor_result result = layer_count <= MAX_LAYERS ? MONITOR_DONE : MONITOR_REFUSED;
    size_t made = 0;
    while (result == MONITOR_DONE && made < layer_count) {
        textures[made] = wlr_texture_from_buffer(renderer, &layers[made].buffer->base);
        if (textures[made])
            ++made;
        else
            result = MONITOR_IMPORT_FAILED;
    }
    if (result == MONITOR_DONE && !draw(output->output, renderer, textures, layers, layer_count))
        result = MONITOR_FAILED;
    for (size_t i = 0; i < made; ++i)
        wlr_texture_destroy(textures[i]);
    return result;
}

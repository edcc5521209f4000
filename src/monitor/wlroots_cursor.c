/* SPDX-License-Identifier: MIT */
/* An output's cursor plane. */
#include "monitor/wlroots_types.h"

#include <drm_fourcc.h>
#include <wlr/interfaces/wlr_output.h>
#include <wlr/render/drm_format_set.h>

static bool cursor_size_fits(struct wlr_output* wlr, const struct wlr_buffer* buffer) {
#if WLR_VERSION_MINOR >= 18
    if (!wlr->impl->get_cursor_sizes)
        return true;
    size_t count = 0;
    const struct wlr_output_cursor_size* sizes = wlr->impl->get_cursor_sizes(wlr, &count);
    for (size_t i = 0; i < count; ++i)
        if (sizes[i].width == buffer->width && sizes[i].height == buffer->height)
            return true;
    return count == 0;
#else
    if (!wlr->impl->get_cursor_size)
        return true;
    int width = 0, height = 0;
    wlr->impl->get_cursor_size(wlr, &width, &height);
    return buffer->width == width && buffer->height == height;
#endif
}

static bool put_on_plane(struct wlr_output* wlr, struct monitor_buffer* buffer, int32_t x, int32_t y) {
    if (buffer->kind != MONITOR_BUFFER_DMA_BUF || !wlr->impl->set_cursor || !wlr->impl->move_cursor ||
        !cursor_size_fits(wlr, &buffer->base))
        return false;
    if (wlr->impl->get_cursor_formats) {
        const struct wlr_drm_format_set* formats = wlr->impl->get_cursor_formats(wlr, WLR_BUFFER_CAP_DMABUF);
        if (!formats || !wlr_drm_format_set_has(formats, buffer->layout.fourcc, buffer->layout.modifier))
            return false;
    }
    return wlr->impl->set_cursor(wlr, &buffer->base, 0, 0) && wlr->impl->move_cursor(wlr, x, y);
}

static bool draw_on_plane(struct monitor_output* output, struct monitor_buffer* buffer, int32_t x, int32_t y) {
    struct wlr_output* wlr = output->output;
    if (!wlr->impl->set_cursor)
        return false;
    if (!output->cursor)
        output->cursor = wlr_output_cursor_create(wlr);
    if (!output->cursor)
        return false;
    wlr_output_cursor_move(output->cursor, x, y);
#if HAS_OUTPUT_STATE
    bool set = wlr_output_cursor_set_buffer(output->cursor, &buffer->base, 0, 0);
#else
    bool set = false;
    void* pixels = NULL;
    uint32_t format = 0;
    size_t stride = 0;
    if (buffer->layout.fourcc == DRM_FORMAT_ARGB8888 &&
        wlr_buffer_begin_data_ptr_access(&buffer->base, WLR_BUFFER_DATA_PTR_ACCESS_READ, &pixels, &format, &stride)) {
        set = wlr_output_cursor_set_image(output->cursor, pixels, (int32_t)stride, (uint32_t)buffer->layout.width,
                                          (uint32_t)buffer->layout.height, 0, 0);
        wlr_buffer_end_data_ptr_access(&buffer->base);
    }
#endif
    if (set && wlr->hardware_cursor == output->cursor)
        return true;
    wlr_output_cursor_destroy(output->cursor);
    output->cursor = NULL;
    return false;
}

enum monitor_cursor monitor_output_show_cursor(struct monitor_output* output, struct monitor_buffer* buffer, int32_t x,
                                               int32_t y) {
    if (!output->cursor && put_on_plane(output->output, buffer, x, y)) {
        output->cursor_direct = true;
        return MONITOR_CURSOR_PLANE;
    }
    if (output->cursor_direct)
        monitor_output_hide_cursor(output);
    return draw_on_plane(output, buffer, x, y) ? MONITOR_CURSOR_PLANE_RENDERED : MONITOR_CURSOR_REFUSED;
}

bool monitor_output_move_cursor(struct monitor_output* output, int32_t x, int32_t y) {
    struct wlr_output* wlr = output->output;
    if (output->cursor)
        return wlr_output_cursor_move(output->cursor, x, y);
    return output->cursor_direct && wlr->impl->move_cursor(wlr, x, y);
}

void monitor_output_hide_cursor(struct monitor_output* output) {
    struct wlr_output* wlr = output->output;
    if (output->cursor)
        wlr_output_cursor_destroy(output->cursor);
    else if (output->cursor_direct)
        wlr->impl->set_cursor(wlr, NULL, 0, 0);
    output->cursor = NULL;
    output->cursor_direct = false;
}

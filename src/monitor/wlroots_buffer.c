/* SPDX-License-Identifier: MIT */
/* wlroots' view of a guest's buffer. */
#include "monitor/wlroots_types.h"

#include <drm_fourcc.h>
#include <stdlib.h>

static struct monitor_buffer* buffer_of(struct wlr_buffer* base) {
    struct monitor_buffer* buffer = wl_container_of(base, buffer, base);
    return buffer;
}

static void buffer_destroy(struct wlr_buffer* base) {
    struct monitor_buffer* buffer = buffer_of(base);
    wl_list_remove(&buffer->released.link);
#if WLR_VERSION_MINOR >= 19
    wlr_buffer_finish(base);
#endif
    const struct monitor_buffer_events events = buffer->events;
    free(buffer);
    events.destroyed(events.data);
}

static bool buffer_get_dmabuf(struct wlr_buffer* base, struct wlr_dmabuf_attributes* attributes) {
    const struct monitor_buffer* buffer = buffer_of(base);
    if (buffer->kind != MONITOR_BUFFER_DMA_BUF)
        return false;
    const struct monitor_buffer_layout* layout = &buffer->layout;
    *attributes = (struct wlr_dmabuf_attributes){
        .width = layout->width,
        .height = layout->height,
        .format = layout->fourcc,
        .modifier = layout->modifier,
        .n_planes = 1,
        .offset = {layout->offset},
        .stride = {layout->stride},
        .fd = {layout->fd, -1, -1, -1},
    };
    return true;
}

static bool buffer_get_shm(struct wlr_buffer* base, struct wlr_shm_attributes* attributes) {
    const struct monitor_buffer* buffer = buffer_of(base);
    if (buffer->kind != MONITOR_BUFFER_MEMORY)
        return false;
    const struct monitor_buffer_layout* layout = &buffer->layout;
    *attributes = (struct wlr_shm_attributes){
        .fd = layout->fd,
        .format = layout->fourcc,
        .width = layout->width,
        .height = layout->height,
        .stride = (int)layout->stride,
        .offset = (off_t)layout->offset,
    };
    return true;
}

static bool buffer_begin_access(struct wlr_buffer* base, uint32_t flags, void** data, uint32_t* format,
                                size_t* stride) {
    const struct monitor_buffer* buffer = buffer_of(base);
    const struct monitor_buffer_layout* layout = &buffer->layout;
    if ((flags & WLR_BUFFER_DATA_PTR_ACCESS_WRITE) || layout->modifier != DRM_FORMAT_MOD_LINEAR)
        return false;
    *data = buffer->events.begin_read(buffer->events.data);
    *format = layout->fourcc;
    *stride = layout->stride;
    return *data != NULL;
}

static void buffer_end_access(struct wlr_buffer* base) {
    const struct monitor_buffer* buffer = buffer_of(base);
    buffer->events.end_read(buffer->events.data);
}

static const struct wlr_buffer_impl buffer_functions = {
    .destroy = buffer_destroy,
    .get_dmabuf = buffer_get_dmabuf,
    .get_shm = buffer_get_shm,
    .begin_data_ptr_access = buffer_begin_access,
    .end_data_ptr_access = buffer_end_access,
};

static void handle_released(struct wl_listener* listener, void* data) {
    (void)data;
    struct monitor_buffer* buffer = wl_container_of(listener, buffer, released);
    buffer->events.released(buffer->events.data);
}

struct monitor_buffer* monitor_buffer_create(const struct monitor_buffer_layout* layout, enum monitor_buffer_kind kind,
                                             const struct monitor_buffer_events* events) {
    struct monitor_buffer* buffer = calloc(1, sizeof *buffer);
    if (!buffer)
        return NULL;
    buffer->layout = *layout;
    buffer->kind = kind;
    buffer->events = *events;
    wlr_buffer_init(&buffer->base, &buffer_functions, layout->width, layout->height);
    buffer->released.notify = handle_released;
    wl_signal_add(&buffer->base.events.release, &buffer->released);
    return buffer;
}

void monitor_buffer_drop(struct monitor_buffer* buffer) {
    if (buffer)
        wlr_buffer_drop(&buffer->base);
}

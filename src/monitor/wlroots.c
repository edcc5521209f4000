/* SPDX-License-Identifier: MIT */
/* wlroots' versions behind one interface. */
#include "monitor/wlroots.h"

#include <drm_fourcc.h>
#include <pixman.h>
#include <poll.h>
#include <stdlib.h>
#include <wayland-server-core.h>
#include <wlr/backend.h>
#include <wlr/backend/multi.h>
#include <wlr/backend/session.h>
#include <wlr/version.h>
#if WLR_VERSION_MINOR < 18
#include <wlr/backend/wayland.h>
#endif
#include <wlr/interfaces/wlr_output.h>
#include <wlr/render/allocator.h>
#include <wlr/render/drm_format_set.h>
#include <wlr/render/pixman.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/render/wlr_texture.h>
#include <wlr/types/wlr_buffer.h>
#include <wlr/types/wlr_input_device.h>
#include <wlr/types/wlr_keyboard.h>
#include <wlr/types/wlr_output.h>
#include <wlr/util/box.h>
#include <wlr/util/log.h>

#if WLR_VERSION_MINOR == 16 || WLR_VERSION_MINOR < 15
#error "wlroots 0.15, or 0.17 and later"
#endif

/* 0.15 keeps an output's pending state in the output itself and renders with matrices; later ones have state objects
 * and render passes. */
#define HAS_OUTPUT_STATE (WLR_VERSION_MINOR >= 17)

#if HAS_OUTPUT_STATE
#include <wlr/interfaces/wlr_buffer.h>
#include <wlr/render/pass.h>
#else
#include <wlr/types/wlr_matrix.h>
#endif

struct monitor_host {
    struct monitor_host_events events;
    struct wl_display* display;
    struct wl_event_loop* loop;
    struct wlr_backend* backend;
    struct wlr_session* session;
    struct wlr_renderer* renderer;
    struct wlr_allocator* allocator;
    struct wl_list keyboards; /* keyboard::link */
    struct wl_listener new_output;
    struct wl_listener new_input;
    struct wl_listener session_active;
    struct wl_listener session_destroyed;
    struct wl_listener backend_destroyed;
};

struct keyboard {
    struct monitor_host* host;
    struct wl_list link;
    struct wl_listener key;
    struct wl_listener destroyed;
};

struct monitor_buffer {
    struct wlr_buffer base;
    struct monitor_buffer_layout layout;
    enum monitor_buffer_kind kind;
    struct monitor_buffer_events events;
    struct wl_listener released;
};

struct monitor_output {
    struct monitor_host* host;
    struct wlr_output* output;
    struct monitor_output_events events;
    struct wlr_output_cursor* cursor; /* only while it is on the plane */
    bool cursor_direct;
    bool committing; /* our own commits are no surprise */
    struct wl_listener frame;
    struct wl_listener present;
    struct wl_listener reshape;
    struct wl_listener destroyed;
};

/* --- devices ----------------------------------------------------------------------------------------------------- */

static void keyboard_free(struct keyboard* keyboard) {
    wl_list_remove(&keyboard->link);
    wl_list_remove(&keyboard->key.link);
    wl_list_remove(&keyboard->destroyed.link);
    free(keyboard);
}

static void handle_key(struct wl_listener* listener, void* data) {
    struct keyboard* keyboard = wl_container_of(listener, keyboard, key);
#if WLR_VERSION_MINOR >= 16
    const struct wlr_keyboard_key_event* event = data;
#else
    const struct wlr_event_keyboard_key* event = data;
#endif
    const struct monitor_host_events* events = &keyboard->host->events;
    events->key(events->data, event->keycode, event->state == WL_KEYBOARD_KEY_STATE_PRESSED);
}

static void handle_keyboard_destroyed(struct wl_listener* listener, void* data) {
    (void)data;
    struct keyboard* keyboard = wl_container_of(listener, keyboard, destroyed);
    const struct monitor_host_events* events = &keyboard->host->events;
    keyboard_free(keyboard);
    events->keyboard_gone(events->data);
}

static void handle_new_input(struct wl_listener* listener, void* data) {
    struct monitor_host* host = wl_container_of(listener, host, new_input);
    struct wlr_input_device* device = data;
    if (device->type != WLR_INPUT_DEVICE_KEYBOARD)
        return;
#if WLR_VERSION_MINOR >= 16
    struct wlr_keyboard* source = wlr_keyboard_from_input_device(device);
#else
    struct wlr_keyboard* source = device->keyboard;
#endif
    struct keyboard* keyboard = calloc(1, sizeof *keyboard);
    if (!keyboard)
        return;
    keyboard->host = host;
    keyboard->key.notify = handle_key;
    wl_signal_add(&source->events.key, &keyboard->key);
    keyboard->destroyed.notify = handle_keyboard_destroyed;
    wl_signal_add(&device->events.destroy, &keyboard->destroyed);
    wl_list_insert(&host->keyboards, &keyboard->link);
}

/* --- backend and session ------------------------------------------------------------------------------------------ */

static void listener_end(struct wl_listener* listener) {
    wl_list_remove(&listener->link);
    wl_list_init(&listener->link);
}

static void handle_session_active(struct wl_listener* listener, void* data) {
    (void)data;
    struct monitor_host* host = wl_container_of(listener, host, session_active);
    host->events.session_changed(host->events.data, host->session->active);
}

static void handle_session_destroyed(struct wl_listener* listener, void* data) {
    (void)data;
    struct monitor_host* host = wl_container_of(listener, host, session_destroyed);
    listener_end(&host->session_active);
    listener_end(&host->session_destroyed);
    host->session = NULL;
}

static void handle_backend_destroyed(struct wl_listener* listener, void* data) {
    (void)data;
    struct monitor_host* host = wl_container_of(listener, host, backend_destroyed);
    listener_end(&host->new_output);
    listener_end(&host->new_input);
    listener_end(&host->backend_destroyed);
    host->backend = NULL;
    host->events.backend_gone(host->events.data);
}

static void output_add(struct monitor_host* host, struct wlr_output* output);

static void handle_new_output(struct wl_listener* listener, void* data) {
    struct monitor_host* host = wl_container_of(listener, host, new_output);
    output_add(host, data);
}

static const char* host_build(struct monitor_host* host) {
    host->display = wl_display_create();
    if (!host->display)
        return "an event loop";
    host->loop = wl_display_get_event_loop(host->display);
#if WLR_VERSION_MINOR >= 18
    host->backend = wlr_backend_autocreate(host->loop, &host->session);
#elif WLR_VERSION_MINOR >= 17
    host->backend = wlr_backend_autocreate(host->display, &host->session);
#else
    host->backend = wlr_backend_autocreate(host->display);
#endif
    if (!host->backend)
        return "a display backend";
#if WLR_VERSION_MINOR < 17
    host->session = wlr_backend_get_session(host->backend);
#endif
    host->backend_destroyed.notify = handle_backend_destroyed;
    wl_signal_add(&host->backend->events.destroy, &host->backend_destroyed);
    host->new_output.notify = handle_new_output;
    wl_signal_add(&host->backend->events.new_output, &host->new_output);
    host->new_input.notify = handle_new_input;
    wl_signal_add(&host->backend->events.new_input, &host->new_input);
    if (host->session) {
        host->session_active.notify = handle_session_active;
        wl_signal_add(&host->session->events.active, &host->session_active);
        host->session_destroyed.notify = handle_session_destroyed;
        wl_signal_add(&host->session->events.destroy, &host->session_destroyed);
    }
    host->renderer = wlr_renderer_autocreate(host->backend);
    if (!host->renderer)
        return "a renderer";
    host->allocator = wlr_allocator_autocreate(host->backend, host->renderer);
    if (!host->allocator)
        return "a buffer allocator";
    return NULL;
}

struct monitor_host* monitor_host_create(const struct monitor_host_events* events, enum monitor_logging logging,
                                         const char** failed_step) {
    wlr_log_init(logging == MONITOR_LOG_EVERYTHING ? WLR_DEBUG : WLR_ERROR, NULL);
    struct monitor_host* host = calloc(1, sizeof *host);
    if (!host) {
        *failed_step = "memory";
        return NULL;
    }
    host->events = *events;
    wl_list_init(&host->keyboards);
    wl_list_init(&host->new_output.link);
    wl_list_init(&host->new_input.link);
    wl_list_init(&host->session_active.link);
    wl_list_init(&host->session_destroyed.link);
    wl_list_init(&host->backend_destroyed.link);
    *failed_step = host_build(host);
    if (*failed_step) {
        monitor_host_destroy(host);
        return NULL;
    }
    return host;
}

bool monitor_host_start(struct monitor_host* host) {
    return wlr_backend_start(host->backend);
}

void monitor_host_destroy(struct monitor_host* host) {
    if (!host)
        return;
    listener_end(&host->new_output);
    listener_end(&host->new_input);
    listener_end(&host->session_active);
    listener_end(&host->session_destroyed);
    listener_end(&host->backend_destroyed);
    if (host->backend)
        wlr_backend_destroy(host->backend);
    struct keyboard *keyboard, *next;
    wl_list_for_each_safe(keyboard, next, &host->keyboards, link) keyboard_free(keyboard);
    if (host->allocator)
        wlr_allocator_destroy(host->allocator);
    if (host->renderer)
        wlr_renderer_destroy(host->renderer);
    if (host->display)
        wl_display_destroy(host->display);
    free(host);
}

int monitor_host_fd(const struct monitor_host* host) {
    return wl_event_loop_get_fd(host->loop);
}

#if WLR_VERSION_MINOR < 18
static void look_for_hangup(struct wlr_backend* backend, void* data) {
    if (!wlr_backend_is_wl(backend))
        return;
    struct pollfd parent = {.fd = wl_display_get_fd(wlr_wl_backend_get_remote_display(backend)), .events = POLLIN};
    if (poll(&parent, 1, 0) > 0 && (parent.revents & (POLLHUP | POLLERR)))
        *(bool*)data = true;
}
#endif

void monitor_host_dispatch(struct monitor_host* host) {
    wl_event_loop_dispatch(host->loop, 0);
#if WLR_VERSION_MINOR < 18
    /* At its parent's end the backend only asks the program's display to stop running, which this one never began. */
    bool parent_gone = false;
    if (host->backend)
        wlr_multi_for_each_backend(host->backend, look_for_hangup, &parent_gone);
    if (parent_gone)
        host->events.backend_gone(host->events.data);
#endif
}

void monitor_host_run_idle(struct monitor_host* host) {
    wl_event_loop_dispatch_idle(host->loop);
}

bool monitor_host_renders_by_cpu(const struct monitor_host* host) {
    return wlr_renderer_is_pixman(host->renderer);
}

bool monitor_host_change_terminal(struct monitor_host* host, unsigned number) {
    return host->session && wlr_session_change_vt(host->session, number);
}

const char* monitor_wlroots_version(void) {
    return WLR_VERSION_STR;
}

/* --- buffers ------------------------------------------------------------------------------------------------------ */

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

/* --- an output's events ------------------------------------------------------------------------------------------- */

static void handle_frame(struct wl_listener* listener, void* data) {
    (void)data;
    struct monitor_output* output = wl_container_of(listener, output, frame);
    output->events.frame(output->events.data);
}

static int64_t nanoseconds(const struct timespec* time) {
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static void handle_present(struct wl_listener* listener, void* data) {
    struct monitor_output* output = wl_container_of(listener, output, present);
    const struct wlr_output_event_present* event = data;
    int64_t when = 0;
#if WLR_VERSION_MINOR >= 19
    when = nanoseconds(&event->when);
#elif WLR_VERSION_MINOR >= 18
    if (event->when)
        when = nanoseconds(event->when);
#else
    if (event->when && wlr_backend_get_presentation_clock(output->output->backend) == CLOCK_MONOTONIC)
        when = nanoseconds(event->when);
#endif
    output->events.presented(output->events.data, event->presented, when,
                             (event->flags & WLR_OUTPUT_PRESENT_ZERO_COPY) != 0);
}

static void handle_reshape(struct wl_listener* listener, void* data) {
    struct monitor_output* output = wl_container_of(listener, output, reshape);
#if HAS_OUTPUT_STATE
    const struct wlr_output_event_request_state* event = data;
    output->committing = true;
    const bool committed = wlr_output_commit_state(output->output, event->state);
    output->committing = false;
    if (!committed)
        return;
#else
    (void)data;
    if (output->committing)
        return;
#endif
    output->events.resized(output->events.data);
}

static void handle_output_destroyed(struct wl_listener* listener, void* data) {
    (void)data;
    struct monitor_output* output = wl_container_of(listener, output, destroyed);
    wl_list_remove(&output->frame.link);
    wl_list_remove(&output->present.link);
    wl_list_remove(&output->reshape.link);
    wl_list_remove(&output->destroyed.link);
    const struct monitor_output_events events = output->events;
    free(output);
    events.destroyed(events.data);
}

static void ignore(void* data) {
    (void)data;
}

static void ignore_presented(void* data, bool presented, int64_t when, bool zero_copy) {
    (void)data, (void)presented, (void)when, (void)zero_copy;
}

static void output_add(struct monitor_host* host, struct wlr_output* wlr) {
    struct monitor_output* output = calloc(1, sizeof *output);
    if (!output)
        return;
    output->host = host;
    output->output = wlr;
    monitor_output_ignore(output);
    output->frame.notify = handle_frame;
    wl_signal_add(&wlr->events.frame, &output->frame);
    output->present.notify = handle_present;
    wl_signal_add(&wlr->events.present, &output->present);
    output->reshape.notify = handle_reshape;
#if HAS_OUTPUT_STATE
    wl_signal_add(&wlr->events.request_state, &output->reshape);
#else
    wl_signal_add(&wlr->events.mode, &output->reshape);
#endif
    output->destroyed.notify = handle_output_destroyed;
    wl_signal_add(&wlr->events.destroy, &output->destroyed);
    wlr_output_init_render(wlr, host->allocator, host->renderer);
    host->events.output_added(host->events.data, output);
}

void monitor_output_listen(struct monitor_output* output, const struct monitor_output_events* events) {
    output->events = *events;
}

void monitor_output_ignore(struct monitor_output* output) {
    output->events = (struct monitor_output_events){
        .frame = ignore, .presented = ignore_presented, .resized = ignore, .destroyed = ignore};
}

/* --- an output's modes -------------------------------------------------------------------------------------------- */

const char* monitor_output_name(const struct monitor_output* output) {
    return output->output->name;
}

const char* monitor_output_description(const struct monitor_output* output) {
    return output->output->description ? output->output->description : "";
}

bool monitor_output_is_desktop(const struct monitor_output* output) {
    return !output->output->non_desktop;
}

static struct monitor_mode mode_of(const struct wlr_output_mode* mode) {
    return (struct monitor_mode){.width = mode->width,
                                 .height = mode->height,
                                 .refresh_millihertz = mode->refresh,
                                 .preferred = mode->preferred};
}

size_t monitor_output_modes(const struct monitor_output* output, struct monitor_mode* modes, size_t capacity) {
    size_t count = 0;
    const struct wlr_output_mode* mode;
    wl_list_for_each(mode, &output->output->modes, link) {
        if (count < capacity)
            modes[count] = mode_of(mode);
        ++count;
    }
    return count;
}

struct monitor_mode monitor_output_mode(const struct monitor_output* output) {
    const struct wlr_output* wlr = output->output;
    return (struct monitor_mode){
        .width = wlr->width, .height = wlr->height, .refresh_millihertz = wlr->refresh, .preferred = false};
}

static struct wlr_output_mode* find_mode(const struct monitor_output* output, const struct monitor_mode* wanted) {
    struct wlr_output_mode* mode;
    wl_list_for_each(mode, &output->output->modes, link) {
        if (mode->width == wanted->width && mode->height == wanted->height &&
            mode->refresh == wanted->refresh_millihertz)
            return mode;
    }
    return NULL;
}

enum monitor_result monitor_output_enable(struct monitor_output* output, const struct monitor_mode* mode,
                                          bool variable_refresh) {
    struct wlr_output* wlr = output->output;
    struct wlr_output_mode* listed = mode ? find_mode(output, mode) : NULL;
    if (mode && !listed && !wl_list_empty(&wlr->modes))
        return MONITOR_REFUSED;
    output->committing = true;
#if HAS_OUTPUT_STATE
    struct wlr_output_state state;
    wlr_output_state_init(&state);
    wlr_output_state_set_enabled(&state, true);
    if (listed)
        wlr_output_state_set_mode(&state, listed);
    else if (mode)
        wlr_output_state_set_custom_mode(&state, mode->width, mode->height, mode->refresh_millihertz);
    if (variable_refresh) {
        wlr_output_state_set_adaptive_sync_enabled(&state, true);
        if (!wlr_output_test_state(wlr, &state))
            wlr_output_state_set_adaptive_sync_enabled(&state, false);
    }
    const bool possible = wlr_output_test_state(wlr, &state);
    const bool committed = possible && wlr_output_commit_state(wlr, &state);
    wlr_output_state_finish(&state);
#else
    wlr_output_enable(wlr, true);
    if (listed)
        wlr_output_set_mode(wlr, listed);
    else if (mode)
        wlr_output_set_custom_mode(wlr, mode->width, mode->height, mode->refresh_millihertz);
    wlr_output_enable_adaptive_sync(wlr, variable_refresh);
    const bool possible = wlr_output_test(wlr);
    if (!possible)
        wlr_output_rollback(wlr);
    const bool committed = possible && wlr_output_commit(wlr);
#endif
    output->committing = false;
    return committed ? MONITOR_DONE : possible ? MONITOR_FAILED : MONITOR_REFUSED;
}

bool monitor_output_variable_refresh(const struct monitor_output* output) {
    return output->output->adaptive_sync_status == WLR_OUTPUT_ADAPTIVE_SYNC_ENABLED;
}

void monitor_output_schedule_frame(struct monitor_output* output) {
    wlr_output_schedule_frame(output->output);
}

/* --- an output's pictures ----------------------------------------------------------------------------------------- */

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

/* --- an output's cursor ------------------------------------------------------------------------------------------- */

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

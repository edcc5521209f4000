/* SPDX-License-Identifier: MIT */
/* Stands between the monitor sink and wlroots. */
#include "monitor_tap.h"

#include <pixman.h>
#include <stdio.h>
#include <wayland-server-core.h>
#include <wlr/backend.h>
#include <wlr/backend/headless.h>
#include <wlr/backend/multi.h>
#include <wlr/interfaces/wlr_output.h>
#include <wlr/types/wlr_buffer.h>
#include <wlr/types/wlr_output.h>
#include <wlr/version.h>

static struct monitor_tap* tap;
static struct wlr_backend* backend;
static struct wlr_output* last_output;
static struct wl_listener last_output_destroyed;

static struct wlr_buffer* held;

#if WLR_VERSION_MINOR >= 17
/* Numbers start anew with each backend, as they do in 0.15. */
static struct wl_listener new_output;
static struct wl_listener backend_destroyed;
static unsigned outputs;

static void let_go_of_backend(struct wl_listener* listener, void* data) {
    (void)data;
    wl_list_remove(&new_output.link);
    wl_list_remove(&listener->link);
    backend = NULL;
}

static void name_output(struct wl_listener* listener, void* data) {
    (void)listener;
    char name[32];
    snprintf(name, sizeof name, "HEADLESS-%u", ++outputs);
    wlr_output_set_name(data, name);
}
#endif

static void hold(struct wlr_buffer* buffer) {
    struct wlr_buffer* const before = held;
    held = buffer ? wlr_buffer_lock(buffer) : NULL;
    if (before)
        wlr_buffer_unlock(before);
}

void monitor_tap_use(struct monitor_tap* used) {
    hold(NULL);
    tap = used;
}

static void find_headless(struct wlr_backend* candidate, void* data) {
    if (wlr_backend_is_headless(candidate))
        *(struct wlr_backend**)data = candidate;
}

struct wlr_backend* monitor_tap_backend(void) {
    struct wlr_backend* headless = NULL;
    if (backend)
        wlr_multi_for_each_backend(backend, find_headless, &headless);
    return headless;
}

void monitor_tap_end_backend(void) {
    wlr_backend_destroy(backend);
}

const char* monitor_tap_plug(unsigned width, unsigned height) {
    struct wlr_backend* headless = monitor_tap_backend();
    struct wlr_output* output = headless ? wlr_headless_add_output(headless, width, height) : NULL;
    return output ? output->name : NULL;
}

bool monitor_tap_unplug_last(void) {
    if (!last_output)
        return false;
    wlr_output_destroy(last_output);
    return true;
}

bool monitor_tap_resize_last(unsigned width, unsigned height) {
    if (!last_output)
        return false;
#if WLR_VERSION_MINOR >= 17
    struct wlr_output_state state;
    wlr_output_state_init(&state);
    wlr_output_state_set_custom_mode(&state, (int32_t)width, (int32_t)height, 0);
    struct wlr_output_event_request_state event = {.output = last_output, .state = &state};
    wl_signal_emit_mutable(&last_output->events.request_state, &event);
    wlr_output_state_finish(&state);
#else
    wlr_output_update_custom_mode(last_output, (int32_t)width, (int32_t)height, 0);
#endif
    return true;
}

static void forget_last_output(struct wl_listener* listener, void* data) {
    (void)data;
    wl_list_remove(&listener->link);
    last_output = NULL;
}

static void remember(struct wlr_output* output) {
    if (last_output == output)
        return;
    if (last_output)
        wl_list_remove(&last_output_destroyed.link);
    last_output = output;
    last_output_destroyed.notify = forget_last_output;
    wl_signal_add(&output->events.destroy, &last_output_destroyed);
}

static void unplug(void* data) {
    (void)data;
    monitor_tap_unplug_last();
}

static void unplug_if_told(struct wlr_output* output) {
    if (!tap || !tap->unplug_after_commit)
        return;
    tap->unplug_after_commit = false;
#if WLR_VERSION_MINOR >= 18
    struct wl_event_loop* loop = output->event_loop;
#else
    struct wl_event_loop* loop = wl_display_get_event_loop(output->display);
#endif
    wl_event_loop_add_idle(loop, unplug, NULL);
}

static void look_at(struct wlr_output* output, struct wlr_buffer* buffer) {
    remember(output);
    if (!tap || !buffer)
        return;
    ++tap->commits;
    if (tap->hold)
        hold(buffer);
    unplug_if_told(output);
    void* pixels = NULL;
    uint32_t format = 0;
    size_t stride = 0;
    if (!tap->picture ||
        !wlr_buffer_begin_data_ptr_access(buffer, WLR_BUFFER_DATA_PTR_ACCESS_READ, &pixels, &format, &stride))
        return;
    tap->picture(tap->data, output->name, pixels, format, (uint32_t)buffer->width, (uint32_t)buffer->height, stride);
    wlr_buffer_end_data_ptr_access(buffer);
}

static bool to_be_failed(struct wlr_buffer* buffer) {
    if (!tap || !buffer)
        return false;
    struct wlr_dmabuf_attributes attributes;
    if (tap->fail_scan_outs && wlr_buffer_get_dmabuf(buffer, &attributes))
        return true;
    if (tap->fail_commits == 0)
        return false;
    --tap->fail_commits;
    return true;
}

/* What the driver says to a commit with adaptive sync on. */
static bool refuses_refresh(bool asked_for) {
    return tap && asked_for && tap->refresh == MONITOR_TAP_REFUSES_VARIABLE;
}

static void note_refresh(struct wlr_output* output, bool asked_for) {
    if (tap && asked_for && tap->refresh == MONITOR_TAP_VARIABLE_REFRESH)
        output->adaptive_sync_status = WLR_OUTPUT_ADAPTIVE_SYNC_ENABLED;
}

#if WLR_VERSION_MINOR >= 17

static bool asks_for_variable_refresh(const struct wlr_output_state* state) {
    return (state->committed & WLR_OUTPUT_STATE_ADAPTIVE_SYNC_ENABLED) && state->adaptive_sync_enabled;
}

/* What is left for the headless backend, which has no adaptive sync. */
static struct wlr_output_state headless_part(const struct wlr_output_state* state) {
    struct wlr_output_state part = *state;
    if (tap && tap->refresh == MONITOR_TAP_VARIABLE_REFRESH)
        part.committed &= ~(uint32_t)WLR_OUTPUT_STATE_ADAPTIVE_SYNC_ENABLED;
    return part;
}

struct wlr_backend* __real_wlr_backend_autocreate(void* loop, struct wlr_session** session);
struct wlr_backend* __wrap_wlr_backend_autocreate(void* loop, struct wlr_session** session) {
    backend = __real_wlr_backend_autocreate(loop, session);
    if (backend) {
        outputs = 0;
        new_output.notify = name_output;
        wl_signal_add(&backend->events.new_output, &new_output);
        backend_destroyed.notify = let_go_of_backend;
        wl_signal_add(&backend->events.destroy, &backend_destroyed);
    }
    return backend;
}

bool __real_wlr_output_test_state(struct wlr_output* output, const struct wlr_output_state* state);
bool __wrap_wlr_output_test_state(struct wlr_output* output, const struct wlr_output_state* state) {
    if (tap && tap->refuse_scan_out && (state->committed & WLR_OUTPUT_STATE_BUFFER))
        return false;
    if (refuses_refresh(asks_for_variable_refresh(state)))
        return false;
    const struct wlr_output_state part = headless_part(state);
    return __real_wlr_output_test_state(output, &part);
}

bool __real_wlr_output_commit_state(struct wlr_output* output, const struct wlr_output_state* state);
bool __wrap_wlr_output_commit_state(struct wlr_output* output, const struct wlr_output_state* state) {
    struct wlr_buffer* buffer = (state->committed & WLR_OUTPUT_STATE_BUFFER) ? state->buffer : NULL;
    const bool variable_refresh = asks_for_variable_refresh(state);
    if (to_be_failed(buffer) || refuses_refresh(variable_refresh))
        return false;
    if (buffer)
        wlr_buffer_lock(buffer);
    const struct wlr_output_state part = headless_part(state);
    const bool committed = __real_wlr_output_commit_state(output, &part);
    if (committed) {
        note_refresh(output, variable_refresh);
        look_at(output, buffer);
    }
    if (buffer)
        wlr_buffer_unlock(buffer);
    return committed;
}

#else

static bool asks_for_variable_refresh(const struct wlr_output* output) {
    return (output->pending.committed & WLR_OUTPUT_STATE_ADAPTIVE_SYNC_ENABLED) &&
           output->pending.adaptive_sync_enabled;
}

struct wlr_backend* __real_wlr_backend_autocreate(struct wl_display* display);
struct wlr_backend* __wrap_wlr_backend_autocreate(struct wl_display* display) {
    return backend = __real_wlr_backend_autocreate(display);
}

bool __real_wlr_output_test(struct wlr_output* output);
bool __wrap_wlr_output_test(struct wlr_output* output) {
    if (tap && tap->refuse_scan_out && (output->pending.committed & WLR_OUTPUT_STATE_BUFFER))
        return false;
    if (refuses_refresh(asks_for_variable_refresh(output)))
        return false;
    return __real_wlr_output_test(output);
}

bool __real_wlr_output_commit(struct wlr_output* output);
bool __wrap_wlr_output_commit(struct wlr_output* output) {
    struct wlr_buffer* buffer = NULL;
    if (output->pending.committed & WLR_OUTPUT_STATE_BUFFER)
        buffer = output->back_buffer ? output->back_buffer : output->pending.buffer;
    const bool variable_refresh = asks_for_variable_refresh(output);
    if (to_be_failed(buffer) || refuses_refresh(variable_refresh)) {
        wlr_output_rollback(output);
        return false;
    }
    if (buffer)
        wlr_buffer_lock(buffer);
    const bool committed = __real_wlr_output_commit(output);
    if (committed) {
        note_refresh(output, variable_refresh);
        look_at(output, buffer);
    }
    if (buffer)
        wlr_buffer_unlock(buffer);
    return committed;
}

#endif

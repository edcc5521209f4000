/* SPDX-License-Identifier: MIT */
/* Stands between the monitor sink and wlroots. */
#include "monitor_tap.h"

#include <pixman.h>
#include <wayland-server-core.h>
#include <wlr/backend.h>
#include <wlr/backend/headless.h>
#include <wlr/backend/multi.h>
#include <wlr/types/wlr_buffer.h>
#include <wlr/types/wlr_output.h>
#include <wlr/version.h>

static struct monitor_tap* tap;
static struct wlr_backend* backend;
static struct wlr_output* last_output;
static struct wl_listener last_output_destroyed;

static struct wlr_buffer* held;

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

const char* monitor_tap_plug(unsigned width, unsigned height) {
    struct wlr_backend* headless = NULL;
    if (backend)
        wlr_multi_for_each_backend(backend, find_headless, &headless);
    struct wlr_output* output = headless ? wlr_headless_add_output(headless, width, height) : NULL;
    return output ? output->name : NULL;
}

bool monitor_tap_unplug_last(void) {
    if (!last_output)
        return false;
    wlr_output_destroy(last_output);
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

static void look_at(struct wlr_output* output, struct wlr_buffer* buffer) {
    remember(output);
    if (!tap || !buffer)
        return;
    ++tap->commits;
    if (tap->hold)
        hold(buffer);
    void* pixels = NULL;
    uint32_t format = 0;
    size_t stride = 0;
    if (!tap->picture ||
        !wlr_buffer_begin_data_ptr_access(buffer, WLR_BUFFER_DATA_PTR_ACCESS_READ, &pixels, &format, &stride))
        return;
    tap->picture(tap->data, output->name, pixels, format, (uint32_t)buffer->width, (uint32_t)buffer->height, stride);
    wlr_buffer_end_data_ptr_access(buffer);
}

static bool to_be_failed(bool has_buffer) {
    if (!tap || !has_buffer || tap->fail_commits == 0)
        return false;
    --tap->fail_commits;
    return true;
}

#if WLR_VERSION_MINOR >= 17

struct wlr_backend* __real_wlr_backend_autocreate(void* loop, struct wlr_session** session);
struct wlr_backend* __wrap_wlr_backend_autocreate(void* loop, struct wlr_session** session) {
    return backend = __real_wlr_backend_autocreate(loop, session);
}

bool __real_wlr_output_test_state(struct wlr_output* output, const struct wlr_output_state* state);
bool __wrap_wlr_output_test_state(struct wlr_output* output, const struct wlr_output_state* state) {
    if (tap && tap->refuse_scan_out && (state->committed & WLR_OUTPUT_STATE_BUFFER))
        return false;
    return __real_wlr_output_test_state(output, state);
}

bool __real_wlr_output_commit_state(struct wlr_output* output, const struct wlr_output_state* state);
bool __wrap_wlr_output_commit_state(struct wlr_output* output, const struct wlr_output_state* state) {
    struct wlr_buffer* buffer = (state->committed & WLR_OUTPUT_STATE_BUFFER) ? state->buffer : NULL;
    if (to_be_failed(buffer != NULL))
        return false;
    if (buffer)
        wlr_buffer_lock(buffer);
    const bool committed = __real_wlr_output_commit_state(output, state);
    if (committed)
        look_at(output, buffer);
    if (buffer)
        wlr_buffer_unlock(buffer);
    return committed;
}

#else

struct wlr_backend* __real_wlr_backend_autocreate(struct wl_display* display);
struct wlr_backend* __wrap_wlr_backend_autocreate(struct wl_display* display) {
    return backend = __real_wlr_backend_autocreate(display);
}

bool __real_wlr_output_test(struct wlr_output* output);
bool __wrap_wlr_output_test(struct wlr_output* output) {
    if (tap && tap->refuse_scan_out && (output->pending.committed & WLR_OUTPUT_STATE_BUFFER))
        return false;
    return __real_wlr_output_test(output);
}

bool __real_wlr_output_commit(struct wlr_output* output);
bool __wrap_wlr_output_commit(struct wlr_output* output) {
    struct wlr_buffer* buffer = NULL;
    if (output->pending.committed & WLR_OUTPUT_STATE_BUFFER)
        buffer = output->back_buffer ? output->back_buffer : output->pending.buffer;
    if (to_be_failed(buffer != NULL)) {
        wlr_output_rollback(output);
        return false;
    }
    if (buffer)
        wlr_buffer_lock(buffer);
    const bool committed = __real_wlr_output_commit(output);
    if (committed)
        look_at(output, buffer);
    if (buffer)
        wlr_buffer_unlock(buffer);
    return committed;
}

#endif

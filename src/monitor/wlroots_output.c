/* SPDX-License-Identifier: MIT */
/* An output's life, events and modes. */
#include "monitor/wlroots_types.h"

#include <stdlib.h>
#include <wlr/backend.h>

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
    struct monitor_host* host = output->host;
    host->committing = true;
    const bool committed = wlr_output_commit_state(output->output, event->state);
    host->committing = false;
    if (!committed)
        return;
#else
    (void)data;
    if (output->host->committing)
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

void monitor_output_add(struct monitor_host* host, struct wlr_output* wlr) {
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
#if HAS_OUTPUT_STATE
    /* Without an EDID it is made of what is missing. */
    if (!output->output->make)
        return "";
#endif
    return output->output->description ? output->output->description : "";
}

void monitor_output_millimetres(const struct monitor_output* output, int32_t* width, int32_t* height) {
    *width = output->output->phys_width;
    *height = output->output->phys_height;
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
    struct monitor_host* host = output->host; /* outlives the output, which may end within its commit */
    struct wlr_output* wlr = output->output;
    struct wlr_output_mode* listed = mode ? find_mode(output, mode) : NULL;
    if (mode && !listed && !wl_list_empty(&wlr->modes))
        return MONITOR_REFUSED;
    host->committing = true;
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
    host->committing = false;
    return committed ? MONITOR_DONE : possible ? MONITOR_FAILED : MONITOR_REFUSED;
}

bool monitor_output_variable_refresh(const struct monitor_output* output) {
    return output->output->adaptive_sync_status == WLR_OUTPUT_ADAPTIVE_SYNC_ENABLED;
}

void monitor_output_schedule_frame(struct monitor_output* output) {
    wlr_output_schedule_frame(output->output);
}

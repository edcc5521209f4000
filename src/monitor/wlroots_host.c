/* SPDX-License-Identifier: MIT */
/* wlroots' backend, session, renderer and event loop. */
#include "monitor/wlroots_types.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wlr/backend.h>
#include <wlr/backend/libinput.h>
#include <wlr/backend/multi.h>
#include <wlr/backend/session.h>
#if WLR_VERSION_MINOR < 18
#include <poll.h>
#include <wlr/backend/wayland.h>
#endif
#include <wlr/render/allocator.h>
#include <wlr/render/pixman.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/util/log.h>

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

static void handle_new_output(struct wl_listener* listener, void* data) {
    struct monitor_host* host = wl_container_of(listener, host, new_output);
    monitor_output_add(host, data);
}

static void handle_new_input(struct wl_listener* listener, void* data) {
    struct monitor_host* host = wl_container_of(listener, host, new_input);
    monitor_input_add(host, data);
}

/* A line of wlroots' own, among the program's. */
static void say(enum wlr_log_importance importance, const char* format, va_list arguments) {
    if (importance > wlr_log_get_verbosity())
        return;
    char line[512];
    vsnprintf(line, sizeof line, format, arguments);
    fprintf(stderr, "vgpu-view: wlroots: %s\n", line);
}

static const char* host_build(struct monitor_host* host) {
    /* A monitor on a wall has no keyboard. */
    setenv("WLR_LIBINPUT_NO_DEVICES", "1", 0);
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
    wlr_log_init(logging == MONITOR_LOG_EVERYTHING ? WLR_DEBUG : WLR_ERROR, say);
    struct monitor_host* host = calloc(1, sizeof *host);
    if (!host) {
        *failed_step = "memory";
        return NULL;
    }
    host->events = *events;
    wl_list_init(&host->devices);
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
    monitor_input_end(host);
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

/* Whether a backend still has what it shows on. */
static bool shows(struct wlr_backend* backend) {
#if WLR_VERSION_MINOR < 18
    /* At its parent's end this one only asks the program's display to stop running, which that never began. */
    if (wlr_backend_is_wl(backend)) {
        struct pollfd parent = {.fd = wl_display_get_fd(wlr_wl_backend_get_remote_display(backend)), .events = POLLIN};
        return poll(&parent, 1, 0) <= 0 || !(parent.revents & (POLLHUP | POLLERR));
    }
#endif
    return !wlr_backend_is_libinput(backend);
}

static void look_at_backend(struct wlr_backend* backend, void* data) {
    if (shows(backend))
        *(bool*)data = true;
}

void monitor_host_dispatch(struct monitor_host* host) {
    wl_event_loop_dispatch(host->loop, 0);
    /* Of several backends in one, each goes by itself; the whole stays. */
    bool shown = false;
    if (host->backend && wlr_backend_is_multi(host->backend)) {
        wlr_multi_for_each_backend(host->backend, look_at_backend, &shown);
        if (!shown)
            host->events.backend_gone(host->events.data);
    }
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

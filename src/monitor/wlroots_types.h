/* SPDX-License-Identifier: MIT */
/* What the C files of this room share: wlroots' version, and what stands behind the handles of wlroots.h. */
#ifndef VGPU_VIEW_MONITOR_WLROOTS_TYPES_H
#define VGPU_VIEW_MONITOR_WLROOTS_TYPES_H

#include "monitor/wlroots.h"

#include <wayland-server-core.h>
#include <wlr/types/wlr_buffer.h>
#include <wlr/types/wlr_input_device.h>
#include <wlr/types/wlr_output.h>
#include <wlr/version.h>

#if WLR_VERSION_MINOR == 16 || WLR_VERSION_MINOR < 15
#error "wlroots 0.15, or 0.17 and later"
#endif

/* 0.15 keeps an output's pending state in the output itself and renders with matrices; later ones have state objects
 * and render passes. */
#define HAS_OUTPUT_STATE (WLR_VERSION_MINOR >= 17)

#if HAS_OUTPUT_STATE
#include <wlr/interfaces/wlr_buffer.h>
#endif

struct monitor_host {
    struct monitor_host_events events;
    struct wl_display* display;
    struct wl_event_loop* loop;
    struct wlr_backend* backend;
    struct wlr_session* session;
    struct wlr_renderer* renderer;
    struct wlr_allocator* allocator;
    bool committing;        /* an output's mode: our own commits are no surprise */
    struct wl_list devices; /* device::link */
    struct wl_listener new_output;
    struct wl_listener new_input;
    struct wl_listener session_active;
    struct wl_listener session_destroyed;
    struct wl_listener backend_destroyed;
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
    struct wl_listener frame;
    struct wl_listener present;
    struct wl_listener reshape;
    struct wl_listener destroyed;
};

/* Takes up a device that the backend announced. */
void monitor_input_add(struct monitor_host* host, struct wlr_input_device* device);
/* Lets go of all devices. */
void monitor_input_end(struct monitor_host* host);
/* Takes up an output that the backend announced. */
void monitor_output_add(struct monitor_host* host, struct wlr_output* output);

#endif

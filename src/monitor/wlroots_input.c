/* SPDX-License-Identifier: MIT */
/* wlroots' input devices. */
#include "monitor/wlroots_types.h"

#include <stdlib.h>
#include <wlr/types/wlr_keyboard.h>

struct keyboard {
    struct monitor_host* host;
    struct wl_list link;
    struct wl_listener key;
    struct wl_listener destroyed;
};

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

void monitor_input_add(struct monitor_host* host, struct wlr_input_device* device) {
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

void monitor_input_end(struct monitor_host* host) {
    struct keyboard *keyboard, *next;
    wl_list_for_each_safe(keyboard, next, &host->keyboards, link) keyboard_free(keyboard);
}

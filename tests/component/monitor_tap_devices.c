/* SPDX-License-Identifier: MIT */
/* Input devices for the monitor sink, as a backend of wlroots announces and drives them. */
#include "monitor_tap_devices.h"

#include "monitor_tap.h"

#include <wayland-server-core.h>
#include <wlr/backend.h>
#include <wlr/backend/headless.h>
#include <wlr/interfaces/wlr_keyboard.h>
#include <wlr/types/wlr_input_device.h>
#include <wlr/types/wlr_keyboard.h>
#include <wlr/types/wlr_pointer.h>
#include <wlr/types/wlr_touch.h>
#include <wlr/version.h>

static struct wlr_keyboard* keyboard;
static struct wlr_pointer* pointer;
static struct wlr_touch* touch;

#if WLR_VERSION_MINOR >= 17

#include <wlr/interfaces/wlr_pointer.h>
#include <wlr/interfaces/wlr_touch.h>

#define EVENT(name) struct wlr_##name##_event
#define EMIT wl_signal_emit_mutable

static struct wlr_keyboard own_keyboard;
static struct wlr_pointer own_pointer;
static struct wlr_touch own_touch;

bool monitor_tap_plug_devices(void) {
    static const struct wlr_keyboard_impl keyboard_functions = {.name = "tap keyboard"};
    static const struct wlr_pointer_impl pointer_functions = {.name = "tap pointer"};
    static const struct wlr_touch_impl touch_functions = {.name = "tap touch"};
    struct wlr_backend* backend = monitor_tap_backend();
    if (!backend)
        return false;
    keyboard = &own_keyboard;
    pointer = &own_pointer;
    touch = &own_touch;
    wlr_keyboard_init(keyboard, &keyboard_functions, keyboard_functions.name);
    wlr_pointer_init(pointer, &pointer_functions, pointer_functions.name);
    wlr_touch_init(touch, &touch_functions, touch_functions.name);
    EMIT(&backend->events.new_input, &keyboard->base);
    EMIT(&backend->events.new_input, &pointer->base);
    EMIT(&backend->events.new_input, &touch->base);
    return true;
}

void monitor_tap_unplug_devices(void) {
    if (!keyboard)
        return;
    wlr_keyboard_finish(keyboard);
    wlr_pointer_finish(pointer);
    wlr_touch_finish(touch);
    keyboard = NULL;
    pointer = NULL;
    touch = NULL;
}

#else

#include <wlr/interfaces/wlr_input_device.h>

#define EVENT(name) struct wlr_event_##name
#define EMIT wl_signal_emit

static struct wlr_input_device* devices[3];

bool monitor_tap_plug_devices(void) {
    static const enum wlr_input_device_type types[3] = {WLR_INPUT_DEVICE_KEYBOARD, WLR_INPUT_DEVICE_POINTER,
                                                        WLR_INPUT_DEVICE_TOUCH};
    struct wlr_backend* backend = monitor_tap_backend();
    for (int i = 0; i < 3; ++i) {
        devices[i] = backend ? wlr_headless_add_input_device(backend, types[i]) : NULL;
        if (!devices[i])
            return false;
    }
    keyboard = devices[0]->keyboard;
    pointer = devices[1]->pointer;
    touch = devices[2]->touch;
    return true;
}

void monitor_tap_unplug_devices(void) {
    if (!keyboard)
        return;
    for (int i = 0; i < 3; ++i)
        wlr_input_device_destroy(devices[i]);
    keyboard = NULL;
    pointer = NULL;
    touch = NULL;
}

#endif

void monitor_tap_key(uint32_t code, bool pressed) {
    EVENT(keyboard_key)
    event = {.keycode = code,
             .update_state = true,
             .state = pressed ? WL_KEYBOARD_KEY_STATE_PRESSED : WL_KEYBOARD_KEY_STATE_RELEASED};
    wlr_keyboard_notify_key(keyboard, &event);
}

void monitor_tap_move(double dx, double dy, double unaccelerated_dx, double unaccelerated_dy) {
    EVENT(pointer_motion)
    event = {.delta_x = dx, .delta_y = dy, .unaccel_dx = unaccelerated_dx, .unaccel_dy = unaccelerated_dy};
    EMIT(&pointer->events.motion, &event);
}

void monitor_tap_place(double x, double y) {
    EVENT(pointer_motion_absolute) event = {.x = x, .y = y};
    EMIT(&pointer->events.motion_absolute, &event);
}

void monitor_tap_button(uint32_t code, bool pressed) {
    EVENT(pointer_button) event = {.button = code, .state = pressed ? 1 : 0};
    EMIT(&pointer->events.button, &event);
}

void monitor_tap_scroll(bool horizontal, double delta, int32_t discrete120) {
#if defined(WLR_POINTER_AXIS_DISCRETE_STEP)
    const int32_t discrete = discrete120;
#else
    const int32_t discrete = discrete120 / 120;
#endif
    EVENT(pointer_axis)
    event = {.orientation = horizontal ? 1 : 0, .delta = delta, .delta_discrete = discrete};
    EMIT(&pointer->events.axis, &event);
}

void monitor_tap_pointer_frame(void) {
    EMIT(&pointer->events.frame, pointer);
}

void monitor_tap_touch_down(int32_t id, double x, double y) {
    EVENT(touch_down) event = {.touch_id = id, .x = x, .y = y};
    EMIT(&touch->events.down, &event);
}

void monitor_tap_touch_move(int32_t id, double x, double y) {
    EVENT(touch_motion) event = {.touch_id = id, .x = x, .y = y};
    EMIT(&touch->events.motion, &event);
}

void monitor_tap_touch_up(int32_t id) {
    EVENT(touch_up) event = {.touch_id = id};
    EMIT(&touch->events.up, &event);
}

void monitor_tap_touch_cancel(int32_t id) {
    EVENT(touch_cancel) event = {.touch_id = id};
    EMIT(&touch->events.cancel, &event);
}

void monitor_tap_touch_frame(void) {
    EMIT(&touch->events.frame, NULL);
}

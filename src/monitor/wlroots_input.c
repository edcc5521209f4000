/* SPDX-License-Identifier: MIT */
/* wlroots' input devices. */
#include "monitor/wlroots_types.h"

#include <math.h>
#include <stdlib.h>
#include <wlr/types/wlr_keyboard.h>
#include <wlr/types/wlr_pointer.h>
#include <wlr/types/wlr_touch.h>

#if WLR_VERSION_MINOR >= 17
typedef struct wlr_keyboard_key_event key_event;
typedef struct wlr_pointer_motion_event motion_event;
typedef struct wlr_pointer_motion_absolute_event motion_absolute_event;
typedef struct wlr_pointer_button_event button_event;
typedef struct wlr_pointer_axis_event axis_event;
typedef struct wlr_touch_down_event touch_down_event;
typedef struct wlr_touch_motion_event touch_motion_event;
typedef struct wlr_touch_up_event touch_up_event;
typedef struct wlr_touch_cancel_event touch_cancel_event;
#else
typedef struct wlr_event_keyboard_key key_event;
typedef struct wlr_event_pointer_motion motion_event;
typedef struct wlr_event_pointer_motion_absolute motion_absolute_event;
typedef struct wlr_event_pointer_button button_event;
typedef struct wlr_event_pointer_axis axis_event;
typedef struct wlr_event_touch_down touch_down_event;
typedef struct wlr_event_touch_motion touch_motion_event;
typedef struct wlr_event_touch_up touch_up_event;
typedef struct wlr_event_touch_cancel touch_cancel_event;
#endif

/* Which of a device's listeners is which. */
enum {
    KEYBOARD_KEY = 0,

    POINTER_MOTION = 0,
    POINTER_MOTION_ABSOLUTE,
    POINTER_BUTTON,
    POINTER_AXIS,
    POINTER_FRAME,

    TOUCH_DOWN = 0,
    TOUCH_MOTION,
    TOUCH_UP,
    TOUCH_CANCEL,
    TOUCH_FRAME,

    MOST_LISTENERS
};

struct device {
    struct monitor_host* host;
    const char* const* output_name; /* of wlroots' device */
    struct wl_list link;
    struct wl_listener listeners[MOST_LISTENERS];
    struct wl_listener destroyed;
};

static void device_free(struct device* device) {
    wl_list_remove(&device->link);
    for (size_t i = 0; i < MOST_LISTENERS; ++i)
        wl_list_remove(&device->listeners[i].link);
    wl_list_remove(&device->destroyed.link);
    free(device);
}

static void handle_device_destroyed(struct wl_listener* listener, void* data) {
    (void)data;
    struct device* device = wl_container_of(listener, device, destroyed);
    const struct monitor_input_events* events = &device->host->events.input;
    device_free(device);
    events->device_gone(events->data);
}

static void handle_key(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[KEYBOARD_KEY]);
    const key_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->key(events->data, event->keycode, event->state == WL_KEYBOARD_KEY_STATE_PRESSED);
}

static void handle_motion(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[POINTER_MOTION]);
    const motion_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->pointer_moved(events->data, event->delta_x, event->delta_y, event->unaccel_dx, event->unaccel_dy);
}

static void handle_motion_absolute(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[POINTER_MOTION_ABSOLUTE]);
    const motion_absolute_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->pointer_placed(events->data, *device->output_name, event->x, event->y);
}

static void handle_button(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[POINTER_BUTTON]);
    const button_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->button(events->data, event->button, (int)event->state == WL_POINTER_BUTTON_STATE_PRESSED);
}

/* In 120ths of a wheel's click. What has no clicks is measured by a click's usual angle. */
static int32_t value120(const axis_event* event) {
    const double degrees_of_click = 15;
#if !defined(WLR_POINTER_AXIS_DISCRETE_STEP)
    if (event->delta_discrete != 0)
        return event->delta_discrete * 120;
#else
    if (event->delta_discrete != 0)
        return event->delta_discrete;
#endif
    const double value = event->delta / degrees_of_click * 120;
    return fabs(value) < 1e6 ? (int32_t)lround(value) : 0;
}

static void handle_axis(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[POINTER_AXIS]);
    const axis_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->scrolled(events->data, (int)event->orientation == WL_POINTER_AXIS_HORIZONTAL_SCROLL, value120(event));
}

static void handle_pointer_frame(struct wl_listener* listener, void* data) {
    (void)data;
    struct device* device = wl_container_of(listener, device, listeners[POINTER_FRAME]);
    const struct monitor_input_events* events = &device->host->events.input;
    events->frame(events->data);
}

static void handle_touch_down(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[TOUCH_DOWN]);
    const touch_down_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->touch_down(events->data, *device->output_name, event->touch_id, event->x, event->y);
}

static void handle_touch_motion(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[TOUCH_MOTION]);
    const touch_motion_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->touch_moved(events->data, *device->output_name, event->touch_id, event->x, event->y);
}

static void handle_touch_up(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[TOUCH_UP]);
    const touch_up_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->touch_up(events->data, event->touch_id);
}

static void handle_touch_cancel(struct wl_listener* listener, void* data) {
    struct device* device = wl_container_of(listener, device, listeners[TOUCH_CANCEL]);
    const touch_cancel_event* event = data;
    const struct monitor_input_events* events = &device->host->events.input;
    events->touch_up(events->data, event->touch_id);
}

static void handle_touch_frame(struct wl_listener* listener, void* data) {
    (void)data;
    struct device* device = wl_container_of(listener, device, listeners[TOUCH_FRAME]);
    const struct monitor_input_events* events = &device->host->events.input;
    events->frame(events->data);
}

static void listen(struct device* device, size_t index, struct wl_signal* signal, wl_notify_func_t handler) {
    device->listeners[index].notify = handler;
    wl_signal_add(signal, &device->listeners[index]);
}

static void listen_to_pointer(struct device* device, struct wlr_pointer* pointer) {
    listen(device, POINTER_MOTION, &pointer->events.motion, handle_motion);
    listen(device, POINTER_MOTION_ABSOLUTE, &pointer->events.motion_absolute, handle_motion_absolute);
    listen(device, POINTER_BUTTON, &pointer->events.button, handle_button);
    listen(device, POINTER_AXIS, &pointer->events.axis, handle_axis);
    listen(device, POINTER_FRAME, &pointer->events.frame, handle_pointer_frame);
}

static void listen_to_touch(struct device* device, struct wlr_touch* touch) {
    listen(device, TOUCH_DOWN, &touch->events.down, handle_touch_down);
    listen(device, TOUCH_MOTION, &touch->events.motion, handle_touch_motion);
    listen(device, TOUCH_UP, &touch->events.up, handle_touch_up);
    listen(device, TOUCH_CANCEL, &touch->events.cancel, handle_touch_cancel);
    listen(device, TOUCH_FRAME, &touch->events.frame, handle_touch_frame);
}

static void listen_to(struct device* device, struct wlr_input_device* source) {
#if WLR_VERSION_MINOR >= 17
    static const char* const no_output = NULL;
    device->output_name = &no_output;
    if (source->type == WLR_INPUT_DEVICE_KEYBOARD) {
        listen(device, KEYBOARD_KEY, &wlr_keyboard_from_input_device(source)->events.key, handle_key);
    } else if (source->type == WLR_INPUT_DEVICE_POINTER) {
        struct wlr_pointer* pointer = wlr_pointer_from_input_device(source);
        device->output_name = (const char* const*)&pointer->output_name;
        listen_to_pointer(device, pointer);
    } else {
        struct wlr_touch* touch = wlr_touch_from_input_device(source);
        device->output_name = (const char* const*)&touch->output_name;
        listen_to_touch(device, touch);
    }
#else
    device->output_name = (const char* const*)&source->output_name;
    if (source->type == WLR_INPUT_DEVICE_KEYBOARD)
        listen(device, KEYBOARD_KEY, &source->keyboard->events.key, handle_key);
    else if (source->type == WLR_INPUT_DEVICE_POINTER)
        listen_to_pointer(device, source->pointer);
    else
        listen_to_touch(device, source->touch);
#endif
}

void monitor_input_add(struct monitor_host* host, struct wlr_input_device* source) {
    if (source->type != WLR_INPUT_DEVICE_KEYBOARD && source->type != WLR_INPUT_DEVICE_POINTER &&
        source->type != WLR_INPUT_DEVICE_TOUCH)
        return;
    struct device* device = calloc(1, sizeof *device);
    if (!device)
        return;
    device->host = host;
    for (size_t i = 0; i < MOST_LISTENERS; ++i)
        wl_list_init(&device->listeners[i].link);
    listen_to(device, source);
    device->destroyed.notify = handle_device_destroyed;
    wl_signal_add(&source->events.destroy, &device->destroyed);
    wl_list_insert(&host->devices, &device->link);
}

void monitor_input_end(struct monitor_host* host) {
    struct device *device, *next;
    wl_list_for_each_safe(device, next, &host->devices, link) device_free(device);
}

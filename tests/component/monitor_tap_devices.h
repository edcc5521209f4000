/* SPDX-License-Identifier: MIT */
/* Input devices for the monitor sink, as a backend of wlroots announces and drives them. */
#ifndef VGPU_VIEW_MONITOR_TAP_DEVICES_H
#define VGPU_VIEW_MONITOR_TAP_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A keyboard, a pointer and a touch screen; the tap must know a headless backend. */
bool monitor_tap_plug_devices(void);
void monitor_tap_unplug_devices(void);

void monitor_tap_key(uint32_t code, bool pressed);
void monitor_tap_move(double dx, double dy, double unaccelerated_dx, double unaccelerated_dy);
void monitor_tap_place(double x, double y);
void monitor_tap_button(uint32_t code, bool pressed);
/* discrete: in 120ths of a click, or 0 for what has none, and then delta counts. */
void monitor_tap_scroll(bool horizontal, double delta, int32_t discrete120);
void monitor_tap_pointer_frame(void);
void monitor_tap_touch_down(int32_t id, double x, double y);
void monitor_tap_touch_move(int32_t id, double x, double y);
void monitor_tap_touch_up(int32_t id);
void monitor_tap_touch_cancel(int32_t id);
void monitor_tap_touch_frame(void);

#ifdef __cplusplus
}
#endif

#endif

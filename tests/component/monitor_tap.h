/* SPDX-License-Identifier: MIT */
/* Stands between the monitor sink and wlroots: sees what is committed, refuses on demand, plugs monitors. The linker
 * puts it there (--wrap). */
#ifndef VGPU_VIEW_MONITOR_TAP_H
#define VGPU_VIEW_MONITOR_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wlr_backend;

enum monitor_tap_refresh { MONITOR_TAP_FIXED_REFRESH, MONITOR_TAP_VARIABLE_REFRESH, MONITOR_TAP_REFUSES_VARIABLE };

struct monitor_tap {
    enum monitor_tap_refresh refresh;
    bool unplug_after_commit; /* the output goes away while its next picture is on its way */
    bool refuse_scan_out;     /* test commits of a buffer say no */
    bool fail_scan_outs;      /* commits of buffers that are not the renderer\'s fail, though the test said yes */
    unsigned fail_commits;    /* so many of the next commits with a buffer fail */
    bool hold;                /* keeps the last picture's buffer locked, as a real monitor does */
    unsigned commits;         /* with a buffer, and successful */
    void (*picture)(void* data, const char* output, const void* pixels, uint32_t fourcc, uint32_t width,
                    uint32_t height, size_t stride); /* each committed picture that can be mapped */
    void* data;
};

/* NULL: nothing but a passage. The caller's until replaced. */
void monitor_tap_use(struct monitor_tap* tap);
/* Plugs a headless monitor in; its name, or NULL. There must be a headless backend. */
const char* monitor_tap_plug(unsigned width, unsigned height);
/* Resizes the monitor that was committed to last, as a parent compositor does. */
bool monitor_tap_resize_last(unsigned width, unsigned height);
/* The whole backend goes, as with the only GPU. */
void monitor_tap_end_backend(void);
/* The headless backend, or NULL. */
struct wlr_backend* monitor_tap_backend(void);
/* Unplugs the monitor that was committed to last. */
bool monitor_tap_unplug_last(void);

#ifdef __cplusplus
}
#endif

#endif

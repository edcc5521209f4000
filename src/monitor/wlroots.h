/* SPDX-License-Identifier: MIT */
/* What this program needs of wlroots, in the same words for each of its versions: backend, outputs, buffers, devices.
 *
 * All on one thread. Callbacks come from within monitor_host_start(), _dispatch() and _run_idle(), and some from within
 * the call on an output that causes them; none may throw. Times are nanoseconds of CLOCK_MONOTONIC.
 * Source: wlroots' headers, 0.15 and 0.17 to 0.20. */
#ifndef VGPU_VIEW_MONITOR_WLROOTS_H
#define VGPU_VIEW_MONITOR_WLROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct monitor_host;
struct monitor_output;
struct monitor_buffer;

/* --- backend, session, devices --------------------------------------------------------------------------------- */

/* Codes are those of linux/input-event-codes.h. output: monitor_output_name() of the one that the device belongs to, or
 * NULL; x and y from 0 to 1 on it. */
struct monitor_input_events {
    void* data;
    void (*key)(void* data, uint32_t keycode, bool pressed);
    void (*pointer_moved)(void* data, double dx, double dy, double unaccelerated_dx, double unaccelerated_dy);
    void (*pointer_placed)(void* data, const char* output, double x, double y);
    void (*button)(void* data, uint32_t code, bool pressed);
    /* value120: 120 is a wheel's click, down or to the right. */
    void (*scrolled)(void* data, bool horizontal, int32_t value120);
    void (*touch_down)(void* data, const char* output, int32_t id, double x, double y);
    void (*touch_moved)(void* data, const char* output, int32_t id, double x, double y);
    void (*touch_up)(void* data, int32_t id);
    /* Ends a group of a pointer's or a touch screen's events. */
    void (*frame)(void* data);
    /* A device went away: what it held down is held no more. */
    void (*device_gone)(void* data);
};

struct monitor_host_events {
    void* data;
    /* Valid until its destroyed callback. Not enabled yet; listen to it before returning. */
    void (*output_added)(void* data, struct monitor_output* output);
    /* The session lost or got back its devices: another virtual terminal, suspend. */
    void (*session_changed)(void* data, bool active);
    /* The backend is gone (the only GPU was unplugged, the parent compositor ended); all outputs went before it. */
    void (*backend_gone)(void* data);
    struct monitor_input_events input;
};

enum monitor_logging { MONITOR_LOG_ERRORS, MONITOR_LOG_EVERYTHING };

/* NULL: failed_step says at what. The events are copied. wlroots' log goes to standard error. */
struct monitor_host* monitor_host_create(const struct monitor_host_events* events, enum monitor_logging logging,
                                         const char** failed_step);
/* Opens the devices and announces what is there already. */
bool monitor_host_start(struct monitor_host* host);
/* Destroys outputs and devices (with their callbacks) first. Buffers may outlive it. */
void monitor_host_destroy(struct monitor_host* host);
/* Readable when monitor_host_dispatch() has something to do. */
int monitor_host_fd(const struct monitor_host* host);
void monitor_host_dispatch(struct monitor_host* host);
/* What was put off to the end of the turn; call it before sleeping. */
void monitor_host_run_idle(struct monitor_host* host);
/* Whether the renderer works with the CPU (pixman). */
bool monitor_host_renders_by_cpu(const struct monitor_host* host);
/* False where there is no session with virtual terminals. */
bool monitor_host_change_terminal(struct monitor_host* host, unsigned number);
/* "0.15.1" */
const char* monitor_wlroots_version(void);

/* --- buffers ----------------------------------------------------------------------------------------------------- */

struct monitor_buffer_layout {
    int32_t width, height;
    uint32_t stride, offset;
    uint32_t fourcc;
    uint64_t modifier;
    int fd; /* the caller's; open until the destroyed callback */
};

/* How others may get at the pixels; they try the faster ways first. */
enum monitor_buffer_kind { MONITOR_BUFFER_DMA_BUF, MONITOR_BUFFER_MEMORY, MONITOR_BUFFER_PIXELS_ONLY };

struct monitor_buffer_events {
    void* data;
    /* A pointer to the first pixel, or NULL. Bracketed by the two. */
    void* (*begin_read)(void* data);
    void (*end_read)(void* data);
    /* Nobody reads it any more, for now. */
    void (*released)(void* data);
    /* The last call. */
    void (*destroyed)(void* data);
};

/* NULL: out of memory. One for the life of a dma-buf: wlroots keeps its imports with it. */
struct monitor_buffer* monitor_buffer_create(const struct monitor_buffer_layout* layout, enum monitor_buffer_kind kind,
                                             const struct monitor_buffer_events* events);
/* The caller is done with it; it lives on until nobody reads it. */
void monitor_buffer_drop(struct monitor_buffer* buffer);

/* --- outputs -------------------------------------------------------------------------------------------------------
 */

struct monitor_output_events {
    void* data;
    /* A good moment to commit the next picture. */
    void (*frame)(void* data);
    /* A commit came to an end. when is 0 where unknown; zero_copy as the driver says. */
    void (*presented)(void* data, bool presented, int64_t when, bool zero_copy);
    /* Its size changed without our doing. */
    void (*resized)(void* data);
    /* The last call. */
    void (*destroyed)(void* data);
};

struct monitor_mode {
    int32_t width, height;
    int32_t refresh_millihertz; /* 0: unknown, or the backend's choice */
    bool preferred;
};

struct monitor_rectangle {
    int32_t x, y, width, height;
};

/* A buffer and where on the output it goes, scaled to that size. */
struct monitor_layer {
    struct monitor_buffer* buffer;
    struct monitor_rectangle destination;
};

enum monitor_result {
    MONITOR_DONE,
    MONITOR_REFUSED,       /* not in this way; nothing was changed */
    MONITOR_IMPORT_FAILED, /* the renderer can't read one of the buffers; nothing was changed */
    MONITOR_FAILED,        /* should have worked; may work later */
};

void monitor_output_listen(struct monitor_output* output, const struct monitor_output_events* events);
/* No more callbacks. */
void monitor_output_ignore(struct monitor_output* output);
const char* monitor_output_name(const struct monitor_output* output);
/* Maker, model and connector; may be empty. */
const char* monitor_output_description(const struct monitor_output* output);
/* Of its picture; 0 where unknown. */
void monitor_output_millimetres(const struct monitor_output* output, int32_t* width, int32_t* height);
/* Headsets and the like: not to be used. */
bool monitor_output_is_desktop(const struct monitor_output* output);
/* Fills in up to capacity modes and returns how many there are; none: any size goes. */
size_t monitor_output_modes(const struct monitor_output* output, struct monitor_mode* modes, size_t capacity);
struct monitor_mode monitor_output_mode(const struct monitor_output* output);
/* Enables it in the given mode, or as it is where mode is NULL, showing black. */
enum monitor_result monitor_output_enable(struct monitor_output* output, const struct monitor_mode* mode,
                                          bool variable_refresh);
bool monitor_output_variable_refresh(const struct monitor_output* output);
/* Asks for a frame event. */
void monitor_output_schedule_frame(struct monitor_output* output);
/* Commits the buffer itself, after a test commit. damage in buffer pixels. A destination other than the whole output at
 * the buffer's own size is refused before wlroots 0.19. */
enum monitor_result monitor_output_scan_out(struct monitor_output* output, const struct monitor_layer* layer,
                                            const struct monitor_rectangle* damage);
/* Commits what the renderer makes of the layers, first one lowest, over black. */
enum monitor_result monitor_output_compose(struct monitor_output* output, const struct monitor_layer* layers,
                                           size_t layer_count);

enum monitor_cursor { MONITOR_CURSOR_REFUSED, MONITOR_CURSOR_PLANE, MONITOR_CURSOR_PLANE_RENDERED };
/* Puts the buffer on the cursor plane: as it is, else drawn by wlroots into a buffer of its own. Takes effect with the
 * next commit. x, y: top left corner. Refused: nothing is on the plane. */
enum monitor_cursor monitor_output_show_cursor(struct monitor_output* output, struct monitor_buffer* buffer, int32_t x,
                                               int32_t y);
/* Only the position; the plane must be in use. */
bool monitor_output_move_cursor(struct monitor_output* output, int32_t x, int32_t y);
void monitor_output_hide_cursor(struct monitor_output* output);

#ifdef __cplusplus
}
#endif

#endif

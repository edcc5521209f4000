// SPDX-License-Identifier: MIT
// Owned Wayland proxies, and member functions as their event handlers.
#pragma once

#include "content-type-v1-client-protocol.h"
#include "fractional-scale-v1-client-protocol.h"
#include "idle-inhibit-v1-client-protocol.h"
#include "linux-dmabuf-v1-client-protocol.h"
#include "pointer-constraints-v1-client-protocol.h"
#include "presentation-time-client-protocol.h"
#include "relative-pointer-v1-client-protocol.h"
#include "shortcuts-inhibit-v1-client-protocol.h"
#include "single-pixel-buffer-v1-client-protocol.h"
#include "tearing-control-v1-client-protocol.h"
#include "viewporter-client-protocol.h"
#include "xdg-decoration-v1-client-protocol.h"
#include "xdg-shell-client-protocol.h"
#if VGPUVIEW_TOPLEVEL_ICON
#include "xdg-toplevel-icon-v1-client-protocol.h"
#endif

#include <wayland-client.h>

#include <exception>
#include <memory>

namespace vgpuview {

/// Sends the destructor request of each interface that this room uses.
struct ProxyDeleter {
    void operator()(wl_display* proxy) const noexcept { wl_display_disconnect(proxy); }
    void operator()(wl_registry* proxy) const noexcept { wl_registry_destroy(proxy); }
    void operator()(wl_callback* proxy) const noexcept { wl_callback_destroy(proxy); }
    void operator()(wl_compositor* proxy) const noexcept { wl_compositor_destroy(proxy); }
    void operator()(wl_subcompositor* proxy) const noexcept { wl_subcompositor_destroy(proxy); }
    void operator()(wl_shm* proxy) const noexcept { wl_shm_destroy(proxy); }
    void operator()(wl_shm_pool* proxy) const noexcept { wl_shm_pool_destroy(proxy); }
    void operator()(wl_buffer* proxy) const noexcept { wl_buffer_destroy(proxy); }
    void operator()(wl_surface* proxy) const noexcept { wl_surface_destroy(proxy); }
    void operator()(wl_subsurface* proxy) const noexcept { wl_subsurface_destroy(proxy); }
    void operator()(wl_region* proxy) const noexcept { wl_region_destroy(proxy); }
    void operator()(wl_output* proxy) const noexcept {
        if (wl_output_get_version(proxy) >= WL_OUTPUT_RELEASE_SINCE_VERSION)
            wl_output_release(proxy);
        else
            wl_output_destroy(proxy);
    }
    void operator()(wl_seat* proxy) const noexcept {
        if (wl_seat_get_version(proxy) >= WL_SEAT_RELEASE_SINCE_VERSION)
            wl_seat_release(proxy);
        else
            wl_seat_destroy(proxy);
    }
    void operator()(wl_keyboard* proxy) const noexcept {
        if (wl_keyboard_get_version(proxy) >= WL_KEYBOARD_RELEASE_SINCE_VERSION)
            wl_keyboard_release(proxy);
        else
            wl_keyboard_destroy(proxy);
    }
    void operator()(wl_pointer* proxy) const noexcept {
        if (wl_pointer_get_version(proxy) >= WL_POINTER_RELEASE_SINCE_VERSION)
            wl_pointer_release(proxy);
        else
            wl_pointer_destroy(proxy);
    }
    void operator()(wl_touch* proxy) const noexcept {
        if (wl_touch_get_version(proxy) >= WL_TOUCH_RELEASE_SINCE_VERSION)
            wl_touch_release(proxy);
        else
            wl_touch_destroy(proxy);
    }
    void operator()(zwp_relative_pointer_manager_v1* proxy) const noexcept {
        zwp_relative_pointer_manager_v1_destroy(proxy);
    }
    void operator()(zwp_relative_pointer_v1* proxy) const noexcept { zwp_relative_pointer_v1_destroy(proxy); }
    void operator()(zwp_pointer_constraints_v1* proxy) const noexcept { zwp_pointer_constraints_v1_destroy(proxy); }
    void operator()(zwp_locked_pointer_v1* proxy) const noexcept { zwp_locked_pointer_v1_destroy(proxy); }
    void operator()(zwp_confined_pointer_v1* proxy) const noexcept { zwp_confined_pointer_v1_destroy(proxy); }
    void operator()(zwp_keyboard_shortcuts_inhibit_manager_v1* proxy) const noexcept {
        zwp_keyboard_shortcuts_inhibit_manager_v1_destroy(proxy);
    }
    void operator()(zwp_keyboard_shortcuts_inhibitor_v1* proxy) const noexcept {
        zwp_keyboard_shortcuts_inhibitor_v1_destroy(proxy);
    }
    void operator()(xdg_wm_base* proxy) const noexcept { xdg_wm_base_destroy(proxy); }
    void operator()(xdg_surface* proxy) const noexcept { xdg_surface_destroy(proxy); }
    void operator()(xdg_toplevel* proxy) const noexcept { xdg_toplevel_destroy(proxy); }
    void operator()(wp_viewporter* proxy) const noexcept { wp_viewporter_destroy(proxy); }
    void operator()(wp_viewport* proxy) const noexcept { wp_viewport_destroy(proxy); }
    void operator()(wp_presentation* proxy) const noexcept { wp_presentation_destroy(proxy); }
    void operator()(struct wp_presentation_feedback* proxy) const noexcept { wp_presentation_feedback_destroy(proxy); }
    void operator()(zwp_linux_dmabuf_v1* proxy) const noexcept { zwp_linux_dmabuf_v1_destroy(proxy); }
    void operator()(zwp_linux_dmabuf_feedback_v1* proxy) const noexcept { zwp_linux_dmabuf_feedback_v1_destroy(proxy); }
    void operator()(zwp_linux_buffer_params_v1* proxy) const noexcept { zwp_linux_buffer_params_v1_destroy(proxy); }
    void operator()(zxdg_decoration_manager_v1* proxy) const noexcept { zxdg_decoration_manager_v1_destroy(proxy); }
    void operator()(zxdg_toplevel_decoration_v1* proxy) const noexcept { zxdg_toplevel_decoration_v1_destroy(proxy); }
    void operator()(wp_fractional_scale_manager_v1* proxy) const noexcept {
        wp_fractional_scale_manager_v1_destroy(proxy);
    }
    void operator()(wp_fractional_scale_v1* proxy) const noexcept { wp_fractional_scale_v1_destroy(proxy); }
    void operator()(wp_content_type_manager_v1* proxy) const noexcept { wp_content_type_manager_v1_destroy(proxy); }
    void operator()(wp_content_type_v1* proxy) const noexcept { wp_content_type_v1_destroy(proxy); }
    void operator()(wp_tearing_control_manager_v1* proxy) const noexcept {
        wp_tearing_control_manager_v1_destroy(proxy);
    }
    void operator()(wp_tearing_control_v1* proxy) const noexcept { wp_tearing_control_v1_destroy(proxy); }
    void operator()(zwp_idle_inhibit_manager_v1* proxy) const noexcept { zwp_idle_inhibit_manager_v1_destroy(proxy); }
    void operator()(zwp_idle_inhibitor_v1* proxy) const noexcept { zwp_idle_inhibitor_v1_destroy(proxy); }
#if VGPUVIEW_TOPLEVEL_ICON
    void operator()(xdg_toplevel_icon_manager_v1* proxy) const noexcept {
        xdg_toplevel_icon_manager_v1_destroy(proxy);
    }
    void operator()(xdg_toplevel_icon_v1* proxy) const noexcept {
        xdg_toplevel_icon_v1_destroy(proxy);
    }
#endif
    void operator()(wp_single_pixel_buffer_manager_v1* proxy) const noexcept {
        wp_single_pixel_buffer_manager_v1_destroy(proxy);
    }
};

/// An owned proxy; destroying it tells the compositor. Must die before the connection.
template<typename Interface>
using Proxy = std::unique_ptr<Interface, ProxyDeleter>;

/// A member function as a Wayland event handler: `.done = on<&Thing::done>`, with the object as the listener's data.
/// What it throws goes to the object's eventFailed(std::exception_ptr), never into libwayland.
template<auto Member>
struct EventHandler;

template<typename Object, typename... Args, void (Object::*Member)(Args...)>
struct EventHandler<Member> {
    template<typename Sender>
    static void call(void* object, Sender*, Args... args) noexcept {
        auto* self = static_cast<Object*>(object);
        try {
            (self->*Member)(args...);
        } catch (...) {
            self->eventFailed(std::current_exception());
        }
    }
};

/// An event that is of no interest.
template<typename... Args>
void ignoreEvent(void*, Args...) noexcept {}

} // namespace vgpuview

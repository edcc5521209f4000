// SPDX-License-Identifier: MIT
// What the desktop is told about the window: its content, its icon, that the screen shall stay lit.
#include "wayland/desktop_hints.h"

namespace vgpuview {

DesktopHints::DesktopHints(const Globals& globals, ScreenTearing tearing, Surface& main, Surface& video)
    : globals_(globals) {
    const auto describe = [&](Surface& surface, Proxy<wp_content_type_v1>& content,
                              Proxy<wp_tearing_control_v1>& control) {
        if (globals_.contentType) {
            content.reset(
                wp_content_type_manager_v1_get_surface_content_type(globals_.contentType.get(), surface.get()));
            // Of the kinds there are, the one that asks for low latency.
            wp_content_type_v1_set_content_type(content.get(), WP_CONTENT_TYPE_V1_TYPE_GAME);
        }
        if (globals_.tearing && tearing == ScreenTearing::allowed) {
            control.reset(wp_tearing_control_manager_v1_get_tearing_control(globals_.tearing.get(), surface.get()));
            wp_tearing_control_v1_set_presentation_hint(control.get(), WP_TEARING_CONTROL_V1_PRESENTATION_HINT_ASYNC);
        }
    };
    describe(main, mainContent_, mainTearing_);
    describe(video, videoContent_, videoTearing_);
}

void DesktopHints::nameIcon([[maybe_unused]] xdg_toplevel* toplevel, [[maybe_unused]] const char* name) {
#if VGPUVIEW_TOPLEVEL_ICON
    if (!globals_.icons || !toplevel)
        return;
    const Proxy<xdg_toplevel_icon_v1> icon(xdg_toplevel_icon_manager_v1_create_icon(globals_.icons.get()));
    xdg_toplevel_icon_v1_set_name(icon.get(), name);
    xdg_toplevel_icon_manager_v1_set_icon(globals_.icons.get(), toplevel, icon.get());
#endif
}

void DesktopHints::showing(const Surface& topmost, bool fullScreen) {
    const Surface* wanted = fullScreen && globals_.idleInhibit ? &topmost : nullptr;
    if (wanted == inhibitedBy_)
        return;
    inhibitedBy_ = wanted;
    idleInhibitor_.reset();
    if (wanted)
        idleInhibitor_.reset(zwp_idle_inhibit_manager_v1_create_inhibitor(globals_.idleInhibit.get(), wanted->get()));
}

} // namespace vgpuview

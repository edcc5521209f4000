// SPDX-License-Identifier: MIT
// What the desktop is told about the window: its content, its icon, that the screen shall stay lit.
#pragma once

#include "wayland/connection.h"
#include "wayland/surface.h"

namespace vgpuview {

/// Each hint by its own protocol, where the compositor has it. Source: content-type-v1.xml, tearing-control-v1.xml,
/// idle-inhibit-unstable-v1.xml, xdg-toplevel-icon-v1.xml.
class DesktopHints final {
public:
    /// All outlive it. main, video: the surfaces that may show the guest's picture.
    DesktopHints(const Globals& globals, ScreenTearing tearing, Surface& main, Surface& video);
    DesktopHints(const DesktopHints&) = delete;
    DesktopHints& operator=(const DesktopHints&) = delete;

    /// Once the window has its role.
    void nameIcon(xdg_toplevel* toplevel, const char* name);
    /// Before each commit. topmost: what the user sees; a compositor may look at no surface below it.
    void showing(const Surface& topmost, bool fullScreen);

private:
    const Globals& globals_;
    Proxy<wp_content_type_v1> mainContent_;
    Proxy<wp_content_type_v1> videoContent_;
    Proxy<wp_tearing_control_v1> mainTearing_;
    Proxy<wp_tearing_control_v1> videoTearing_;
    Proxy<zwp_idle_inhibitor_v1> idleInhibitor_;
    const Surface* inhibitedBy_ = nullptr;
};

} // namespace vgpuview

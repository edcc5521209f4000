// SPDX-License-Identifier: MIT
// The window's role: what desktop and user say about its size and state.
#include "wayland/shell.h"

#include "frame/plane_check.h"
#if VGPUVIEW_LIBDECOR
#include "wayland/libdecor_shell.h"
#endif

#include <algorithm>
#include <cstring>

namespace vgpuview {

namespace {

// xdg_toplevel.state.suspended, since version 6; older protocol files do not name it.
constexpr std::uint32_t stateSuspended = 9;

bool bindsSize(std::uint32_t state) noexcept {
    switch (state) {
    case XDG_TOPLEVEL_STATE_MAXIMIZED:
    case XDG_TOPLEVEL_STATE_FULLSCREEN:
    case XDG_TOPLEVEL_STATE_RESIZING:
    case XDG_TOPLEVEL_STATE_TILED_LEFT:
    case XDG_TOPLEVEL_STATE_TILED_RIGHT:
    case XDG_TOPLEVEL_STATE_TILED_TOP:
    case XDG_TOPLEVEL_STATE_TILED_BOTTOM:
        return true;
    default:
        return false;
    }
}

std::uint32_t sane(std::int32_t length) noexcept {
    return static_cast<std::uint32_t>(std::clamp<std::int32_t>(length, 0, maxPlaneExtent));
}

} // namespace

Decorations decorationsOn(const Globals& globals) noexcept {
    if (globals.decoration)
        return Decorations::compositor;
    return VGPUVIEW_LIBDECOR ? Decorations::libdecor : Decorations::none;
}

std::unique_ptr<Shell> makeShell(EventLoop& loop, [[maybe_unused]] wl_display* display, const Globals& globals,
                                 wl_surface* surface, const WindowOptions& options, ShellObserver& observer) {
#if VGPUVIEW_LIBDECOR
    if (decorationsOn(globals) == Decorations::libdecor)
        return std::make_unique<LibdecorShell>(loop, display, surface, options, observer);
#endif
    return std::make_unique<XdgShell>(loop, globals, surface, options, observer);
}

XdgShell::XdgShell(EventLoop& loop, const Globals& globals, wl_surface* surface, const WindowOptions& options,
                   ShellObserver& observer)
    : loop_(loop)
    , observer_(observer)
    , surface_(xdg_wm_base_get_xdg_surface(globals.shell.get(), surface))
    , toplevel_(xdg_surface_get_toplevel(surface_.get())) {
    static constexpr xdg_surface_listener surfaceListener{.configure = EventHandler<&XdgShell::configure>::call};
    xdg_surface_add_listener(surface_.get(), &surfaceListener, this);
    static constexpr xdg_toplevel_listener toplevelListener{
        .configure = EventHandler<&XdgShell::toplevelConfigure>::call,
        .close = EventHandler<&XdgShell::close>::call,
        .configure_bounds = ignoreEvent,
        .wm_capabilities = ignoreEvent,
    };
    xdg_toplevel_add_listener(toplevel_.get(), &toplevelListener, this);
    xdg_toplevel_set_app_id(toplevel_.get(), options.appId.c_str());
    if (globals.decoration) {
        decoration_.reset(
            zxdg_decoration_manager_v1_get_toplevel_decoration(globals.decoration.get(), toplevel_.get()));
        zxdg_toplevel_decoration_v1_set_mode(decoration_.get(), ZXDG_TOPLEVEL_DECORATION_V1_MODE_SERVER_SIDE);
    }
    if (options.start == StartMode::fullScreen)
        setFullScreen(true);
    wl_surface_commit(surface);
}

void XdgShell::setTitle(const std::string& title) {
    xdg_toplevel_set_title(toplevel_.get(), title.c_str());
}

void XdgShell::setFullScreen(bool wanted) {
    if (wanted)
        xdg_toplevel_set_fullscreen(toplevel_.get(), nullptr);
    else
        xdg_toplevel_unset_fullscreen(toplevel_.get());
}

bool XdgShell::accept(Size size) {
    const bool news = serial_ || geometry_ != size;
    if (serial_)
        xdg_surface_ack_configure(surface_.get(), *serial_);
    serial_.reset();
    if (geometry_ != size) {
        // Else subsurfaces that reach over the edge would count.
        geometry_ = size;
        xdg_surface_set_window_geometry(surface_.get(), 0, 0, static_cast<std::int32_t>(size.width),
                                        static_cast<std::int32_t>(size.height));
    }
    return news;
}

void XdgShell::toplevelConfigure(std::int32_t width, std::int32_t height, wl_array* states) {
    pending_ = {.configured = true, .size = {sane(width), sane(height)}};
    for (std::size_t offset = 0; offset + sizeof(std::uint32_t) <= states->size; offset += sizeof(std::uint32_t)) {
        std::uint32_t state = 0;
        std::memcpy(&state, static_cast<const std::byte*>(states->data) + offset, sizeof state);
        pending_.sizeBinding = pending_.sizeBinding || bindsSize(state);
        pending_.fullScreen = pending_.fullScreen || state == XDG_TOPLEVEL_STATE_FULLSCREEN;
        pending_.suspended = pending_.suspended || state == stateSuspended;
    }
}

void XdgShell::configure(std::uint32_t serial) {
    pending_.configured = true;
    state_ = pending_;
    serial_ = serial;
    observer_.shellConfigured();
}

void XdgShell::close() {
    observer_.shellClosed();
}

} // namespace vgpuview

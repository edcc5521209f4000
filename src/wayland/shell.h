// SPDX-License-Identifier: MIT
// The window's role: what desktop and user say about its size and state.
#pragma once

#include "base/geometry.h"
#include "loop/event_loop.h"
#include "wayland/connection.h"

#include <memory>
#include <optional>
#include <string>

namespace vgpuview {

struct ShellState {
    bool configured = false;  ///< nothing may be shown before
    Size size;                ///< logical; empty: the window's own choice
    bool sizeBinding = false; ///< full screen, maximized or the like: the size is not the window's to choose
    bool fullScreen = false;
    bool suspended = false;
};

class ShellObserver {
public:
    virtual ~ShellObserver() = default;
    /// state() is new. To be answered by accept() and a commit.
    virtual void shellConfigured() = 0;
    virtual void shellClosed() = 0;
};

/// Gives a surface the role of a toplevel window.
class Shell {
public:
    virtual ~Shell() = default;
    [[nodiscard]] virtual const ShellState& state() const noexcept = 0;
    virtual void setTitle(const std::string& title) = 0;
    virtual void setFullScreen(bool wanted) = 0;
    /// Before each commit of the window's surface: agrees to the newest state at that size. Returns whether there is
    /// anything new to commit.
    virtual bool accept(Size size) = 0;
    /// After each batch of events, before what they changed is looked at.
    virtual void afterEvents() {}
    /// For protocols that speak of it; null while there is none.
    [[nodiscard]] virtual xdg_toplevel* toplevel() const noexcept = 0;
};

/// Whose decorations the window wears on this compositor.
enum class Decorations { compositor, libdecor, none };
[[nodiscard]] Decorations decorationsOn(const Globals& globals) noexcept;

/// The surface's role with those decorations, committed for the first time. globals, surface and observer outlive it.
[[nodiscard]] std::unique_ptr<Shell> makeShell(EventLoop& loop, wl_display* display, const Globals& globals,
                                               wl_surface* surface, const WindowOptions& options,
                                               ShellObserver& observer);

/// By xdg-shell, with decorations drawn by the compositor where it offers them.
class XdgShell final : public Shell {
public:
    /// Commits the surface for the first time. globals, surface and observer outlive it.
    XdgShell(EventLoop& loop, const Globals& globals, wl_surface* surface, const WindowOptions& options,
             ShellObserver& observer);
    XdgShell(const XdgShell&) = delete;
    XdgShell& operator=(const XdgShell&) = delete;

    [[nodiscard]] const ShellState& state() const noexcept override { return state_; }
    void setTitle(const std::string& title) override;
    void setFullScreen(bool wanted) override;
    bool accept(Size size) override;
    [[nodiscard]] xdg_toplevel* toplevel() const noexcept override { return toplevel_.get(); }

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    void configure(std::uint32_t serial);
    void toplevelConfigure(std::int32_t width, std::int32_t height, wl_array* states);
    void close();

    EventLoop& loop_;
    ShellObserver& observer_;
    Proxy<xdg_surface> surface_;
    Proxy<xdg_toplevel> toplevel_;
    Proxy<zxdg_toplevel_decoration_v1> decoration_;
    ShellState pending_;
    ShellState state_;
    std::optional<std::uint32_t> serial_; ///< of the newest configure, not yet answered
    Size geometry_;
};

} // namespace vgpuview

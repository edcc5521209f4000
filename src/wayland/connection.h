// SPDX-License-Identifier: MIT
// The connection to the compositor: reads and writes on the event loop, binds the globals.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "loop/event_loop.h"
#include "wayland/proxy.h"
#include "wayland/window_sink.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vgpuview {

/// What the window is built from. The first block is always there; the second may be null.
struct Globals {
    Proxy<wl_compositor> compositor;
    Proxy<wl_subcompositor> subcompositor;
    Proxy<wl_shm> shm;
    Proxy<xdg_wm_base> shell;
    Proxy<wp_viewporter> viewporter;

    Proxy<zwp_linux_dmabuf_v1> dmabuf;
    Proxy<wp_presentation> presentation;
    Proxy<wp_fractional_scale_manager_v1> fractionalScale;
    Proxy<wp_single_pixel_buffer_manager_v1> singlePixel;
    Proxy<zxdg_decoration_manager_v1> decoration;
    Proxy<zwp_relative_pointer_manager_v1> relativePointer;
    Proxy<zwp_pointer_constraints_v1> pointerConstraints;
    Proxy<zwp_keyboard_shortcuts_inhibit_manager_v1> shortcutsInhibit;
    Proxy<wp_content_type_manager_v1> contentType;
    Proxy<wp_tearing_control_manager_v1> tearing;
    Proxy<zwp_idle_inhibit_manager_v1> idleInhibit;
#if VGPUVIEW_TOPLEVEL_ICON
    Proxy<xdg_toplevel_icon_manager_v1> icons;
#endif
    Proxy<wl_seat> seat; ///< the first one
};

/// Hears of wl_output globals, the only ones that come and go while the window lives.
class OutputObserver {
public:
    virtual ~OutputObserver() = default;
    virtual void outputAdded(Proxy<wl_output> output, std::uint32_t name) = 0;
    virtual void outputRemoved(std::uint32_t name) = 0;
};

/// Owns the wl_display. Nothing in it blocks but the constructor and roundtrip().
class Connection final {
public:
    /// Connects and binds. Throws Error; see WindowSink.
    Connection(EventLoop& loop, WaylandDisplay display);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] wl_display* display() const noexcept { return display_.get(); }
    [[nodiscard]] const Globals& globals() const noexcept { return globals_; }

    /// Tells of the outputs there are, and from then on of each that comes or goes. The observer dies before this.
    void observeOutputs(OutputObserver& observer);

    /// Waits until the compositor has answered all that was asked; at most 5 seconds. Throws Error.
    void roundtrip();
    /// From here on the loop reads and writes; afterEvents is called after each batch of events.
    void start(std::function<void()> afterEvents);
    /// Writes what is queued, as far as the socket takes it.
    void flush() noexcept;

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    enum class Writing { idle, blocked };
    struct AdvertisedOutput {
        std::uint32_t name;
        std::uint32_t version;
    };

    void globalAdded(std::uint32_t name, const char* interface, std::uint32_t version);
    void globalRemoved(std::uint32_t name);
    void bindOutput(std::uint32_t name, std::uint32_t version);
    void pinged(std::uint32_t serial);
    void answered(std::uint32_t);
    template<typename Interface>
    void bind(Proxy<Interface>& into, const wl_interface& interface, std::uint32_t name, std::uint32_t version);
    void requireGlobals() const;
    void watch(Writing writing);
    void readable();
    [[nodiscard]] Error lost() const;

    EventLoop& loop_;
    OutputObserver* outputs_ = nullptr;
    std::vector<AdvertisedOutput> advertisedOutputs_; ///< until there is an observer
    Proxy<wl_display> display_;
    Proxy<wl_registry> registry_;
    Globals globals_;
    bool answered_ = false;
    std::function<void()> afterEvents_;
    Writing writing_ = Writing::idle;
    Watch socketWatch_;
    Watch flushWatch_;
};

} // namespace vgpuview

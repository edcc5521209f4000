// SPDX-License-Identifier: MIT
// The connection to the compositor: reads and writes on the event loop, binds the globals.
#include "wayland/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace vgpuview {

namespace {

constexpr Nanoseconds longestAnswer = std::chrono::seconds(5);

// The newest versions that this program was written for. Higher ones may send events that it has no handler for.
constexpr std::uint32_t newestCompositor = 4;
constexpr std::uint32_t newestOutput = 3;
#ifdef WL_POINTER_AXIS_VALUE120_SINCE_VERSION
constexpr std::uint32_t newestSeat = WL_POINTER_AXIS_VALUE120_SINCE_VERSION;
#else
constexpr std::uint32_t newestSeat = 7;
#endif
constexpr std::uint32_t newestShell = 6;
constexpr std::uint32_t newestDmabuf = 5;
constexpr std::uint32_t oldestDmabuf = 3;

wl_display* connectTo(WaylandDisplay& display) {
    if (auto* socket = std::get_if<UniqueFd>(&display))
        return wl_display_connect_to_fd(socket->release());
    if (const auto* name = std::get_if<std::string>(&display))
        return wl_display_connect(name->c_str());
    return wl_display_connect(nullptr);
}

std::string nameOf(const WaylandDisplay& display) {
    if (std::holds_alternative<UniqueFd>(display))
        return "the given Wayland socket";
    if (const auto* name = std::get_if<std::string>(&display))
        return fmt::format("Wayland display {}", *name);
    const char* environment = std::getenv("WAYLAND_DISPLAY");
    return fmt::format("Wayland display {}", environment ? environment : "wayland-0");
}

} // namespace

Connection::Connection(EventLoop& loop, WaylandDisplay display)
    : loop_(loop) {
    // What goes wrong is told once, by an Error.
    wl_log_set_handler_client([](const char*, va_list) {});
    const std::string name = nameOf(display);
    display_.reset(connectTo(display));
    if (!display_)
        throw Error(errno, {.operation = "connect to",
                            .object = name,
                            .hint = "run it inside a Wayland session, or set WAYLAND_DISPLAY and XDG_RUNTIME_DIR "
                                    "to those of one",
                            .exit = ExitCode::notFound});
    registry_.reset(wl_display_get_registry(display_.get()));
    static constexpr wl_registry_listener listener{
        .global = EventHandler<&Connection::globalAdded>::call,
        .global_remove = EventHandler<&Connection::globalRemoved>::call,
    };
    wl_registry_add_listener(registry_.get(), &listener, this);
    roundtrip();
    requireGlobals();
    static constexpr xdg_wm_base_listener shellListener{.ping = EventHandler<&Connection::pinged>::call};
    xdg_wm_base_add_listener(globals_.shell.get(), &shellListener, this);
}

template<typename Interface>
void Connection::bind(Proxy<Interface>& into, const wl_interface& interface, std::uint32_t name,
                      std::uint32_t version) {
    if (into)
        return;
    const std::uint32_t known = std::min(version, static_cast<std::uint32_t>(interface.version));
    into.reset(static_cast<Interface*>(wl_registry_bind(registry_.get(), name, &interface, known)));
}

void Connection::globalAdded(std::uint32_t name, const char* interface, std::uint32_t version) {
    const std::string_view which = interface;
    const auto atMost = [&](std::uint32_t newest) { return std::min(version, newest); };
    if (which == wl_compositor_interface.name && version >= WL_SURFACE_DAMAGE_BUFFER_SINCE_VERSION)
        bind(globals_.compositor, wl_compositor_interface, name, atMost(newestCompositor));
    else if (which == wl_subcompositor_interface.name)
        bind(globals_.subcompositor, wl_subcompositor_interface, name, 1);
    else if (which == wl_shm_interface.name)
        bind(globals_.shm, wl_shm_interface, name, 1);
    else if (which == xdg_wm_base_interface.name)
        bind(globals_.shell, xdg_wm_base_interface, name, atMost(newestShell));
    else if (which == wp_viewporter_interface.name)
        bind(globals_.viewporter, wp_viewporter_interface, name, 1);
    else if (which == zwp_linux_dmabuf_v1_interface.name && version >= oldestDmabuf)
        bind(globals_.dmabuf, zwp_linux_dmabuf_v1_interface, name, atMost(newestDmabuf));
    else if (which == wp_presentation_interface.name)
        bind(globals_.presentation, wp_presentation_interface, name, 1);
    else if (which == wp_fractional_scale_manager_v1_interface.name)
        bind(globals_.fractionalScale, wp_fractional_scale_manager_v1_interface, name, 1);
    else if (which == wp_single_pixel_buffer_manager_v1_interface.name)
        bind(globals_.singlePixel, wp_single_pixel_buffer_manager_v1_interface, name, 1);
    else if (which == zxdg_decoration_manager_v1_interface.name)
        bind(globals_.decoration, zxdg_decoration_manager_v1_interface, name, 1);
    else if (which == zwp_relative_pointer_manager_v1_interface.name)
        bind(globals_.relativePointer, zwp_relative_pointer_manager_v1_interface, name, 1);
    else if (which == zwp_pointer_constraints_v1_interface.name)
        bind(globals_.pointerConstraints, zwp_pointer_constraints_v1_interface, name, 1);
    else if (which == zwp_keyboard_shortcuts_inhibit_manager_v1_interface.name)
        bind(globals_.shortcutsInhibit, zwp_keyboard_shortcuts_inhibit_manager_v1_interface, name, 1);
    else if (which == wp_content_type_manager_v1_interface.name)
        bind(globals_.contentType, wp_content_type_manager_v1_interface, name, 1);
    else if (which == wp_tearing_control_manager_v1_interface.name)
        bind(globals_.tearing, wp_tearing_control_manager_v1_interface, name, 1);
    else if (which == zwp_idle_inhibit_manager_v1_interface.name)
        bind(globals_.idleInhibit, zwp_idle_inhibit_manager_v1_interface, name, 1);
#if VGPUVIEW_TOPLEVEL_ICON
    else if (which == xdg_toplevel_icon_manager_v1_interface.name)
        bind(globals_.icons, xdg_toplevel_icon_manager_v1_interface, name, 1);
#endif
    else if (which == wl_seat_interface.name)
        bind(globals_.seat, wl_seat_interface, name, atMost(newestSeat));
    else if (which == wl_output_interface.name && version >= WL_OUTPUT_SCALE_SINCE_VERSION) {
        if (outputs_)
            bindOutput(name, version);
        else
            advertisedOutputs_.push_back({name, version});
    }
}

void Connection::globalRemoved(std::uint32_t name) {
    std::erase_if(advertisedOutputs_, [&](const AdvertisedOutput& output) { return output.name == name; });
    if (outputs_)
        outputs_->outputRemoved(name);
}

void Connection::bindOutput(std::uint32_t name, std::uint32_t version) {
    Proxy<wl_output> output;
    bind(output, wl_output_interface, name, std::min(version, newestOutput));
    outputs_->outputAdded(std::move(output), name);
}

void Connection::observeOutputs(OutputObserver& observer) {
    outputs_ = &observer;
    for (const AdvertisedOutput& output : std::exchange(advertisedOutputs_, {}))
        bindOutput(output.name, output.version);
}

void Connection::pinged(std::uint32_t serial) {
    xdg_wm_base_pong(globals_.shell.get(), serial);
}

void Connection::answered(std::uint32_t) {
    answered_ = true;
}

void Connection::requireGlobals() const {
    const auto require = [](const auto& proxy, const char* protocol) {
        if (!proxy)
            throw Error(EOPNOTSUPP, {.operation = "open a window on",
                                     .object = "this compositor",
                                     .cause = fmt::format("it lacks {}", protocol),
                                     .hint = "a newer compositor, or `vgpu-view stream` or `vgpu-view monitor`",
                                     .exit = ExitCode::notSupported});
    };
    require(globals_.compositor, "wl_compositor version 4");
    require(globals_.subcompositor, "wl_subcompositor");
    require(globals_.shm, "wl_shm");
    require(globals_.shell, "xdg_wm_base");
    require(globals_.viewporter, "wp_viewporter");
}

void Connection::roundtrip() {
    static constexpr wl_callback_listener listener{.done = EventHandler<&Connection::answered>::call};
    answered_ = false;
    const Proxy<wl_callback> callback(wl_display_sync(display_.get()));
    wl_callback_add_listener(callback.get(), &listener, this);
    const TimePoint deadline = loop_.now() + longestAnswer;
    while (!answered_) {
        if (wl_display_prepare_read(display_.get()) != 0) {
            if (wl_display_dispatch_pending(display_.get()) < 0)
                throw lost();
            continue;
        }
        const bool blocked = wl_display_flush(display_.get()) < 0 && errno == EAGAIN;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - loop_.now()).count();
        pollfd poll{.fd = wl_display_get_fd(display_.get()),
                    .events = static_cast<short>(blocked ? POLLIN | POLLOUT : POLLIN),
                    .revents = 0};
        const int ready = left > 0 ? ::poll(&poll, 1, static_cast<int>(left)) : 0;
        if (ready > 0 && (poll.revents & ~POLLOUT) != 0)
            wl_display_read_events(display_.get());
        else
            wl_display_cancel_read(display_.get());
        if (ready == 0)
            throw Error(ETIMEDOUT, {.operation = "talk to",
                                    .object = "the compositor",
                                    .cause = "it does not answer",
                                    .exit = ExitCode::failed});
        if (wl_display_dispatch_pending(display_.get()) < 0)
            throw lost();
    }
}

void Connection::start(std::function<void()> afterEvents) {
    afterEvents_ = std::move(afterEvents);
    watch(Writing::idle);
    flushWatch_ = loop_.beforeSleep([this] { flush(); });
}

void Connection::watch(Writing writing) {
    writing_ = writing;
    const std::uint32_t events = writing == Writing::blocked ? EPOLLIN | EPOLLOUT : EPOLLIN;
    socketWatch_ = {};
    socketWatch_ = loop_.watchFd(wl_display_get_fd(display_.get()), events, [this](std::uint32_t happened) {
        if ((happened & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0)
            readable();
    });
}

void Connection::readable() {
    wl_display* display = display_.get();
    bool alive = true;
    while (alive && wl_display_prepare_read(display) != 0)
        alive = wl_display_dispatch_pending(display) >= 0;
    alive = alive && wl_display_read_events(display) >= 0 && wl_display_dispatch_pending(display) >= 0;
    if (!alive) {
        socketWatch_ = {};
        flushWatch_ = {};
        throw lost();
    }
    afterEvents_();
}

void Connection::flush() noexcept {
    // Any failure but a full socket shows when reading, together with what the compositor had to say.
    const bool blocked = wl_display_flush(display_.get()) < 0 && errno == EAGAIN;
    if (socketWatch_ && blocked != (writing_ == Writing::blocked)) {
        try {
            watch(blocked ? Writing::blocked : Writing::idle);
        } catch (...) {
            loop_.fail(std::current_exception());
        }
    }
}

Error Connection::lost() const {
    const int number = wl_display_get_error(display_.get());
    if (number == EPROTO) {
        const wl_interface* interface = nullptr;
        std::uint32_t object = 0;
        const std::uint32_t code = wl_display_get_protocol_error(display_.get(), &interface, &object);
        return Error(EPROTO, {.operation = "talk to",
                              .object = "the compositor",
                              .cause = fmt::format("it reports error {} on {}@{}", code,
                                                   interface ? interface->name : "an object", object),
                              .exit = ExitCode::failed});
    }
    return Error(number == 0 ? EPIPE : number, {.operation = "talk to",
                                                .object = "the compositor",
                                                .cause = "it closed the connection",
                                                .exit = ExitCode::failed});
}

} // namespace vgpuview

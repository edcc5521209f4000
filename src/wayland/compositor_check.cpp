// SPDX-License-Identifier: MIT
// What the compositor of this session lacks for a guest's screen to be shown well.
#include "wayland/compositor_check.h"

#include <fmt/format.h>
#include <poll.h>
#include <wayland-client.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace vgpuview {

namespace {

struct DisplayDeleter {
    void operator()(wl_display* display) const noexcept { wl_display_disconnect(display); }
};
struct RegistryDeleter {
    void operator()(wl_registry* registry) const noexcept { wl_registry_destroy(registry); }
};
struct CallbackDeleter {
    void operator()(wl_callback* callback) const noexcept { wl_callback_destroy(callback); }
};

using Globals = std::map<std::string, std::uint32_t>;

struct Wanted {
    const char* interface;
    std::uint32_t version; ///< the least that is of use
    Severity missing;
    std::string_view without; ///< what becomes of the window without it
};

constexpr std::array wanted{
    Wanted{"wl_compositor", 4, Severity::problem, "no window can be made"},
    Wanted{"wl_subcompositor", 1, Severity::problem, "no window can be made"},
    Wanted{"xdg_wm_base", 1, Severity::problem, "no window can be made"},
    Wanted{"wp_viewporter", 1, Severity::problem, "the picture can't be scaled"},
    Wanted{"wl_shm", 1, Severity::warning, "region-type vGPUs can't be shown"},
    Wanted{"zwp_linux_dmabuf_v1", 3, Severity::warning, "every picture is copied through shared memory"},
    Wanted{"wp_presentation", 1, Severity::note, "latency and zero-copy presentation are not measured"},
    Wanted{"wp_fractional_scale_manager_v1", 1, Severity::note, "fractional scales are rounded by the compositor"},
    Wanted{"wp_single_pixel_buffer_manager_v1", 1, Severity::note, "black bars cost a small shared-memory buffer"},
    Wanted{"zxdg_decoration_manager_v1", 1, Severity::note, "the window has no title bar"},
};

// An examination is no reason to hang on a compositor that does.
constexpr int answerMilliseconds = 3000;

/// Whether the compositor answered in time.
bool waitForAnswer(wl_display* display) {
    bool answered = false;
    static constexpr wl_callback_listener listener{
        .done = [](void* data, wl_callback*, std::uint32_t) { *static_cast<bool*>(data) = true; }};
    const std::unique_ptr<wl_callback, CallbackDeleter> callback(wl_display_sync(display));
    wl_callback_add_listener(callback.get(), &listener, &answered);
    while (!answered) {
        while (wl_display_prepare_read(display) != 0)
            if (wl_display_dispatch_pending(display) < 0)
                return false;
        wl_display_flush(display);
        pollfd wait{.fd = wl_display_get_fd(display), .events = POLLIN, .revents = 0};
        if (::poll(&wait, 1, answerMilliseconds) <= 0) {
            wl_display_cancel_read(display);
            return false;
        }
        if (wl_display_read_events(display) < 0 || wl_display_dispatch_pending(display) < 0)
            return false;
    }
    return true;
}

Finding findingOn(const Wanted& protocol, const Globals& globals) {
    const auto found = globals.find(protocol.interface);
    if (found == globals.end())
        return {.severity = protocol.missing,
                .text = fmt::format("the compositor lacks {}: {}", protocol.interface, protocol.without),
                .cure = protocol.missing == Severity::note ? "" : "use a compositor that offers it"};
    if (found->second < protocol.version)
        return {.severity = protocol.missing,
                .text = fmt::format("the compositor's {} is of version {}, {} is needed: {}", protocol.interface,
                                    found->second, protocol.version, protocol.without),
                .cure = "use a newer compositor"};
    return {.severity = Severity::ok,
            .text = fmt::format("the compositor offers {} version {}", protocol.interface, found->second),
            .cure = {}};
}

} // namespace

std::vector<Finding> examineCompositor() {
    const char* name = std::getenv("WAYLAND_DISPLAY");
    // What goes wrong is told by a finding.
    wl_log_set_handler_client([](const char*, va_list) {});
    const std::unique_ptr<wl_display, DisplayDeleter> display(wl_display_connect(nullptr));
    if (!display) {
        const std::string text = name ? fmt::format("no Wayland compositor answers at WAYLAND_DISPLAY={}", name)
                                      : std::string("no Wayland compositor in this session");
        return {{.severity = Severity::warning,
                 .text = text + ": no window can be opened (shot, stream and monitor need none)",
                 .cure = "run it in a Wayland session, or start one: weston"}};
    }
    Globals globals;
    static constexpr wl_registry_listener listener{
        .global = [](void* data, wl_registry*, std::uint32_t, const char* interface,
                     std::uint32_t version) { (*static_cast<Globals*>(data))[interface] = version; },
        .global_remove = [](void*, wl_registry*, std::uint32_t) {}};
    const std::unique_ptr<wl_registry, RegistryDeleter> registry(wl_display_get_registry(display.get()));
    wl_registry_add_listener(registry.get(), &listener, &globals);
    if (!waitForAnswer(display.get()))
        return {{.severity = Severity::problem,
                 .text = "the Wayland compositor does not answer",
                 .cure = "restart it, or unset WAYLAND_DISPLAY"}};
    std::vector<Finding> findings;
    findings.reserve(wanted.size());
    for (const Wanted& protocol : wanted)
        findings.push_back(findingOn(protocol, globals));
    return findings;
}

} // namespace vgpuview

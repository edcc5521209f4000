// SPDX-License-Identifier: MIT
// A Wayland compositor inside the test: strict, records every request, and misbehaves on demand.
#include "component/wayland/test_compositor.h"

#include "content-type-v1-server-protocol.h"
#include "fractional-scale-v1-server-protocol.h"
#include "idle-inhibit-v1-server-protocol.h"
#include "linux-dmabuf-v1-server-protocol.h"
#include "presentation-time-server-protocol.h"
#include "single-pixel-buffer-v1-server-protocol.h"
#include "tearing-control-v1-server-protocol.h"
#include "viewporter-server-protocol.h"
#include "xdg-decoration-v1-server-protocol.h"
#include "xdg-shell-server-protocol.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <wayland-server.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace vgpuview::testing_wayland {

using Server = TestCompositor::Server;

namespace {

struct BufferInfo {
    Server* server = nullptr;
    ino_t inode = 0;
    Size size;
    std::uint32_t format = 0;
};

struct Params {
    Server* server = nullptr;
    wl_resource* resource = nullptr;
    BufferInfo info;
    std::uint64_t modifier = 0;
    bool waiting = false;
};

struct ServerSurface {
    Server* server = nullptr;
    wl_resource* resource = nullptr;
    wl_resource* xdgSurface = nullptr;
    wl_resource* inhibitor = nullptr;
    bool child = false;
    bool acked = false;
    bool attachPending = false;
    wl_resource* pendingBuffer = nullptr;
    wl_resource* buffer = nullptr;
    std::optional<Rect> pendingSource;
    std::optional<Size> pendingDestination;
    std::vector<Rect> pendingDamage;
    std::vector<wl_resource*> pendingCallbacks;
    std::vector<wl_resource*> pendingFeedback;
    std::vector<wl_resource*> callbacks;
    std::vector<wl_resource*> feedback;
    SurfaceState state;
};

ino_t inodeOf(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

void destroyResource(wl_client*, wl_resource* resource) {
    wl_resource_destroy(resource);
}
template<typename... Args>
void ignore(wl_client*, wl_resource*, Args...) {}

template<typename T>
T* dataOf(wl_resource* resource) {
    return static_cast<T*>(wl_resource_get_user_data(resource));
}

wl_resource* makeResource(wl_client* client, const wl_interface& interface, int version, std::uint32_t id,
                          const void* implementation, void* data, wl_resource_destroy_func_t destroy = nullptr) {
    wl_resource* resource = wl_resource_create(client, &interface, version, id);
    wl_resource_set_implementation(resource, implementation, data, destroy);
    return resource;
}

} // namespace

struct TestCompositor::Server {
    explicit Server(CompositorOptions chosen)
        : options(std::move(chosen)) {
        display = wl_display_create();
        wl_display_init_shm(display);
        addGlobals();
        logger = wl_display_add_protocol_logger(
            display,
            [](void* data, wl_protocol_logger_type type, const wl_protocol_logger_message* message) {
                if (type == WL_PROTOCOL_LOGGER_REQUEST)
                    static_cast<Server*>(data)->log(*message);
            },
            this);
        std::array<int, 2> sockets{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0)
            throw std::runtime_error("socketpair");
        clientSocket = UniqueFd(sockets[0]);
        if (options.answers) {
            client = wl_client_create(display, sockets[1]);
            clientGone.notify = [](wl_listener* listener, void*) {
                Server* self = wl_container_of(listener, self, clientGone);
                self->client = nullptr;
                self->takenFrames.clear();
            };
            wl_client_add_destroy_listener(client, &clientGone);
        } else {
            silentSocket = UniqueFd(sockets[1]);
        }
        wake = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        wakeEvents = wl_event_loop_add_fd(
            wl_display_get_event_loop(display), wake.get(), WL_EVENT_READABLE,
            [](int fd, std::uint32_t, void* data) {
                std::uint64_t count = 0;
                if (::read(fd, &count, sizeof count) > 0)
                    static_cast<Server*>(data)->runTasks();
                return 0;
            },
            this);
        if (options.refresh.interval.count() != 0)
            startRefresh();
        thread = std::thread([this] { wl_display_run(display); });
    }
    ~Server() {
        post([this] { wl_display_terminate(display); });
        thread.join();
        wl_display_destroy_clients(display);
        wl_protocol_logger_destroy(logger);
        for (wl_event_source* events : {wakeEvents, refreshEvents})
            if (events)
                wl_event_source_remove(events);
        wl_display_destroy(display);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void post(std::function<void()> task) {
        {
            const std::lock_guard guard(mutex);
            tasks.push_back(std::move(task));
        }
        const std::uint64_t one = 1;
        if (::write(wake.get(), &one, sizeof one) != sizeof one)
            std::abort();
    }
    void runTasks() {
        for (;;) {
            std::function<void()> task;
            {
                const std::lock_guard guard(mutex);
                if (tasks.empty())
                    return;
                task = std::move(tasks.front());
                tasks.pop_front();
            }
            task();
        }
    }

    void log(const wl_protocol_logger_message& message) {
        if (!recording)
            return;
        std::string line = fmt::format("{}.{}(", wl_resource_get_class(message.resource), message.message->name);
        int index = 0;
        for (const char* type = message.message->signature; *type != '\0' && index < message.arguments_count; ++type) {
            if (*type == '?' || (*type >= '0' && *type <= '9'))
                continue;
            const wl_argument& argument = message.arguments[index];
            line += index++ == 0 ? "" : ", ";
            switch (*type) {
            case 'h':
                line += fmt::format("inode {}", inodeOf(argument.h));
                break;
            case 's':
                line += argument.s ? argument.s : "null";
                break;
            case 'f':
                line += fmt::format("{}", wl_fixed_to_double(argument.f));
                break;
            case 'i':
                line += fmt::format("{}", argument.i);
                break;
            case 'o':
                line += argument.o ? "object" : "null";
                break;
            default:
                line += fmt::format("{}", argument.u);
                break;
            }
        }
        requests.push_back(line + ")");
    }

    // Globals ------------------------------------------------------------------------------------------------------

    void addGlobals();
    template<typename Bind>
    void addGlobal(const wl_interface& interface, std::uint32_t version, Bind) {
        wl_global_create(display, &interface, static_cast<int>(version), this,
                         [](wl_client* to, void* data, std::uint32_t bound, std::uint32_t id) {
                             Bind{}(*static_cast<Server*>(data), to, static_cast<int>(bound), id);
                         });
    }

    void sendFormats(wl_resource* dmabuf);
    void sendFeedback(wl_resource* feedback);
    void answer(Params& params, ImportAnswer with);
    wl_resource* makeBuffer(wl_client* to, std::uint32_t id, const BufferInfo& info);
    void sendConfigure(Size size, const std::vector<std::uint32_t>& states);
    void commit(ServerSurface& surface);
    void apply(ServerSurface& surface);
    void sendRepaint();
    void startRefresh();
    void refreshDue();
    void takeFrame(std::chrono::nanoseconds shownAt);
    void sendPresented(wl_resource* feedback, std::chrono::nanoseconds monotonic);
    static void describe(ServerSurface& surface);
    void watchShared(wl_resource* buffer);
    void forgetBuffer(const wl_resource* gone);

    CompositorOptions options;
    wl_display* display = nullptr;
    wl_client* client = nullptr;
    wl_listener clientGone{};
    wl_protocol_logger* logger = nullptr;
    UniqueFd clientSocket;
    UniqueFd silentSocket;
    UniqueFd wake;
    wl_event_source* wakeEvents = nullptr;
    std::thread thread;
    std::mutex mutex;
    std::deque<std::function<void()>> tasks;

    ImportAnswer importAnswer = ImportAnswer::created;
    Releases releases = Releases::whenReplaced;
    FrameCallbacks frameCallbacks = FrameCallbacks::atOnce;
    struct TakenFrame {
        std::chrono::nanoseconds shownAt;
        wl_resource* feedback;
    };
    std::deque<TakenFrame> takenFrames;
    std::chrono::nanoseconds nextTake{0}; ///< on CLOCK_MONOTONIC
    UniqueFd refreshTimer;
    wl_event_source* refreshEvents = nullptr;
    bool zeroCopy = false;
    bool recording = true;
    std::vector<std::string> requests;
    std::vector<ServerSurface*> surfaces;
    std::vector<Params*> waiting;
    wl_resource* xdgSurface = nullptr;
    wl_resource* toplevel = nullptr;
    wl_resource* fractional = nullptr;
    std::optional<TestSeat> seat;
    wl_resource* shell = nullptr;
    std::uint32_t lastPing = 0;
    std::uint32_t lastPong = 0;
    std::uint32_t serial = 0;
    std::string title;
    ServerCounters counters;
};

namespace {

// wl_surface ---------------------------------------------------------------------------------------------------------

const struct wl_surface_interface surfaceImplementation {
    .destroy = destroyResource,
    .attach =
        [](wl_client*, wl_resource* resource, wl_resource* buffer, std::int32_t, std::int32_t) {
            auto* surface = dataOf<ServerSurface>(resource);
            if (surface->xdgSurface && buffer && !surface->acked)
                wl_resource_post_error(surface->xdgSurface, XDG_SURFACE_ERROR_UNCONFIGURED_BUFFER,
                                       "attached too early");
            surface->attachPending = true;
            surface->pendingBuffer = buffer;
            if (buffer)
                surface->server->watchShared(buffer);
        },
    .damage = ignore,
    .frame =
        [](wl_client* client, wl_resource* resource, std::uint32_t id) {
            auto* surface = dataOf<ServerSurface>(resource);
            ++surface->server->counters.frameCallbacks;
            surface->pendingCallbacks.push_back(wl_resource_create(client, &wl_callback_interface, 1, id));
        },
    .set_opaque_region = ignore, .set_input_region = ignore,
    .commit =
        [](wl_client*, wl_resource* resource) {
            auto* surface = dataOf<ServerSurface>(resource);
            surface->server->commit(*surface);
        },
    .set_buffer_transform = ignore, .set_buffer_scale = ignore,
    .damage_buffer =
        [](wl_client*, wl_resource* resource, std::int32_t x, std::int32_t y, std::int32_t width, std::int32_t height) {
            dataOf<ServerSurface>(resource)->pendingDamage.push_back(
                {{x, y}, {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)}});
        },
    .offset = ignore,
};

const struct wl_region_interface regionImplementation { .destroy = destroyResource, .add = ignore, .subtract = ignore };

const struct wl_compositor_interface compositorImplementation {
    .create_surface =
        [](wl_client* client, wl_resource* resource, std::uint32_t id) {
            auto* server = dataOf<Server>(resource);
            auto* surface = new ServerSurface;
            surface->server = server;
            surface->resource = makeResource(client, wl_surface_interface, wl_resource_get_version(resource), id,
                                             &surfaceImplementation, surface, [](wl_resource* gone) {
                                                 auto* self = dataOf<ServerSurface>(gone);
                                                 std::erase(self->server->surfaces, self);
                                                 self->server->seat->surfaceGone(gone);
                                                 // When a client goes, its surfaces may go first.
                                                 if (self->inhibitor)
                                                     wl_resource_set_user_data(self->inhibitor, nullptr);
                                                 delete self;
                                             });
            server->surfaces.push_back(surface);
        },
    .create_region = [](wl_client* client, wl_resource*, std::uint32_t id) {
        makeResource(client, wl_region_interface, 1, id, &regionImplementation, nullptr);
    }
};

const struct wl_subsurface_interface subsurfaceImplementation {
    .destroy = destroyResource,
    .set_position =
        [](wl_client*, wl_resource* resource, std::int32_t x, std::int32_t y) {
            dataOf<ServerSurface>(resource)->state.position = {x, y};
        },
    .place_above = ignore, .place_below = ignore, .set_sync = ignore, .set_desync = ignore,
};

const struct wl_subcompositor_interface subcompositorImplementation {
    .destroy = destroyResource,
    .get_subsurface = [](wl_client* client, wl_resource*, std::uint32_t id, wl_resource* surface, wl_resource*) {
        dataOf<ServerSurface>(surface)->child = true;
        makeResource(client, wl_subsurface_interface, 1, id, &subsurfaceImplementation, dataOf<ServerSurface>(surface));
    }
};

// xdg-shell ----------------------------------------------------------------------------------------------------------

const struct xdg_toplevel_interface toplevelImplementation {
    .destroy = destroyResource, .set_parent = ignore,
    .set_title = [](wl_client*, wl_resource* resource, const char* title) { dataOf<Server>(resource)->title = title; },
    .set_app_id = ignore, .show_window_menu = ignore, .move = ignore, .resize = ignore, .set_max_size = ignore,
    .set_min_size = ignore, .set_maximized = ignore, .unset_maximized = ignore, .set_fullscreen = ignore,
    .unset_fullscreen = ignore, .set_minimized = ignore,
};

const struct xdg_surface_interface xdgSurfaceImplementation {
    .destroy = destroyResource,
    .get_toplevel =
        [](wl_client* client, wl_resource* resource, std::uint32_t id) {
            auto* surface = dataOf<ServerSurface>(resource);
            surface->server->toplevel = makeResource(
                client, xdg_toplevel_interface, wl_resource_get_version(resource), id, &toplevelImplementation,
                surface->server, [](wl_resource* gone) { dataOf<Server>(gone)->toplevel = nullptr; });
        },
    .get_popup = ignore, .set_window_geometry = ignore,
    .ack_configure = [](wl_client*, wl_resource* resource, std::uint32_t) {
        dataOf<ServerSurface>(resource)->acked = true;
    },
};

const struct xdg_wm_base_interface shellImplementation {
    .destroy = destroyResource, .create_positioner = ignore,
    .get_xdg_surface =
        [](wl_client* client, wl_resource* resource, std::uint32_t id, wl_resource* of) {
            auto* surface = dataOf<ServerSurface>(of);
            surface->xdgSurface = makeResource(client, xdg_surface_interface, wl_resource_get_version(resource), id,
                                               &xdgSurfaceImplementation, surface);
            surface->server->xdgSurface = surface->xdgSurface;
            surface->server->shell = resource;
        },
    .pong = [](wl_client*, wl_resource* resource, std::uint32_t serial) {
        dataOf<Server>(resource)->lastPong = serial;
    },
};

const struct zxdg_toplevel_decoration_v1_interface decorationImplementation {
    .destroy = destroyResource, .set_mode = ignore, .unset_mode = ignore
};
const struct zxdg_decoration_manager_v1_interface decorationManagerImplementation {
    .destroy = destroyResource,
    .get_toplevel_decoration = [](wl_client* client, wl_resource*, std::uint32_t id, wl_resource*) {
        makeResource(client, zxdg_toplevel_decoration_v1_interface, 1, id, &decorationImplementation, nullptr);
    }
};

// viewporter, fractional scale, single pixel -------------------------------------------------------------------------

const struct wp_viewport_interface viewportImplementation {
    .destroy = destroyResource,
    .set_source =
        [](wl_client*, wl_resource* resource, wl_fixed_t x, wl_fixed_t y, wl_fixed_t width, wl_fixed_t height) {
            auto* surface = dataOf<ServerSurface>(resource);
            surface->pendingSource.reset();
            if (width >= 0)
                surface->pendingSource = Rect{{wl_fixed_to_int(x), wl_fixed_to_int(y)},
                                              {static_cast<std::uint32_t>(wl_fixed_to_int(width)),
                                               static_cast<std::uint32_t>(wl_fixed_to_int(height))}};
        },
    .set_destination = [](wl_client*, wl_resource* resource, std::int32_t width, std::int32_t height) {
        if (width <= 0 || height <= 0) {
            wl_resource_post_error(resource, WP_VIEWPORT_ERROR_BAD_VALUE, "empty destination");
            return;
        }
        dataOf<ServerSurface>(resource)->pendingDestination =
            Size{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
    },
};
const struct wp_viewporter_interface viewporterImplementation {
    .destroy = destroyResource,
    .get_viewport = [](wl_client* client, wl_resource*, std::uint32_t id, wl_resource* surface) {
        makeResource(client, wp_viewport_interface, 1, id, &viewportImplementation, dataOf<ServerSurface>(surface));
    }
};

const struct wp_fractional_scale_v1_interface fractionalImplementation { .destroy = destroyResource };
const struct wp_fractional_scale_manager_v1_interface fractionalManagerImplementation {
    .destroy = destroyResource,
    .get_fractional_scale = [](wl_client* client, wl_resource* resource, std::uint32_t id, wl_resource*) {
        auto* server = dataOf<Server>(resource);
        server->fractional =
            makeResource(client, wp_fractional_scale_v1_interface, 1, id, &fractionalImplementation, server,
                         [](wl_resource* gone) { dataOf<Server>(gone)->fractional = nullptr; });
        wp_fractional_scale_v1_send_preferred_scale(server->fractional, server->options.fractionalScale);
    }
};

const struct wp_single_pixel_buffer_manager_v1_interface singlePixelImplementation {
    .destroy = destroyResource,
    .create_u32_rgba_buffer = [](wl_client* client, wl_resource* resource, std::uint32_t id, std::uint32_t,
                                 std::uint32_t, std::uint32_t, std::uint32_t) {
        auto* server = dataOf<Server>(resource);
        server->makeBuffer(client, id, {.server = server, .size = {1, 1}});
    }
};

// hints --------------------------------------------------------------------------------------------------------------

const struct wp_content_type_v1_interface contentTypeImplementation {
    .destroy = destroyResource, .set_content_type = [](wl_client*, wl_resource* resource, std::uint32_t type) {
        dataOf<ServerSurface>(resource)->state.contentType = type;
    }
};
const struct wp_content_type_manager_v1_interface contentTypeManagerImplementation {
    .destroy = destroyResource,
    .get_surface_content_type = [](wl_client* client, wl_resource*, std::uint32_t id, wl_resource* surface) {
        makeResource(client, wp_content_type_v1_interface, 1, id, &contentTypeImplementation,
                     dataOf<ServerSurface>(surface));
    }
};
const struct wp_tearing_control_v1_interface tearingImplementation {
    .set_presentation_hint = [](wl_client*, wl_resource* resource,
                                std::uint32_t hint) { dataOf<ServerSurface>(resource)->state.tearingHint = hint; },
    .destroy = destroyResource,
};
const struct wp_tearing_control_manager_v1_interface tearingManagerImplementation {
    .destroy = destroyResource,
    .get_tearing_control = [](wl_client* client, wl_resource*, std::uint32_t id, wl_resource* surface) {
        makeResource(client, wp_tearing_control_v1_interface, 1, id, &tearingImplementation,
                     dataOf<ServerSurface>(surface));
    }
};
const struct zwp_idle_inhibitor_v1_interface inhibitorImplementation { .destroy = destroyResource };
const struct zwp_idle_inhibit_manager_v1_interface inhibitManagerImplementation {
    .destroy = destroyResource,
    .create_inhibitor = [](wl_client* client, wl_resource*, std::uint32_t id, wl_resource* of) {
        auto* surface = dataOf<ServerSurface>(of);
        surface->state.keepsScreenLit = true;
        surface->inhibitor = makeResource(client, zwp_idle_inhibitor_v1_interface, 1, id, &inhibitorImplementation,
                                          surface, [](wl_resource* gone) {
                                              auto* inhibited = dataOf<ServerSurface>(gone);
                                              if (inhibited == nullptr)
                                                  return;
                                              inhibited->state.keepsScreenLit = false;
                                              inhibited->inhibitor = nullptr;
                                          });
    }
};

// presentation-time --------------------------------------------------------------------------------------------------

const struct wp_presentation_interface presentationImplementation {
    .destroy = destroyResource,
    .feedback = [](wl_client* client, wl_resource*, wl_resource* surface, std::uint32_t id) {
        dataOf<ServerSurface>(surface)->pendingFeedback.push_back(
            wl_resource_create(client, &wp_presentation_feedback_interface, 1, id));
    }
};

// linux-dmabuf -------------------------------------------------------------------------------------------------------

const struct wl_buffer_interface bufferImplementation { .destroy = destroyResource };

const struct zwp_linux_buffer_params_v1_interface paramsImplementation {
    .destroy = destroyResource,
    .add =
        [](wl_client*, wl_resource* resource, std::int32_t fd, std::uint32_t plane, std::uint32_t, std::uint32_t,
           std::uint32_t high, std::uint32_t low) {
            const UniqueFd dmabuf(fd);
            auto* params = dataOf<Params>(resource);
            if (plane != 0 || params->info.inode != 0)
                wl_resource_post_error(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_PLANE_IDX, "one plane only");
            params->info.inode = inodeOf(fd);
            params->modifier = std::uint64_t{high} << 32 | low;
        },
    .create =
        [](wl_client*, wl_resource* resource, std::int32_t width, std::int32_t height, std::uint32_t format,
           std::uint32_t) {
            auto* params = dataOf<Params>(resource);
            Server& server = *params->server;
            params->info.size = {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
            params->info.format = format;
            const PixelFormat pair{format, params->modifier};
            if (server.options.dmabufVersion >= 4 &&
                std::find(server.options.dmabufFormats.begin(), server.options.dmabufFormats.end(), pair) ==
                    server.options.dmabufFormats.end()) {
                wl_resource_post_error(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_FORMAT, "not advertised");
                return;
            }
            server.answer(*params, server.importAnswer);
        },
    .create_immed = [](wl_client*, wl_resource* resource, std::uint32_t, std::int32_t, std::int32_t, std::uint32_t,
                       std::uint32_t) {
        wl_resource_post_error(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_WL_BUFFER, "create_immed");
    },
};

const struct zwp_linux_dmabuf_feedback_v1_interface feedbackImplementation { .destroy = destroyResource };

const struct zwp_linux_dmabuf_v1_interface dmabufImplementation {
    .destroy = destroyResource,
    .create_params =
        [](wl_client* client, wl_resource* resource, std::uint32_t id) {
            auto* params = new Params;
            params->server = dataOf<Server>(resource);
            params->info.server = params->server;
            params->resource =
                makeResource(client, zwp_linux_buffer_params_v1_interface, wl_resource_get_version(resource), id,
                             &paramsImplementation, params, [](wl_resource* gone) {
                                 auto* self = dataOf<Params>(gone);
                                 std::erase(self->server->waiting, self);
                                 delete self;
                             });
        },
    .get_default_feedback =
        [](wl_client* client, wl_resource* resource, std::uint32_t id) {
            auto* server = dataOf<Server>(resource);
            server->sendFeedback(makeResource(client, zwp_linux_dmabuf_feedback_v1_interface,
                                              wl_resource_get_version(resource), id, &feedbackImplementation, server));
        },
    .get_surface_feedback = ignore,
};

const struct wl_output_interface outputImplementation { .release = destroyResource };

template<const wl_interface& interface, const auto& implementation>
struct BindPlain {
    void operator()(Server& server, wl_client* client, int version, std::uint32_t id) const {
        makeResource(client, interface, version, id, &implementation, &server);
    }
};

} // namespace

void Server::addGlobals() {
    addGlobal(wl_compositor_interface, 4, BindPlain<wl_compositor_interface, compositorImplementation>{});
    addGlobal(wl_subcompositor_interface, 1, BindPlain<wl_subcompositor_interface, subcompositorImplementation>{});
    addGlobal(xdg_wm_base_interface,
              std::min(options.shellVersion, static_cast<std::uint32_t>(xdg_wm_base_interface.version)),
              BindPlain<xdg_wm_base_interface, shellImplementation>{});
    if (options.decoration)
        addGlobal(zxdg_decoration_manager_v1_interface, 1,
                  BindPlain<zxdg_decoration_manager_v1_interface, decorationManagerImplementation>{});
    addGlobal(wp_content_type_manager_v1_interface, 1,
              BindPlain<wp_content_type_manager_v1_interface, contentTypeManagerImplementation>{});
    addGlobal(wp_tearing_control_manager_v1_interface, 1,
              BindPlain<wp_tearing_control_manager_v1_interface, tearingManagerImplementation>{});
    addGlobal(zwp_idle_inhibit_manager_v1_interface, 1,
              BindPlain<zwp_idle_inhibit_manager_v1_interface, inhibitManagerImplementation>{});
    if (options.viewporter)
        addGlobal(wp_viewporter_interface, 1, BindPlain<wp_viewporter_interface, viewporterImplementation>{});
    if (options.singlePixel)
        addGlobal(wp_single_pixel_buffer_manager_v1_interface, 1,
                  BindPlain<wp_single_pixel_buffer_manager_v1_interface, singlePixelImplementation>{});
    if (options.fractionalScale != 0)
        addGlobal(wp_fractional_scale_manager_v1_interface, 1,
                  BindPlain<wp_fractional_scale_manager_v1_interface, fractionalManagerImplementation>{});
    if (options.presentation)
        addGlobal(wp_presentation_interface, 1, [](Server& server, wl_client* to, int version, std::uint32_t id) {
            wp_presentation_send_clock_id(
                makeResource(to, wp_presentation_interface, version, id, &presentationImplementation, &server),
                static_cast<std::uint32_t>(server.options.presentationClock));
        });
    if (options.dmabufVersion != 0)
        addGlobal(zwp_linux_dmabuf_v1_interface,
                  std::min(options.dmabufVersion, static_cast<std::uint32_t>(zwp_linux_dmabuf_v1_interface.version)),
                  [](Server& server, wl_client* to, int version, std::uint32_t id) {
                      server.sendFormats(
                          makeResource(to, zwp_linux_dmabuf_v1_interface, version, id, &dmabufImplementation, &server));
                  });
    seat.emplace(display, options.seat, [this](std::size_t which) { return surfaces.at(which)->resource; });
    addGlobal(wl_output_interface, 3, [](Server& server, wl_client* to, int version, std::uint32_t id) {
        wl_resource* output = makeResource(to, wl_output_interface, version, id, &outputImplementation, &server);
        const Size millimetres = server.options.outputMillimetres;
        const Size pixels = server.options.outputPixels;
        wl_output_send_geometry(output, 0, 0, static_cast<std::int32_t>(millimetres.width),
                                static_cast<std::int32_t>(millimetres.height), WL_OUTPUT_SUBPIXEL_UNKNOWN, "test",
                                "test", server.options.outputTransform);
        wl_output_send_mode(output, WL_OUTPUT_MODE_CURRENT, static_cast<std::int32_t>(pixels.width),
                            static_cast<std::int32_t>(pixels.height), 75000);
        wl_output_send_scale(output, 1);
        wl_output_send_done(output);
    });
}

void Server::sendFormats(wl_resource* dmabuf) {
    if (wl_resource_get_version(dmabuf) != 3)
        return;
    for (const PixelFormat& format : options.dmabufFormats)
        zwp_linux_dmabuf_v1_send_modifier(dmabuf, format.fourcc, static_cast<std::uint32_t>(format.modifier >> 32),
                                          static_cast<std::uint32_t>(format.modifier));
}

void Server::sendFeedback(wl_resource* feedback) {
    struct Entry {
        std::uint32_t fourcc;
        std::uint32_t unused;
        std::uint64_t modifier;
    };
    std::vector<Entry> entries;
    for (const PixelFormat& format : options.dmabufFormats)
        entries.push_back({format.fourcc, 0, format.modifier});
    const std::size_t bytes = entries.size() * sizeof(Entry);
    const UniqueFd memory(::memfd_create("table", MFD_CLOEXEC));
    if (::write(memory.get(), entries.data(), bytes) != static_cast<ssize_t>(bytes))
        std::abort();
    std::uint32_t size = static_cast<std::uint32_t>(bytes);
    int fd = memory.get();
    if (options.table == FormatTable::noFile)
        fd = wake.get();
    if (options.table == FormatTable::sizeZero)
        size = 0;
    if (options.table == FormatTable::sizeBeyondFile)
        size = 0xfffffff0U;
    zwp_linux_dmabuf_feedback_v1_send_format_table(feedback, fd, size);
    wl_array array;
    wl_array_init(&array);
    dev_t device = 0;
    std::memcpy(wl_array_add(&array, sizeof device), &device, sizeof device);
    zwp_linux_dmabuf_feedback_v1_send_main_device(feedback, &array);
    zwp_linux_dmabuf_feedback_v1_send_tranche_target_device(feedback, &array);
    zwp_linux_dmabuf_feedback_v1_send_tranche_flags(feedback, 0);
    wl_array_release(&array);
    wl_array_init(&array);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto index = static_cast<std::uint16_t>(options.table == FormatTable::wildIndices ? 0xffff - i : i);
        std::memcpy(wl_array_add(&array, sizeof index), &index, sizeof index);
    }
    zwp_linux_dmabuf_feedback_v1_send_tranche_formats(feedback, &array);
    wl_array_release(&array);
    zwp_linux_dmabuf_feedback_v1_send_tranche_done(feedback);
    zwp_linux_dmabuf_feedback_v1_send_done(feedback);
}

void Server::answer(Params& params, ImportAnswer with) {
    std::erase(waiting, &params);
    switch (with) {
    case ImportAnswer::created:
        ++counters.created;
        zwp_linux_buffer_params_v1_send_created(params.resource, makeBuffer(client, 0, params.info));
        break;
    case ImportAnswer::failed:
        zwp_linux_buffer_params_v1_send_failed(params.resource);
        break;
    case ImportAnswer::none:
        waiting.push_back(&params);
        break;
    }
}

wl_resource* Server::makeBuffer(wl_client* to, std::uint32_t id, const BufferInfo& info) {
    ++counters.alive;
    return makeResource(to, wl_buffer_interface, 1, id, &bufferImplementation, new BufferInfo(info),
                        [](wl_resource* gone) {
                            auto* self = dataOf<BufferInfo>(gone);
                            --self->server->counters.alive;
                            self->server->forgetBuffer(gone);
                            delete self;
                        });
}

void Server::forgetBuffer(const wl_resource* gone) {
    for (ServerSurface* surface : surfaces) {
        if (surface->buffer == gone)
            surface->buffer = nullptr;
        if (surface->pendingBuffer == gone)
            surface->pendingBuffer = nullptr;
    }
}

void Server::watchShared(wl_resource* buffer) {
    struct Watch {
        wl_listener listener;
        Server* server;
    };
    const wl_notify_func_t notify = [](wl_listener* listener, void* gone) {
        Watch* watch = wl_container_of(listener, watch, listener);
        watch->server->forgetBuffer(static_cast<wl_resource*>(gone));
        delete watch;
    };
    if (!wl_shm_buffer_get(buffer) || wl_resource_get_destroy_listener(buffer, notify))
        return;
    auto* watch = new Watch{.listener = {}, .server = this};
    watch->listener.notify = notify;
    wl_resource_add_destroy_listener(buffer, &watch->listener);
}

void Server::sendConfigure(Size size, const std::vector<std::uint32_t>& states) {
    if (!toplevel)
        return;
    wl_array array;
    wl_array_init(&array);
    for (const std::uint32_t state : states)
        std::memcpy(wl_array_add(&array, sizeof state), &state, sizeof state);
    xdg_toplevel_send_configure(toplevel, static_cast<std::int32_t>(size.width), static_cast<std::int32_t>(size.height),
                                &array);
    wl_array_release(&array);
    xdg_surface_send_configure(xdgSurface, ++serial);
}

void Server::describe(ServerSurface& surface) {
    SurfaceState& state = surface.state;
    state.mapped = surface.buffer != nullptr;
    state.inode = 0;
    if (!surface.buffer)
        return;
    if (wl_shm_buffer* shm = wl_shm_buffer_get(surface.buffer)) {
        state.buffer = {static_cast<std::uint32_t>(wl_shm_buffer_get_width(shm)),
                        static_cast<std::uint32_t>(wl_shm_buffer_get_height(shm))};
        state.format = wl_shm_buffer_get_format(shm);
    } else {
        const auto* info = dataOf<BufferInfo>(surface.buffer);
        state.inode = info->inode;
        state.buffer = info->size;
        state.format = info->format;
    }
}

void Server::apply(ServerSurface& surface) {
    if (surface.attachPending) {
        wl_resource* old = std::exchange(surface.buffer, surface.pendingBuffer);
        surface.attachPending = false;
        surface.pendingBuffer = nullptr;
        ++surface.state.attaches;
        if (old && old != surface.buffer && releases == Releases::whenReplaced)
            wl_buffer_send_release(old);
        describe(surface);
    }
    surface.state.source = surface.pendingSource;
    surface.state.destination = surface.pendingDestination;
    if (surface.buffer && surface.state.source) {
        const Rect whole{{0, 0}, surface.state.buffer};
        if (intersect(*surface.state.source, whole) != *surface.state.source)
            wl_resource_post_error(surface.resource, WP_VIEWPORT_ERROR_OUT_OF_BUFFER, "source out of buffer");
    }
    if (!surface.pendingDamage.empty())
        surface.state.damage = std::exchange(surface.pendingDamage, {});
    const auto moveAll = [](auto& from, auto& to) {
        to.insert(to.end(), from.begin(), from.end());
        from.clear();
    };
    moveAll(surface.pendingCallbacks, surface.callbacks);
    moveAll(surface.pendingFeedback, surface.feedback);
}

void Server::commit(ServerSurface& surface) {
    ++surface.state.commits;
    if (surface.child)
        return;
    if (!surface.xdgSurface) {
        // A cursor's.
        apply(surface);
        return;
    }
    ++counters.toplevelCommits;
    if (!surface.acked) {
        if (options.configures)
            sendConfigure(options.firstConfigure, {});
        return;
    }
    for (ServerSurface* each : surfaces)
        if (each->child || each == &surface)
            apply(*each);
    if (options.refresh.interval.count() == 0 && frameCallbacks == FrameCallbacks::atOnce)
        sendRepaint();
}

namespace {

std::chrono::nanoseconds timeOn(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void fireAt(int timer, std::chrono::nanoseconds monotonic) {
    constexpr std::int64_t second = 1'000'000'000;
    const itimerspec when{.it_interval = {}, .it_value = {monotonic.count() / second, monotonic.count() % second}};
    ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, nullptr);
}

} // namespace

void Server::startRefresh() {
    refreshTimer = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    refreshEvents = wl_event_loop_add_fd(
        wl_display_get_event_loop(display), refreshTimer.get(), WL_EVENT_READABLE,
        [](int fd, std::uint32_t, void* data) {
            std::uint64_t times = 0;
            if (::read(fd, &times, sizeof times) > 0)
                static_cast<Server*>(data)->refreshDue();
            return 0;
        },
        this);
    nextTake = timeOn(CLOCK_MONOTONIC) + options.refresh.interval;
    fireAt(refreshTimer.get(), nextTake);
}

void Server::refreshDue() {
    const std::chrono::nanoseconds now = timeOn(CLOCK_MONOTONIC);
    while (!takenFrames.empty() && takenFrames.front().shownAt <= now) {
        sendPresented(takenFrames.front().feedback, takenFrames.front().shownAt);
        takenFrames.pop_front();
    }
    if (nextTake <= now) {
        // A test machine may be late by more than a refresh.
        nextTake += (now - nextTake) / options.refresh.interval * options.refresh.interval;
        takeFrame(nextTake + options.refresh.takenBefore);
        nextTake += options.refresh.interval;
    }
    fireAt(refreshTimer.get(), takenFrames.empty() ? nextTake : std::min(nextTake, takenFrames.front().shownAt));
}

void Server::takeFrame(std::chrono::nanoseconds shownAt) {
    for (ServerSurface* surface : surfaces) {
        for (wl_resource* callback : std::exchange(surface->callbacks, {})) {
            wl_callback_send_done(callback, 0);
            wl_resource_destroy(callback);
        }
        std::vector<wl_resource*> feedback = std::exchange(surface->feedback, {});
        while (feedback.size() > 1) {
            wp_presentation_feedback_send_discarded(feedback.front());
            wl_resource_destroy(feedback.front());
            feedback.erase(feedback.begin());
        }
        if (!feedback.empty())
            takenFrames.push_back({shownAt, feedback.front()});
    }
}

void Server::sendPresented(wl_resource* feedback, std::chrono::nanoseconds monotonic) {
    ++counters.presented;
    const std::chrono::nanoseconds time = timeOn(options.presentationClock) - timeOn(CLOCK_MONOTONIC) + monotonic;
    const auto seconds = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
    const auto refresh = options.refresh.told == ScriptedRefresh::Told::constant ? options.refresh.interval.count() : 0;
    wp_presentation_feedback_send_presented(
        feedback, static_cast<std::uint32_t>(seconds >> 32), static_cast<std::uint32_t>(seconds),
        static_cast<std::uint32_t>(time.count() % 1'000'000'000), static_cast<std::uint32_t>(refresh), 0, 0,
        (zeroCopy ? static_cast<std::uint32_t>(WP_PRESENTATION_FEEDBACK_KIND_ZERO_COPY) : 0U) |
            static_cast<std::uint32_t>(WP_PRESENTATION_FEEDBACK_KIND_VSYNC));
    wl_resource_destroy(feedback);
}

void Server::sendRepaint() {
    const std::chrono::nanoseconds now = timeOn(CLOCK_MONOTONIC);
    for (ServerSurface* surface : surfaces) {
        for (wl_resource* callback : std::exchange(surface->callbacks, {})) {
            wl_callback_send_done(callback, 0);
            wl_resource_destroy(callback);
        }
        for (wl_resource* feedback : std::exchange(surface->feedback, {})) {
            sendPresented(feedback, now);
        }
    }
}

TestCompositor::TestCompositor(CompositorOptions options)
    : server_(std::make_unique<Server>(std::move(options))) {}

TestCompositor::~TestCompositor() = default;

void TestCompositor::run(const std::function<void(Server&)>& task) {
    std::mutex mutex;
    std::condition_variable finished;
    bool done = false;
    server_->post([&] {
        task(*server_);
        const std::lock_guard guard(mutex);
        done = true;
        finished.notify_one();
    });
    std::unique_lock lock(mutex);
    finished.wait(lock, [&] { return done; });
}

UniqueFd TestCompositor::takeClientSocket() {
    return std::move(server_->clientSocket);
}

void TestCompositor::answerImports(ImportAnswer answer) {
    run([=](Server& server) { server.importAnswer = answer; });
}

void TestCompositor::settleImports(ImportAnswer answer) {
    run([=](Server& server) {
        for (Params* params : std::exchange(server.waiting, {}))
            server.answer(*params, answer);
    });
}

void TestCompositor::setReleases(Releases releases) {
    run([=](Server& server) { server.releases = releases; });
}

void TestCompositor::setFrameCallbacks(FrameCallbacks callbacks) {
    run([=](Server& server) { server.frameCallbacks = callbacks; });
}

void TestCompositor::repaint() {
    run([](Server& server) { server.sendRepaint(); });
}

void TestCompositor::configure(Size size, std::vector<std::uint32_t> states) {
    run([&](Server& server) { server.sendConfigure(size, states); });
}

void TestCompositor::preferScale(std::uint32_t scale120) {
    run([=](Server& server) { wp_fractional_scale_v1_send_preferred_scale(server.fractional, scale120); });
}

void TestCompositor::close() {
    run([](Server& server) { xdg_toplevel_send_close(server.toplevel); });
}

void TestCompositor::pressKey(std::uint32_t code) {
    run([=](Server& server) {
        server.seat->keyboardEnter();
        server.seat->tap(code);
    });
}

void TestCompositor::ping() {
    run([](Server& server) { xdg_wm_base_send_ping(server.shell, ++server.lastPing); });
}

bool TestCompositor::ponged() {
    bool answered = false;
    run([&](Server& server) { answered = server.lastPong == server.lastPing; });
    return answered;
}

void TestCompositor::withSeat(const std::function<void(TestSeat&)>& task) {
    run([&](Server& server) { task(*server.seat); });
}

std::optional<SurfaceState> TestCompositor::cursorSurface() {
    std::optional<SurfaceState> state;
    run([&](Server& server) {
        for (const ServerSurface* surface : server.surfaces)
            if (surface->resource == server.seat->cursor().surface)
                state = surface->state;
    });
    return state;
}

void TestCompositor::die() {
    run([](Server& server) {
        if (server.client)
            wl_client_destroy(server.client);
    });
}

void TestCompositor::setZeroCopy(bool zeroCopy) {
    run([=](Server& server) { server.zeroCopy = zeroCopy; });
}

void TestCompositor::recordRequests(bool record) {
    run([=](Server& server) { server.recording = record; });
}

std::vector<SurfaceState> TestCompositor::surfaces() {
    std::vector<SurfaceState> states;
    run([&](Server& server) {
        for (const ServerSurface* surface : server.surfaces)
            states.push_back(surface->state);
    });
    return states;
}

std::vector<std::string> TestCompositor::requests() {
    std::vector<std::string> all;
    run([&](Server& server) { all = server.requests; });
    return all;
}

std::vector<std::string> TestCompositor::requests(const std::string& name) {
    std::vector<std::string> some = requests();
    std::erase_if(some, [&](const std::string& request) { return !request.starts_with(name + "("); });
    return some;
}

ServerCounters TestCompositor::counters() {
    ServerCounters counters;
    run([&](Server& server) { counters = server.counters; });
    return counters;
}

std::string TestCompositor::title() {
    std::string title;
    run([&](Server& server) { title = server.title; });
    return title;
}

bool TestCompositor::clientConnected() {
    bool connected = false;
    run([&](Server& server) { connected = server.client != nullptr; });
    return connected;
}

} // namespace vgpuview::testing_wayland

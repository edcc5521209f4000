// SPDX-License-Identifier: MIT
// One connection to the PipeWire daemon, run by the program's event loop.
#include "pipewire/daemon_connection.h"

#include "base/error.h"

#include <spa/node/command.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

namespace vgpuview {

namespace {

constexpr Nanoseconds answerTime = std::chrono::seconds(3);

/// Where libpipewire looks first. Source: pw_context_connect's properties and pipewire.conf(5).
std::string socketOfTheSession() {
    const char* name = std::getenv("PIPEWIRE_REMOTE");
    const std::string socket = name && *name ? name : "pipewire-0";
    const char* folder = std::getenv("PIPEWIRE_RUNTIME_DIR");
    if (!folder)
        folder = std::getenv("XDG_RUNTIME_DIR");
    return socket.starts_with('/') || !folder ? socket : std::string(folder) + "/" + socket;
}

[[noreturn]] void refuse(int errorNumber) {
    const int cause = errorNumber == EHOSTDOWN || errorNumber == ECONNREFUSED ? ENOENT : errorNumber;
    // It goes on to the system's daemon, and tells of that one's absence.
    const std::string socket = socketOfTheSession();
    if (::access(socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES)
        throw Error(EACCES, {.operation = "connect to",
                             .object = "PipeWire at " + socket,
                             .hint = "run it as the user whose session that is"});
    if (cause == ENOENT)
        throw Error(cause, {.operation = "connect to",
                            .object = "PipeWire",
                            .cause = "no daemon is listening",
                            .hint = "start it: systemctl --user start pipewire.socket"});
    throw Error(cause, {.operation = "connect to", .object = "PipeWire"});
}

LoopPtr makeLoop() {
    LoopPtr loop(pw_loop_new(nullptr));
    if (!loop)
        throw Error(errno, {.operation = "create", .object = "a PipeWire loop"});
    return loop;
}

std::string_view valueOf(const spa_dict* properties, const char* key) noexcept {
    const char* value = properties ? spa_dict_lookup(properties, key) : nullptr;
    return value ? value : "";
}

std::optional<std::uint32_t> numberIn(const spa_dict* properties, const char* key) noexcept {
    const std::string_view text = valueOf(properties, key);
    std::uint32_t number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{})
        return {};
    return number;
}

} // namespace

DaemonConnection::DaemonConnection(EventLoop& loop, Events events)
    : eventLoop_(loop)
    , events_(std::move(events))
    , loop_(makeLoop())
    , entered_(loop_.get())
    , context_(pw_context_new(loop_.get(), nullptr, 0)) {
    if (!context_)
        throw Error(errno, {.operation = "create", .object = "a PipeWire context"});
    core_.reset(pw_context_connect(context_.get(), nullptr, 0));
    if (!core_)
        refuse(errno);
    static constexpr pw_core_events coreEvents{
        .version = PW_VERSION_CORE_EVENTS,
        .info =
            [](void* self, const pw_core_info* info) {
                static_cast<DaemonConnection*>(self)->version_ = info->version ? info->version : "";
            },
        .done =
            [](void* self, std::uint32_t id, int sequence) {
                auto& connection = *static_cast<DaemonConnection*>(self);
                if (id == PW_ID_CORE && connection.awaited_ == sequence)
                    connection.awaited_.reset();
            },
        .error =
            [](void* self, std::uint32_t id, int, int result, const char*) {
                // Errors of other objects are told to their owners.
                auto& connection = *static_cast<DaemonConnection*>(self);
                if (id == PW_ID_CORE && connection.error_ == 0 && (result == -EPIPE || connection.awaited_)) {
                    connection.error_ = -result;
                    connection.fail();
                }
            },
    };
    pw_core_add_listener(core_.get(), &coreHook_, &coreEvents, this);
    registry_.reset(pw_core_get_registry(core_.get(), PW_VERSION_REGISTRY, 0));
    if (!registry_)
        refuse(errno);
    static constexpr pw_registry_events registryEvents{
        .version = PW_VERSION_REGISTRY_EVENTS,
        .global =
            [](void* self, std::uint32_t id, std::uint32_t, const char* type, std::uint32_t,
               const spa_dict* properties) {
                auto& connection = *static_cast<DaemonConnection*>(self);
                try {
                    connection.add(id, type, properties);
                } catch (...) {
                    connection.eventLoop_.fail(std::current_exception());
                }
            },
        .global_remove =
            [](void* self, std::uint32_t id) {
                auto& connection = *static_cast<DaemonConnection*>(self);
                try {
                    connection.remove(id);
                } catch (...) {
                    connection.eventLoop_.fail(std::current_exception());
                }
            },
    };
    pw_registry_add_listener(registry_.get(), &registryHook_, &registryEvents, this);
    awaitAnswers();
    watch_ = eventLoop_.watchFd(pw_loop_get_fd(loop_.get()), EPOLLIN, [this](std::uint32_t) { iterate(); });
}

DaemonConnection::~DaemonConnection() = default;

const KnownNode* DaemonConnection::node(std::uint32_t id) const noexcept {
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? nullptr : &found->second;
}

bool DaemonConnection::hasNodeNamed(std::string_view name) const noexcept {
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& entry) { return entry.second.name == name; });
}

void DaemonConnection::suspend(std::uint32_t nodeId) noexcept {
    // The proxy is of no use after the command, and the daemon handles both in order.
    const NodePtr node(
        static_cast<pw_node*>(pw_registry_bind(registry_.get(), nodeId, PW_TYPE_INTERFACE_Node, PW_VERSION_NODE, 0)));
    if (!node)
        return;
    const spa_command command = SPA_NODE_COMMAND_INIT(SPA_NODE_COMMAND_Suspend);
    pw_node_send_command(node.get(), &command);
}

void DaemonConnection::awaitAnswers() {
    const MonotonicClock clock;
    const TimePoint deadline = clock.now() + answerTime;
    awaited_ = pw_core_sync(core_.get(), PW_ID_CORE, 0);
    while (awaited_ && error_ == 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.now()).count();
        if (left <= 0)
            throw Error(ETIMEDOUT,
                        {.operation = "connect to", .object = "PipeWire", .cause = "the daemon does not answer"});
        pw_loop_iterate(loop_.get(), static_cast<int>(left));
    }
    if (error_ != 0)
        refuse(error_ == EPIPE ? ECONNRESET : error_);
}

void DaemonConnection::iterate() {
    const int result = pw_loop_iterate(loop_.get(), 0);
    if (result < 0 && result != -EINTR && result != -EAGAIN)
        throw Error(-result, {.operation = "run", .object = "the PipeWire loop"});
}

void DaemonConnection::fail() noexcept {
    // The owner destroys the connection in answer, which must not happen inside libpipewire.
    try {
        loss_ = eventLoop_.nextTurn([this] {
            if (events_.lost)
                events_.lost();
        });
    } catch (...) {
        eventLoop_.fail(std::current_exception());
    }
}

void DaemonConnection::add(std::uint32_t id, std::string_view type, const spa_dict* properties) {
    if (type == PW_TYPE_INTERFACE_Node) {
        nodes_[id] = {.name = std::string(valueOf(properties, PW_KEY_NODE_NAME)),
                      .serial = std::string(valueOf(properties, PW_KEY_OBJECT_SERIAL)),
                      .mediaClass = std::string(valueOf(properties, PW_KEY_MEDIA_CLASS))};
        if (events_.nodeKnown)
            events_.nodeKnown(id);
    } else if (type == PW_TYPE_INTERFACE_Client) {
        if (events_.clientKnown)
            events_.clientKnown();
    } else if (type == PW_TYPE_INTERFACE_Link) {
        const std::optional<std::uint32_t> output = numberIn(properties, PW_KEY_LINK_OUTPUT_NODE);
        const std::optional<std::uint32_t> input = numberIn(properties, PW_KEY_LINK_INPUT_PORT);
        if (!output || !input)
            return;
        links_[id] = {.outputNode = *output, .inputPort = *input};
        if (events_.linksChanged)
            events_.linksChanged(*output);
    }
}

void DaemonConnection::remove(std::uint32_t id) {
    nodes_.erase(id);
    if (const auto link = links_.find(id); link != links_.end()) {
        const std::uint32_t output = link->second.outputNode;
        links_.erase(link);
        if (events_.linksChanged)
            events_.linksChanged(output);
    }
}

} // namespace vgpuview

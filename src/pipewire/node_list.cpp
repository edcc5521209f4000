// SPDX-License-Identifier: MIT
// The video that other programs offer through PipeWire.
#include "pipewire/node_list.h"

#include "base/clock.h"
#include "base/error.h"
#include "pipewire/handles.h"

#include <cerrno>
#include <exception>
#include <string_view>

namespace vgpuview {

namespace {

constexpr Nanoseconds answerTime = std::chrono::seconds(1);

std::string_view valueOf(const spa_dict* properties, const char* key) noexcept {
    const char* value = properties ? spa_dict_lookup(properties, key) : nullptr;
    return value ? value : "";
}

struct Listing {
    std::vector<VideoNode> nodes;
    int awaited = 0;
    bool done = false;
    int error = 0;
    std::exception_ptr failure;

    void add(std::string_view type, const spa_dict* properties) noexcept {
        const std::string_view mediaClass = valueOf(properties, PW_KEY_MEDIA_CLASS);
        const std::string_view name = valueOf(properties, PW_KEY_NODE_NAME);
        if (type != PW_TYPE_INTERFACE_Node || name.empty() ||
            (mediaClass != "Video/Source" && mediaClass != "Stream/Output/Video"))
            return;
        try {
            nodes.push_back({std::string(name), std::string(valueOf(properties, PW_KEY_NODE_DESCRIPTION))});
        } catch (...) {
            failure = std::current_exception();
        }
    }
};

class EnteredLoop {
public:
    explicit EnteredLoop(pw_loop* loop)
        : loop_(loop) {
        pw_loop_enter(loop_);
    }
    EnteredLoop(const EnteredLoop&) = delete;
    EnteredLoop& operator=(const EnteredLoop&) = delete;
    ~EnteredLoop() { pw_loop_leave(loop_); }

private:
    pw_loop* loop_;
};

[[noreturn]] void refuse(int errorNumber) {
    throw Error(errorNumber, {.operation = "list the nodes of", .object = "PipeWire"});
}

} // namespace

std::vector<VideoNode> listVideoNodes() {
    Listing listing;
    spa_hook coreHook{};
    spa_hook registryHook{};
    const PipeWireLibrary library;
    const LoopPtr loop(pw_loop_new(nullptr));
    if (!loop)
        refuse(errno);
    const EnteredLoop entered(loop.get());
    const ContextPtr context(pw_context_new(loop.get(), nullptr, 0));
    const CorePtr core(context ? pw_context_connect(context.get(), nullptr, 0) : nullptr);
    if (!core)
        refuse(errno);
    static constexpr pw_core_events coreEvents{
        .version = PW_VERSION_CORE_EVENTS,
        .done =
            [](void* data, std::uint32_t id, int sequence) {
                auto& self = *static_cast<Listing*>(data);
                self.done = self.done || (id == PW_ID_CORE && sequence == self.awaited);
            },
        .error =
            [](void* data, std::uint32_t id, int, int result, const char*) {
                if (id == PW_ID_CORE)
                    static_cast<Listing*>(data)->error = -result;
            },
    };
    pw_core_add_listener(core.get(), &coreHook, &coreEvents, &listing);
    const RegistryPtr registry(pw_core_get_registry(core.get(), PW_VERSION_REGISTRY, 0));
    if (!registry)
        refuse(errno);
    static constexpr pw_registry_events registryEvents{
        .version = PW_VERSION_REGISTRY_EVENTS,
        .global = [](void* data, std::uint32_t, std::uint32_t, const char* type, std::uint32_t,
                     const spa_dict* properties) { static_cast<Listing*>(data)->add(type, properties); },
    };
    pw_registry_add_listener(registry.get(), &registryHook, &registryEvents, &listing);
    listing.awaited = pw_core_sync(core.get(), PW_ID_CORE, 0);
    const MonotonicClock clock;
    const TimePoint deadline = clock.now() + answerTime;
    while (!listing.done) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.now()).count();
        if (listing.error != 0 || left <= 0)
            refuse(listing.error != 0 ? listing.error : ETIMEDOUT);
        pw_loop_iterate(loop.get(), static_cast<int>(left));
    }
    if (listing.failure)
        std::rethrow_exception(listing.failure);
    return std::move(listing.nodes);
}

} // namespace vgpuview

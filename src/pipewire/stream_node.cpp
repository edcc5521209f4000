// SPDX-License-Identifier: MIT
// Our node in the PipeWire graph: a driver that hands out buffers of its own.
#include "pipewire/stream_node.h"

#include "base/error.h"

#include <cerrno>

namespace vgpuview {

namespace {

std::vector<const spa_pod*> pointersTo(std::span<const Pod> pods) {
    std::vector<const spa_pod*> pointers;
    for (const Pod& pod : pods)
        pointers.push_back(pod.get());
    return pointers;
}

NodeState stateOf(pw_stream_state state) noexcept {
    switch (state) {
    case PW_STREAM_STATE_ERROR:
        return NodeState::error;
    case PW_STREAM_STATE_UNCONNECTED:
    case PW_STREAM_STATE_CONNECTING:
        return NodeState::offline;
    case PW_STREAM_STATE_PAUSED:
        return NodeState::idle;
    case PW_STREAM_STATE_STREAMING:
        return NodeState::streaming;
    }
    return NodeState::error;
}

} // namespace

template<typename Function>
void StreamNode::guarded(Function&& function) noexcept {
    try {
        function();
    } catch (...) {
        loop_.fail(std::current_exception());
    }
}

StreamNode::StreamNode(EventLoop& loop, pw_core* core, const std::string& mediaName, const NodeProperties& properties,
                       std::span<const Pod> formats, NodeObserver& observer)
    : loop_(loop)
    , observer_(observer) {
    pw_properties* const list = pw_properties_new(nullptr, nullptr);
    for (const auto& [key, value] : properties)
        pw_properties_set(list, key.c_str(), value.c_str());
    stream_.reset(pw_stream_new(core, mediaName.c_str(), list));
    if (!stream_)
        throw Error(errno, {.operation = "create", .object = "a PipeWire stream"});
    static constexpr pw_stream_events events{
        .version = PW_VERSION_STREAM_EVENTS,
        .state_changed =
            [](void* self, pw_stream_state, pw_stream_state state, const char* error) {
                auto& node = *static_cast<StreamNode*>(self);
                node.guarded([&] { node.observer_.stateChanged(stateOf(state), error); });
            },
        .param_changed =
            [](void* self, std::uint32_t id, const spa_pod* parameter) {
                if (id != SPA_PARAM_Format)
                    return;
                auto& node = *static_cast<StreamNode*>(self);
                node.guarded([&] {
                    const std::optional<ChosenFormat> format = parameter ? parseFormat(*parameter) : std::nullopt;
                    node.observer_.formatChosen(format ? &*format : nullptr);
                });
            },
        .add_buffer =
            [](void* self, pw_buffer* buffer) {
                auto& node = *static_cast<StreamNode*>(self);
                node.guarded([&] { node.observer_.bufferAdded(*buffer); });
            },
        .remove_buffer =
            [](void* self, pw_buffer* buffer) {
                auto& node = *static_cast<StreamNode*>(self);
                node.guarded([&] { node.observer_.bufferRemoved(*buffer); });
            },
        .trigger_done =
            [](void* self) {
                auto& node = *static_cast<StreamNode*>(self);
                node.guarded([&] { node.observer_.cycleDone(); });
            },
    };
    pw_stream_add_listener(stream_.get(), &hook_, &events, this);
    std::vector<const spa_pod*> pods = pointersTo(formats);
    const int result =
        pw_stream_connect(stream_.get(), PW_DIRECTION_OUTPUT, PW_ID_ANY,
                          static_cast<pw_stream_flags>(PW_STREAM_FLAG_DRIVER | PW_STREAM_FLAG_ALLOC_BUFFERS),
                          pods.data(), static_cast<std::uint32_t>(pods.size()));
    if (result < 0)
        throw Error(-result, {.operation = "connect", .object = "a PipeWire stream"});
    // Up to its first trigger a driver's every queued buffer runs the graph, and our own triggers would run it twice.
    runGraph();
}

void StreamNode::announce(std::span<const Pod> formats) {
    std::vector<const spa_pod*> pods = pointersTo(formats);
    pw_stream_update_params(stream_.get(), pods.data(), static_cast<std::uint32_t>(pods.size()));
}

void StreamNode::accept(std::span<const Pod> parameters) {
    announce(parameters);
}

void StreamNode::push(pw_buffer& buffer) noexcept {
    pw_stream_queue_buffer(stream_.get(), &buffer);
    runGraph();
}

std::optional<std::uint32_t> StreamNode::id() const noexcept {
    const std::uint32_t id = pw_stream_get_node_id(stream_.get());
    if (id == PW_ID_ANY)
        return {};
    return id;
}

} // namespace vgpuview

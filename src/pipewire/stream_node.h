// SPDX-License-Identifier: MIT
// Our node in the PipeWire graph: a driver that hands out buffers of its own.
#pragma once

#include "loop/event_loop.h"
#include "pipewire/handles.h"
#include "pipewire/stream_format.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vgpuview {

enum class NodeState {
    error,    ///< of no more use
    offline,  ///< not in the graph
    idle,     ///< in the graph; nobody takes frames
    streaming ///< frames are taken
};

/// What the node hears from the graph. Called from within libpipewire on the loop's thread: nothing of libpipewire may
/// be destroyed in them.
class NodeObserver {
public:
    virtual ~NodeObserver() = default;
    virtual void stateChanged(NodeState state, const char* error) = 0;
    /// nullptr: the format is taken back.
    virtual void formatChosen(const ChosenFormat* format) = 0;
    /// The observer fills in the data's type, descriptor and sizes, and the chunk.
    virtual void bufferAdded(pw_buffer& buffer) = 0;
    virtual void bufferRemoved(pw_buffer& buffer) = 0;
    /// The graph has run with what was pushed last. Told only while the node drives the graph. Up to PipeWire 1.0 every
    /// consumer has seen it; since 1.2 those that don't run in real time, which are all that take video, come later.
    virtual void cycleDone() = 0;
};

using NodeProperties = std::vector<std::pair<std::string, std::string>>;

/// Wraps a pw_stream. All calls on the loop's thread.
class StreamNode {
public:
    /// Throws Error. The core, the loop and the observer outlive the node.
    StreamNode(EventLoop& loop, pw_core* core, const std::string& mediaName, const NodeProperties& properties,
               std::span<const Pod> formats, NodeObserver& observer);
    StreamNode(const StreamNode&) = delete;
    StreamNode& operator=(const StreamNode&) = delete;

    /// Offers these formats from now on. Even where they are the same as before, consumers choose anew and all buffers
    /// are made anew.
    void announce(std::span<const Pod> formats);
    /// Says how buffers are to be made for the format that was chosen.
    void accept(std::span<const Pod> parameters);

    /// A buffer that nobody uses. nullptr: errno EBUSY means that there is one which a consumer still holds (another
    /// call may find a free one), all else that there is none.
    [[nodiscard]] pw_buffer* dequeue() noexcept { return pw_stream_dequeue_buffer(stream_.get()); }
    /// Hands the buffer to the consumers. One that is pushed before the cycle of the last one is done may be lost.
    void push(pw_buffer& buffer) noexcept;
    [[nodiscard]] bool driving() const noexcept { return pw_stream_is_driving(stream_.get()); }
    /// Nothing before the daemon has said so.
    [[nodiscard]] std::optional<std::uint32_t> id() const noexcept;

private:
    /// Runs the graph once, or asks the node that drives it. Never without a frame: since PipeWire 1.2 consumers that
    /// come late for the last one would take the one before again.
    void runGraph() noexcept { pw_stream_trigger_process(stream_.get()); }
    template<typename Function>
    void guarded(Function&& function) noexcept;

    EventLoop& loop_;
    NodeObserver& observer_;
    spa_hook hook_{};
    StreamPtr stream_;
};

} // namespace vgpuview

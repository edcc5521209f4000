// SPDX-License-Identifier: MIT
// A PipeWire node's video as a source of frames.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "frame/frame_source.h"
#include "pipewire/handles.h"
#include "pipewire/node_cursor.h"
#include "pipewire/node_format.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vgpuview {

/// Shows the newest frame that the node gave, each of its buffers as one Buffer for as long as the node keeps it; the
/// one that is shown is given back when a newer one is. libpipewire's loop belongs to the thread that entered it, so it
/// has one of its own, asleep between frames; poll() and setActivity() take its lock, which that thread never holds
/// while it waits. Other than that, calls are as in FrameSource.
class NodeSource final : public FrameSource {
public:
    enum class Activity { active, paused };

    /// nodeName: its node.name. importable: what the user of the frames can import as dma-bufs. Waits for the daemon,
    /// at most a few seconds. Starts active. Clock and log outlive it. Throws Error: notFound where there is no daemon
    /// or no such node.
    NodeSource(std::string nodeName, std::vector<ImportableFormat> importable, const Clock& clock, Log& log);
    NodeSource(const NodeSource&) = delete;
    NodeSource& operator=(const NodeSource&) = delete;
    ~NodeSource() override;

    /// Paused, the node is told that nobody takes frames.
    void setActivity(Activity activity);

    [[nodiscard]] const SourceDescription& description() const noexcept override { return description_; }
    void observe(FrameSourceObserver* observer) noexcept override { observer_ = observer; }
    PollResult poll() override;
    [[nodiscard]] const Frame& frame() const noexcept override { return frame_; }
    [[nodiscard]] SourceCounters counters() const noexcept override { return counters_; }
    [[nodiscard]] std::string endReason() const override { return shownEndReason_; }

private:
    struct LoopDeleter {
        void operator()(pw_thread_loop* loop) const noexcept { pw_thread_loop_destroy(loop); }
    };
    class Locked;
    struct Chosen {
        std::uint32_t fourcc;
        std::uint64_t modifier;
        Size size;
        NodeMemory memory;
    };

    void connect();
    void disconnect() noexcept;
    void awaitNode();
    void openStream();
    void end(std::string reason) noexcept;

    // On the loop's thread, or with its lock held.
    void formatChanged(const spa_pod* format);
    void bufferRemoved(const pw_buffer& buffer);
    [[nodiscard]] PrimaryChange takeNewest(Damage& damage);
    [[nodiscard]] bool takePicture(pw_buffer& buffer, Damage& damage);
    [[nodiscard]] BufferRef bufferOf(const pw_buffer& buffer);
    void retire(BufferRef buffer);
    void sortOutRetired();
    void chooseAnew();
    void refuse(const std::string& why);

    std::string nodeName_;
    std::vector<ImportableFormat> importable_;
    const Clock& clock_;
    Log& log_;
    SourceDescription description_;
    FrameSourceObserver* observer_ = nullptr;
    Frame frame_;
    SourceCounters counters_;
    std::string shownEndReason_;
    std::vector<BufferRef> gone_; ///< to be told to the observer

    // Shared with the loop's thread.
    std::optional<std::uint32_t> nodeId_;
    std::string serial_;
    std::optional<int> awaited_;
    int connectError_ = 0;
    std::string endReason_;
    bool ended_ = false;
    std::optional<Chosen> chosen_;
    pw_buffer* shown_ = nullptr; ///< not given back yet
    std::unordered_map<const pw_buffer*, BufferRef> buffers_;
    std::vector<BufferRef> retired_;
    NodeCursor cursor_;
    RateLimit refusals_;
    std::optional<TimePoint> chosenAnewAt_; ///< since the last frame that could be shown

    PipeWireLibrary library_;
    std::unique_ptr<pw_thread_loop, LoopDeleter> loop_;
    ContextPtr context_;
    spa_hook coreHook_{};
    spa_hook registryHook_{};
    spa_hook streamHook_{};
    CorePtr core_;
    RegistryPtr registry_;
    StreamPtr stream_;
};

} // namespace vgpuview

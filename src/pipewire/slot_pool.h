// SPDX-License-Identifier: MIT
// The slots of a stream's pool: what memory each carries, and which are free.
#pragma once

#include "base/unique_fd.h"
#include "frame/buffer.h"
#include "pipewire/stream_node.h"

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace vgpuview {

/// A shared mapping, undone when destroyed.
class FrameMemory {
public:
    FrameMemory() = default;
    FrameMemory(const FrameMemory&) = delete;
    FrameMemory& operator=(const FrameMemory&) = delete;
    ~FrameMemory();

    void reset(std::span<std::byte> mapping) noexcept;
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return mapping_; }

private:
    std::span<std::byte> mapping_;
};

/// One buffer of the stream. Its descriptor goes to the consumers once, when it is added, and stays open until the
/// stream has removed it.
struct Slot {
    pw_buffer* buffer = nullptr;
    UniqueFd fd;
    BufferId content = 0;        ///< the guest's buffer that it carries; 0: memory of ours
    FrameMemory memory;          ///< of ours, stride by height; empty for all other memory
    BufferRef target = {};       ///< of ours, for the GPU to copy into
    BufferReadLock lock = {};    ///< of the guest's memory, while consumers may read it
    BufferId cursorImage = 0;    ///< the cursor image that its metadata hold; 0: an empty one
    bool cursorWritten = false;  ///< whether they hold any
    bool cursorTold = false;     ///< whether that has been handed on
    bool pushed = false;         ///< consumers have had it
    bool free = false;           ///< ours to fill
    std::uint64_t freeSince = 0; ///< the cycle before which it came back
};

/// Several slots may carry the same guest buffer: the one that is free is handed on.
class SlotPool {
public:
    static constexpr std::size_t most = 64; ///< what a stream of libpipewire can have

    /// The guest's memory in a new slot: the set's buffers in turn, so that each gets its share.
    void addAlias(pw_buffer& buffer, std::span<const BufferRef> set);
    /// A dma-buf of our own in a new slot. nullptr: one that is never used.
    void addTarget(pw_buffer& buffer, BufferRef target);
    /// Memory of our own in a new slot. Throws Error.
    void addMemory(pw_buffer& buffer, std::uint32_t stride, std::uint32_t height);
    void remove(pw_buffer& buffer) noexcept;

    /// Takes back what the consumers are done with.
    void collect(StreamNode& node) noexcept;
    /// The slot that has been free for longest of those that carry this buffer (0: any of our own), or nullptr.
    /// One that came back after the last cycle does not count: its consumer may still have it in its own queue, and
    /// would throw it away if it came again before the next cycle.
    [[nodiscard]] Slot* freeSlotFor(BufferId content) noexcept;
    /// Hands a free slot to the consumers.
    void push(StreamNode& node, Slot& slot) noexcept;
    /// Runs the graph without a new frame, by which consumers give back what they are done with.
    void cycle(StreamNode& node) noexcept;
    [[nodiscard]] bool carries(BufferId content) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
    /// Ends all locks: the guest's memory may be drawn to again.
    void unlock() noexcept;
    /// Every slot tells the cursor's image anew.
    void retellCursor() noexcept;

private:
    Slot& add(pw_buffer& buffer);
    std::uint64_t cycles_ = 1;
    std::vector<std::unique_ptr<Slot>> slots_; ///< in place: libpipewire's buffers point to them
};

} // namespace vgpuview

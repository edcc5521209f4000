// SPDX-License-Identifier: MIT
// The slots of a stream's pool: what memory each carries, and which are free.
#pragma once

#include "base/unique_fd.h"
#include "frame/buffer.h"
#include "pipewire/stream_node.h"

#include <spa/buffer/meta.h>

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
    BufferId content = 0;          ///< the guest's buffer that it carries; 0: memory of ours
    FrameMemory memory;            ///< of ours, stride by height; empty for all other memory
    BufferRef target = {};         ///< of ours, for the GPU to copy into
    BufferReadLock lock = {};      ///< of the guest's memory, while consumers may read it
    spa_meta_busy* busy = nullptr; ///< shared with the consumers, who count themselves in and out; may be missing
    BufferId cursorImage = 0;      ///< the cursor image that its metadata hold; 0: an empty one
    bool cursorWritten = false;    ///< whether they hold any
    bool cursorTold = false;       ///< whether that has been handed on
    bool ours = false;             ///< the stream gave it back, which it does before consumers have done so
    std::uint64_t pushed = 0;      ///< the number of its last push; 0: none

    /// Whether a consumer has it. It may not have come to them yet, if it was pushed last.
    [[nodiscard]] bool held() const noexcept;
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
    /// Of the free slots that carry this buffer (0: any of our own) the one that was pushed longest ago, or nullptr.
    /// Never one that would be drawn over while it is on its way to a consumer.
    [[nodiscard]] Slot* freeSlotFor(BufferId content) noexcept;
    /// Hands a free slot to the consumers.
    void push(StreamNode& node, Slot& slot) noexcept;
    /// The slot that was pushed last, where it should be pushed again: a consumer that gave it back shortly before may
    /// have thrown it away. nullptr: there is none, or a consumer has it.
    [[nodiscard]] Slot* doubtful() const noexcept {
        return doubt_ > 0 && last_ && last_->ours && !last_->held() ? last_ : nullptr;
    }
    /// Hands that slot to the consumers as it is.
    void pushAgain(StreamNode& node, Slot& doubtful) noexcept;
    /// What was pushed last came to no consumer.
    void lastIsLost() noexcept { last_ = nullptr; }
    [[nodiscard]] bool carries(BufferId content) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
    /// Ends all locks: the guest's memory may be drawn to again.
    void unlock() noexcept;
    /// Every slot tells the cursor's image anew.
    void retellCursor() noexcept;

private:
    Slot& add(pw_buffer& buffer);
    void hand(StreamNode& node, Slot& slot) noexcept;
    [[nodiscard]] bool onItsWay(const Slot& slot) const noexcept { return &slot == last_ && slots_.size() > 1; }

    std::uint64_t pushes_ = 0;
    Slot* last_ = nullptr;                     ///< that was pushed
    std::size_t mostHeld_ = 0;                 ///< slots at a time, by consumers of this pool
    std::uint64_t doubt_ = 0;                  ///< pushes of the last slot after which it has surely arrived
    std::vector<std::unique_ptr<Slot>> slots_; ///< in place: libpipewire's buffers point to them
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The slots of a stream's pool: what memory each carries, and which are free.
#include "pipewire/slot_pool.h"

#include "base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

namespace vgpuview {

namespace {

void describe(pw_buffer& buffer, std::uint32_t type, int fd, const BufferLayout& layout) noexcept {
    // A consumer that finds a plane without its type or descriptor drops the slot: all are filled in, though the
    // formats that a vGPU has use one.
    for (std::uint32_t i = 0; i < buffer.buffer->n_datas; ++i) {
        spa_data& data = buffer.buffer->datas[i];
        data.type = type;
        data.flags = SPA_DATA_FLAG_READABLE;
        data.fd = fd;
        data.mapoffset = 0;
        data.maxsize = static_cast<std::uint32_t>(layout.offset + layout.byteSize);
        data.data = nullptr;
        data.chunk->offset = layout.offset;
        data.chunk->size = static_cast<std::uint32_t>(layout.byteSize);
        data.chunk->stride = static_cast<std::int32_t>(layout.stride);
        data.chunk->flags = SPA_CHUNK_FLAG_NONE;
    }
}

} // namespace

bool Slot::held() const noexcept {
    // One that the stream gave back counts us in.
    return busy && std::atomic_ref(busy->count).load() > (ours ? 1U : 0U);
}

FrameMemory::~FrameMemory() {
    reset({});
}

void FrameMemory::reset(std::span<std::byte> mapping) noexcept {
    if (!mapping_.empty())
        ::munmap(mapping_.data(), mapping_.size());
    mapping_ = mapping;
}

Slot& SlotPool::add(pw_buffer& buffer) {
    slots_.push_back(std::make_unique<Slot>());
    if (slots_.size() == 1)
        mostHeld_ = 0;
    Slot& slot = *slots_.back();
    slot.buffer = &buffer;
    slot.busy =
        static_cast<spa_meta_busy*>(spa_buffer_find_meta_data(buffer.buffer, SPA_META_Busy, sizeof(spa_meta_busy)));
    buffer.user_data = &slot;
    return slot;
}

void SlotPool::addAlias(pw_buffer& buffer, std::span<const BufferRef> set) {
    const Buffer& content = *set[slots_.size() % set.size()];
    Slot& slot = add(buffer);
    slot.content = content.id();
    slot.fd = UniqueFd::duplicateOf(content.fd());
    describe(buffer, content.kind() == BufferKind::dmaBuf ? SPA_DATA_DmaBuf : SPA_DATA_MemFd, slot.fd.get(),
             content.layout());
}

void SlotPool::addTarget(pw_buffer& buffer, BufferRef target) {
    Slot& slot = add(buffer);
    slot.target = std::move(target);
    if (slot.target)
        slot.fd = UniqueFd::duplicateOf(slot.target->fd());
    describe(buffer, SPA_DATA_DmaBuf, slot.fd.get(), slot.target ? slot.target->layout() : BufferLayout{});
}

void SlotPool::addMemory(pw_buffer& buffer, std::uint32_t stride, std::uint32_t height) {
    const std::size_t byteSize = std::size_t{stride} * height;
    Slot& slot = add(buffer);
    slot.fd.reset(::memfd_create("vgpu-view frame", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!slot.fd || ::ftruncate(slot.fd.get(), static_cast<off_t>(byteSize)) != 0)
        throw Error(errno, {.operation = "allocate", .object = "a frame for the PipeWire stream"});
    // A consumer that shrank it would have this process killed at its next frame.
    ::fcntl(slot.fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    void* const address = ::mmap(nullptr, byteSize, PROT_READ | PROT_WRITE, MAP_SHARED, slot.fd.get(), 0);
    if (address == MAP_FAILED)
        throw Error(errno, {.operation = "map", .object = "a frame for the PipeWire stream"});
    slot.memory.reset({static_cast<std::byte*>(address), byteSize});
    const BufferLayout layout{.size = {}, .stride = stride, .offset = 0, .byteSize = byteSize, .format = {}};
    describe(buffer, SPA_DATA_MemFd, slot.fd.get(), layout);
}

void SlotPool::remove(pw_buffer& buffer) noexcept {
    if (last_ == buffer.user_data)
        last_ = nullptr;
    std::erase_if(slots_, [&](const std::unique_ptr<Slot>& slot) { return slot->buffer == &buffer; });
}

void SlotPool::collect(StreamNode& node) noexcept {
    // A slot that a consumer still holds is refused and goes to the back of the queue: after as many tries as there are
    // slots every one has been seen.
    for (std::size_t tries = 0; tries < slots_.size(); ++tries) {
        pw_buffer* const buffer = node.dequeue();
        if (buffer && buffer->user_data) {
            static_cast<Slot*>(buffer->user_data)->ours = true;
        } else if (!buffer && errno != EBUSY) {
            break;
        }
    }
    std::size_t held = 0;
    for (const std::unique_ptr<Slot>& slot : slots_) {
        if (slot->held())
            ++held;
        // Since PipeWire 1.2 the graph does not wait for consumers: they may still come for what was pushed last.
        else if (slot->ours && !onItsWay(*slot))
            slot->lock.release();
    }
    mostHeld_ = std::max(mostHeld_, held);
}

Slot* SlotPool::freeSlotFor(BufferId content) noexcept {
    Slot* best = nullptr;
    for (const std::unique_ptr<Slot>& slot : slots_)
        if (slot->ours && !slot->held() && slot->content == content && slot->fd && (content != 0 || !onItsWay(*slot)) &&
            (!best || slot->pushed < best->pushed))
            best = slot.get();
    return best;
}

void SlotPool::push(StreamNode& node, Slot& slot) noexcept {
    // A consumer throws away what is still in its own queue of buffers to be given back. It takes one out of that
    // whenever it takes a frame, and so has as many in it as it once held at a time; and it may miss every other frame.
    const std::uint64_t sure = 2 * (mostHeld_ + 1);
    const std::uint64_t since = pushes_ + 1 - slot.pushed;
    doubt_ = slot.pushed != 0 && since <= sure ? sure - since + 1 : 0;
    hand(node, slot);
}

void SlotPool::pushAgain(StreamNode& node, Slot& slot) noexcept {
    --doubt_;
    hand(node, slot);
}

void SlotPool::hand(StreamNode& node, Slot& slot) noexcept {
    slot.ours = false;
    slot.pushed = ++pushes_;
    last_ = &slot;
    node.push(*slot.buffer);
}

bool SlotPool::carries(BufferId content) const noexcept {
    return std::any_of(slots_.begin(), slots_.end(),
                       [&](const std::unique_ptr<Slot>& slot) { return slot->content == content; });
}

void SlotPool::unlock() noexcept {
    doubt_ = 0;
    for (const std::unique_ptr<Slot>& slot : slots_)
        slot->lock.release();
}

void SlotPool::retellCursor() noexcept {
    for (const std::unique_ptr<Slot>& slot : slots_)
        slot->cursorTold = false;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A guest's buffer as wlroots takes it.
#include "monitor/guest_buffer.h"

#include "base/error.h"
#include "frame/mapped_buffer.h"

#include <drm_fourcc.h>

#include <cerrno>
#include <optional>

namespace vgpuview {

/// What a wlroots buffer needs to live, which may be longer than anything else of ours does.
struct GuestBuffer::Backing {
    UniqueFd fd;
    std::weak_ptr<const Buffer> buffer;
    std::optional<MappedBuffer> mapped;
    bool mappingRefused = false;
    BufferReadLock lock;

    static Backing* from(void* data) noexcept { return static_cast<Backing*>(data); }

    void* beginRead() noexcept {
        if (!mapped && !mappingRefused) {
            if (const BufferRef current = buffer.lock())
                mapped = MappedBuffer::map(*current, MapAccess::read);
            mappingRefused = !mapped;
        }
        if (!mapped)
            return nullptr;
        mapped->beginAccess();
        return mapped->bytes().data();
    }
};

namespace {

monitor_buffer_kind kindOf(const Buffer& buffer) noexcept {
    return buffer.kind() == BufferKind::dmaBuf ? MONITOR_BUFFER_DMA_BUF : MONITOR_BUFFER_MEMORY;
}

} // namespace

GuestBuffer::GuestBuffer(const BufferRef& buffer)
    : id_(buffer->id())
    , layout_(buffer->layout())
    , buffer_(buffer)
    , handle_(makeHandle(buffer, kindOf(*buffer), backing_)) {}

GuestBuffer::~GuestBuffer() {
    backing_->lock.release();
}

GuestBuffer::Handle GuestBuffer::makeHandle(const BufferRef& buffer, monitor_buffer_kind kind, Backing*& backing) {
    auto owned = std::make_unique<Backing>();
    owned->fd = UniqueFd::duplicateOf(buffer->fd());
    owned->buffer = buffer;
    const monitor_buffer_layout layout{.width = static_cast<std::int32_t>(layout_.size.width),
                                       .height = static_cast<std::int32_t>(layout_.size.height),
                                       .stride = layout_.stride,
                                       .offset = layout_.offset,
                                       .fourcc = layout_.format.fourcc,
                                       .modifier = layout_.format.modifier,
                                       .fd = owned->fd.get()};
    const monitor_buffer_events events{
        .data = owned.get(),
        .begin_read = [](void* data) -> void* { return Backing::from(data)->beginRead(); },
        .end_read = [](void* data) { Backing::from(data)->mapped->endAccess(); },
        .released = [](void* data) { Backing::from(data)->lock.release(); },
        .destroyed = [](void* data) { delete Backing::from(data); },
    };
    Handle handle(monitor_buffer_create(&layout, kind, &events));
    if (!handle)
        throw Error(ENOMEM, {.operation = "create", .object = "a buffer for the monitor"});
    backing = owned.release();
    return handle;
}

monitor_buffer* GuestBuffer::pixels() {
    const BufferRef buffer = buffer_.lock();
    if (!pixels_ && buffer && layout_.format.modifier == DRM_FORMAT_MOD_LINEAR) {
        Backing* backing = nullptr;
        Handle handle = makeHandle(buffer, MONITOR_BUFFER_PIXELS_ONLY, backing);
        backing->mapped = MappedBuffer::map(*buffer, MapAccess::read);
        if (backing->mapped)
            pixels_ = std::move(handle);
    }
    return pixels_.get();
}

void GuestBuffer::lockForReading() {
    if (!backing_->lock.buffer())
        backing_->lock = BufferReadLock(buffer_.lock());
}

} // namespace vgpuview

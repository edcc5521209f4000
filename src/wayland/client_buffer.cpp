// SPDX-License-Identifier: MIT
// A wl_buffer and who still reads it.
#include "wayland/client_buffer.h"

namespace vgpuview {

ClientBuffer::ClientBuffer(Proxy<wl_buffer> buffer, Size size, ReleaseObserver* observer, BufferRef locked)
    : buffer_(std::move(buffer))
    , size_(size)
    , observer_(observer)
    , locked_(std::move(locked)) {
    static constexpr wl_buffer_listener listener{.release = EventHandler<&ClientBuffer::released>::call};
    wl_buffer_add_listener(buffer_.get(), &listener, this);
}

void ClientBuffer::attached() noexcept {
    ++surfaces_;
    if (locked_ && !busy_)
        lock_ = BufferReadLock(locked_);
    busy_ = true;
}

void ClientBuffer::released() {
    busy_ = false;
    lock_.release();
    if (observer_)
        observer_->bufferReleased();
}

void ClientBuffer::abandon() noexcept {
    lock_.release();
    locked_.reset();
}

void ClientBuffer::eventFailed(std::exception_ptr failure) noexcept {
    if (observer_)
        observer_->eventFailed(std::move(failure));
}

} // namespace vgpuview

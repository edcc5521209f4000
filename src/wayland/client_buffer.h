// SPDX-License-Identifier: MIT
// A wl_buffer and who still reads it.
#pragma once

#include "frame/buffer.h"
#include "wayland/proxy.h"

#include <functional>

namespace vgpuview {

/// What a client buffer's owner hears.
class ReleaseObserver {
public:
    virtual ~ReleaseObserver() = default;
    /// The compositor has read it for the last time, for now.
    virtual void bufferReleased() = 0;
    virtual void eventFailed(std::exception_ptr failure) noexcept = 0;
};

/// Owns a wl_buffer. The compositor may read it from an attach that was committed until it releases it.
class ClientBuffer final {
public:
    /// readBy: the memory that stays locked against its source while the compositor reads it, or null (a dma-buf is
    /// drawn by the guest whenever it likes).
    ClientBuffer(Proxy<wl_buffer> buffer, Size size, ReleaseObserver* observer, BufferRef locked);
    ClientBuffer(const ClientBuffer&) = delete;
    ClientBuffer& operator=(const ClientBuffer&) = delete;

    [[nodiscard]] wl_buffer* get() const noexcept { return buffer_.get(); }
    [[nodiscard]] Size size() const noexcept { return size_; }
    /// The compositor may be reading it.
    [[nodiscard]] bool busy() const noexcept { return busy_; }
    /// It is some surface's content.
    [[nodiscard]] bool onSurface() const noexcept { return surfaces_ > 0; }
    /// Lets go of the locked memory for good, released or not.
    void abandon() noexcept;

    void eventFailed(std::exception_ptr failure) noexcept;

private:
    friend class Surface;

    void attached() noexcept;
    void replaced() noexcept { --surfaces_; }
    void released();

    Proxy<wl_buffer> buffer_;
    Size size_;
    ReleaseObserver* observer_;
    BufferRef locked_;
    BufferReadLock lock_;
    bool busy_ = false;
    unsigned surfaces_ = 0;
};

} // namespace vgpuview

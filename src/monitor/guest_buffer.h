// SPDX-License-Identifier: MIT
// A guest's buffer as wlroots takes it.
#pragma once

#include "frame/buffer.h"
#include "monitor/wlroots.h"

#include <memory>

namespace vgpuview {

/// Keeps one wlroots buffer for the life of a guest's buffer, because wlroots keeps its imports with it. After this
/// object is gone the wlroots buffer lives on by itself until the monitor no longer shows it: it has a descriptor of
/// its own and holds no reference to the guest's buffer.
class GuestBuffer {
public:
    /// Throws Error (no descriptors or no memory left).
    explicit GuestBuffer(const BufferRef& buffer);
    GuestBuffer(const GuestBuffer&) = delete;
    GuestBuffer& operator=(const GuestBuffer&) = delete;
    ~GuestBuffer();

    /// The guest's buffer's.
    [[nodiscard]] BufferId id() const noexcept { return id_; }
    [[nodiscard]] const BufferLayout& layout() const noexcept { return layout_; }
    [[nodiscard]] monitor_buffer* handle() const noexcept { return handle_.get(); }
    /// The same pixels without the dma-buf, for a renderer that can't import it: read by the CPU and uploaded. Made at
    /// the first call. Null where the pixels can't be mapped or are not linear.
    [[nodiscard]] monitor_buffer* pixels();
    [[nodiscard]] bool pixelsInUse() const noexcept { return pixels_ != nullptr; }

    /// Keeps a source from drawing into the buffer until wlroots releases it. Call it before a commit that scans the
    /// buffer out.
    void lockForReading();

private:
    struct Backing;
    struct HandleDeleter {
        void operator()(monitor_buffer* buffer) const noexcept { monitor_buffer_drop(buffer); }
    };
    using Handle = std::unique_ptr<monitor_buffer, HandleDeleter>;

    [[nodiscard]] Handle makeHandle(const BufferRef& buffer, monitor_buffer_kind kind, Backing*& backing);

    BufferId id_;
    BufferLayout layout_;
    std::weak_ptr<const Buffer> buffer_;
    Backing* backing_ = nullptr; ///< owned by the wlroots buffer behind handle_
    Handle handle_;
    Handle pixels_;
};

} // namespace vgpuview

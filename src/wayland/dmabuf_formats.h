// SPDX-License-Identifier: MIT
// Which dma-bufs the compositor says it can import. Source: linux-dmabuf-v1, versions 3 to 5.
#pragma once

#include "base/pixel_format.h"
#include "loop/event_loop.h"
#include "wayland/proxy.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

/// Collects format and modifier pairs: version 3 announces them one by one, from 4 on in the default feedback's table.
/// What the compositor sends is checked; indices and tables that make no sense are skipped.
class DmabufFormats final {
public:
    /// dmabuf may be null: then nothing can be imported. It outlives this object. The formats are known after a
    /// roundtrip, and may change later.
    DmabufFormats(EventLoop& loop, zwp_linux_dmabuf_v1* dmabuf);
    DmabufFormats(const DmabufFormats&) = delete;
    DmabufFormats& operator=(const DmabufFormats&) = delete;

    /// The modifier to create a wl_buffer of this format with, or nothing where that is not advertised (from version 4
    /// on a protocol error). A linear buffer may go under an implicit modifier where the explicit one is unknown.
    [[nodiscard]] std::optional<std::uint64_t> modifierFor(const PixelFormat& format) const noexcept;
    /// The explicit modifiers advertised with a fourcc.
    [[nodiscard]] std::vector<std::uint64_t> modifiersOf(std::uint32_t fourcc) const;
    [[nodiscard]] bool empty() const noexcept { return formats_.empty(); }

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    void modifier(std::uint32_t fourcc, std::uint32_t high, std::uint32_t low);
    void formatTable(std::int32_t fd, std::uint32_t size);
    void trancheFormats(wl_array* indices);
    void done();
    [[nodiscard]] bool advertised(const PixelFormat& format) const noexcept;

    EventLoop& loop_;
    std::vector<PixelFormat> formats_;
    std::vector<PixelFormat> table_;
    std::vector<PixelFormat> pending_;
    Proxy<zwp_linux_dmabuf_feedback_v1> feedback_;
};

/// The format table of zwp_linux_dmabuf_feedback_v1: what a descriptor of that size holds, read without trusting
/// either. Empty where it cannot be read.
[[nodiscard]] std::vector<PixelFormat> readFormatTable(int fd, std::uint32_t size);

} // namespace vgpuview

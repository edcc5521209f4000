// SPDX-License-Identifier: MIT
// A frame source that shows what the test puts on it.
#pragma once

#include "frame/frame_source.h"

#include <drm_fourcc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <vector>

namespace vgpuview::doubles {

/// A memfd-backed XR24 buffer, all zero.
inline BufferRef makeMemoryBuffer(Size size, BufferKind kind = BufferKind::memory,
                                  std::uint32_t fourcc = DRM_FORMAT_XRGB8888) {
    const std::uint32_t stride = size.width * 4;
    const std::uint64_t bytes = std::uint64_t{stride} * size.height;
    UniqueFd fd(::memfd_create("test buffer", MFD_CLOEXEC));
    if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
        return nullptr;
    return std::make_shared<const Buffer>(
        kind,
        BufferLayout{.size = size, .stride = stride, .byteSize = bytes, .format = {fourcc, DRM_FORMAT_MOD_LINEAR}},
        std::move(fd));
}

class FakeSource final : public FrameSource {
public:
    [[nodiscard]] const SourceDescription& description() const noexcept override { return about; }
    void observe(FrameSourceObserver* observer) noexcept override { observer_ = observer; }
    PollResult poll() override {
        ++polls;
        if (everyPoll)
            everyPoll();
        const PollResult result = next;
        next = {.status = next.status, .primary = PrimaryChange::none, .damage = {}};
        return result;
    }
    [[nodiscard]] const Frame& frame() const noexcept override { return current; }
    [[nodiscard]] SourceCounters counters() const noexcept override { return {}; }
    [[nodiscard]] std::string endReason() const override { return "the test ended it"; }
    void setMonitor(const GuestMonitor& monitor) noexcept override { monitors.push_back(monitor); }

    /// The next poll reports this buffer as a new picture.
    void flip(BufferRef buffer) {
        ++current.sequence;
        next.primary = PrimaryChange::certain;
        next.damage = Damage::all(buffer->layout().size);
        current.primary = Plane{.buffer = std::move(buffer), .position = {}, .hotSpot = {}};
    }
    void blank() {
        ++current.sequence;
        next.primary = PrimaryChange::certain;
        current.primary.reset();
    }
    [[nodiscard]] FrameSourceObserver* observer() const noexcept { return observer_; }

    unsigned polls = 0;
    std::function<void()> everyPoll; ///< the guest's doing, before the poll is answered
    Frame current;
    PollResult next;
    std::vector<GuestMonitor> monitors; ///< as they were asked for
    SourceDescription about{
        .address = "fake:", .name = "fake", .vmName = "", .type = "fake", .quirks = {}, .monitorFixedBecause = ""};

private:
    FrameSourceObserver* observer_ = nullptr;
};

} // namespace vgpuview::doubles

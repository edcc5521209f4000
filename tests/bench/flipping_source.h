// SPDX-License-Identifier: MIT
// A guest that costs nothing: three buffers in turn, one with each poll.
#pragma once

#include "doubles/fake_source.h"

#include <array>

namespace vgpuview::bench {

class FlippingSource final : public FrameSource {
public:
    explicit FlippingSource(Size size, BufferKind kind = BufferKind::dmaBuf) {
        for (BufferRef& buffer : buffers_)
            buffer = doubles::makeMemoryBuffer(size, kind);
        frame_.primary = Plane{.buffer = buffers_[0], .position = {}, .hotSpot = {}};
    }
    [[nodiscard]] const SourceDescription& description() const noexcept override { return description_; }
    void observe(FrameSourceObserver*) noexcept override {}
    PollResult poll() override {
        ++frame_.sequence;
        frame_.queriedAt = MonotonicClock().now();
        frame_.primary->buffer = buffers_[frame_.sequence % buffers_.size()];
        return {.status = PollStatus::ok,
                .primary = PrimaryChange::certain,
                .damage = Damage::all(buffers_[0]->layout().size)};
    }
    [[nodiscard]] const Frame& frame() const noexcept override { return frame_; }
    [[nodiscard]] SourceCounters counters() const noexcept override { return {}; }
    [[nodiscard]] std::string endReason() const override { return {}; }

private:
    SourceDescription description_{.address = "bench:", .name = "bench", .vmName = "", .type = "bench", .quirks = {}};
    std::array<BufferRef, 3> buffers_;
    Frame frame_;
};

} // namespace vgpuview::bench

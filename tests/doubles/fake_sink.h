// SPDX-License-Identifier: MIT
// A sink that records what it is shown.
#pragma once

#include "frame/frame_sink.h"

#include <functional>
#include <vector>

namespace vgpuview::doubles {

class FakeSink final : public FrameSink {
public:
    struct Shown {
        BufferId buffer;
        Damage damage;
        bool primaryChanged;
        bool cursorChanged;
        std::uint64_t sequence;
    };

    [[nodiscard]] std::string_view kind() const noexcept override { return "fake"; }
    void attach(FrameDemand& to) override { demand = &to; }
    void show(const FrameUpdate& update) override {
        shown.push_back({update.frame.primary ? update.frame.primary->buffer->id() : 0, update.primaryDamage,
                         update.primaryChanged, update.cursorChanged, update.frame.sequence});
        if (onShow)
            onShow();
    }
    void forget(const Buffer& buffer) override { forgotten.push_back(buffer.id()); }
    void sourceGone() override { ++gone; }
    [[nodiscard]] Nanoseconds pollInterval() const noexcept override { return interval; }
    [[nodiscard]] SinkReport report() const override { return {}; }

    void want(TimePoint notBefore) { demand->frameWanted(*this, notBefore); }

    FrameDemand* demand = nullptr;
    std::vector<Shown> shown;
    std::vector<BufferId> forgotten;
    unsigned gone = 0;
    Nanoseconds interval = std::chrono::milliseconds(16);
    std::function<void()> onShow;
};

} // namespace vgpuview::doubles

// SPDX-License-Identifier: MIT
// Whether a guest brings new buffers all the time.
#pragma once

#include "base/clock.h"

#include <chrono>
#include <utility>

namespace vgpuview {

/// Each change of the guest's set of buffers costs the consumers a new pool: a guest that goes on with it is copied.
class SetChurn {
public:
    /// The set has changed. Earlier changes fade: one in each interval is free.
    void count(TimePoint now) noexcept {
        const auto forgiven = (now - last_) / interval;
        last_ = now;
        changes_ = forgiven >= changes_ ? 1 : changes_ - static_cast<unsigned>(forgiven) + 1;
        high_ = changes_ > mostChanges;
    }
    [[nodiscard]] bool high() const noexcept { return high_; }
    /// Returns whether it was high.
    bool reset() noexcept {
        changes_ = 0;
        return std::exchange(high_, false);
    }

private:
    static constexpr unsigned mostChanges = 24;
    static constexpr Nanoseconds interval = std::chrono::milliseconds(250);

    unsigned changes_ = 0;
    TimePoint last_{};
    bool high_ = false;
};

} // namespace vgpuview

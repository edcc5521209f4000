// SPDX-License-Identifier: MIT
// Whether consumers that have left took slots along.
#pragma once

#include "base/clock.h"

#include <chrono>
#include <optional>

namespace vgpuview {

/// A consumer counts itself out of a slot when it gives that back (SPA_META_Busy), and one that was killed never does.
/// Where others stay, the pool stays too: if no slot comes free for long, a new one is due.
class LostSlots {
public:
    /// A consumer has left.
    void suspect() noexcept { suspected_ = true; }
    /// There will be a new pool.
    void clear() noexcept {
        suspected_ = false;
        noneSince_.reset();
    }
    void found() noexcept { noneSince_.reset(); }
    /// None is free. Returns whether those that should be are lost.
    [[nodiscard]] bool none(TimePoint now) noexcept {
        if (!noneSince_)
            noneSince_ = now;
        return suspected_ && now - *noneSince_ >= patience;
    }

private:
    static constexpr Nanoseconds patience = std::chrono::seconds(1);

    bool suspected_ = false;
    std::optional<TimePoint> noneSince_;
};

} // namespace vgpuview

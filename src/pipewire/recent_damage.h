// SPDX-License-Identifier: MIT
// What has changed for consumers that may have missed frames.
#pragma once

#include "base/clock.h"
#include "frame/damage.h"

#include <chrono>

namespace vgpuview {

/// Since PipeWire 1.2 a consumer that is late misses frames, and nobody is told: each frame's damage is told for a
/// while with those that follow.
class RecentDamage {
public:
    /// A frame with this damage, in a picture of that size. Returns all that may be new to a consumer that was late for
    /// no longer than `memory`.
    [[nodiscard]] Damage add(const Damage& damage, Size size, TimePoint now) noexcept {
        if (size != size_ || now - since_ >= 2 * memory)
            older_.clear();
        else if (now - since_ >= memory)
            older_ = recent_;
        if (size != size_ || now - since_ >= memory) {
            recent_.clear();
            since_ = now;
            size_ = size;
        }
        recent_.add(damage);
        Damage all = recent_;
        all.add(older_);
        return all;
    }

private:
    static constexpr Nanoseconds memory = std::chrono::milliseconds(250);

    Size size_;
    TimePoint since_{}; ///< the frames in recent_ came in the time from here on
    Damage recent_;
    Damage older_; ///< of the frames in the time before
};

} // namespace vgpuview

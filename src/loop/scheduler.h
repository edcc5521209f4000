// SPDX-License-Identifier: MIT
// Time and timers as an interface, so that pacing can be tested with a clock of the test's own.
#pragma once

#include "base/clock.h"

#include <functional>
#include <memory>

namespace vgpuview {

/// Calls its handler once at a chosen time. Belongs to the loop's thread.
class Timer {
public:
    virtual ~Timer() = default;
    /// Replaces an earlier time. A time that has passed fires in the next turn of the loop, never inside this call.
    virtual void arm(TimePoint when) = 0;
    virtual void disarm() = 0;
};

class Scheduler : public Clock {
public:
    /// A disarmed timer. It must not outlive the scheduler.
    [[nodiscard]] virtual std::unique_ptr<Timer> makeTimer(std::function<void()> handler) = 0;
};

} // namespace vgpuview

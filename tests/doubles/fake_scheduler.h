// SPDX-License-Identifier: MIT
// A scheduler whose time moves only when the test says so.
#pragma once

#include "loop/scheduler.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace vgpuview::doubles {

class FakeScheduler final : public Scheduler {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return now_; }

    [[nodiscard]] std::unique_ptr<Timer> makeTimer(std::function<void()> handler) override {
        return std::make_unique<FakeTimer>(*this, std::move(handler));
    }

    /// Moves time on, firing the timers that come due, each at its own time, earliest first.
    void advance(Nanoseconds duration) {
        const TimePoint end = now_ + duration;
        while (FakeTimer* timer = earliest(end)) {
            now_ = std::max(now_, *timer->when);
            timer->when.reset();
            ++fired_;
            timer->handler();
        }
        now_ = end;
    }
    /// Fires what is due now.
    void settle() { advance(Nanoseconds(0)); }

    /// How many timers have fired: wake-ups.
    [[nodiscard]] unsigned fired() const noexcept { return fired_; }
    [[nodiscard]] std::optional<TimePoint> nextTimer() const {
        std::optional<TimePoint> next;
        for (const FakeTimer* timer : timers_)
            if (timer->when && (!next || *timer->when < *next))
                next = timer->when;
        return next;
    }

private:
    struct FakeTimer final : Timer {
        FakeTimer(FakeScheduler& owner, std::function<void()> function)
            : scheduler(owner)
            , handler(std::move(function)) {
            scheduler.timers_.push_back(this);
        }
        FakeTimer(const FakeTimer&) = delete;
        FakeTimer& operator=(const FakeTimer&) = delete;
        ~FakeTimer() override { std::erase(scheduler.timers_, this); }
        void arm(TimePoint time) override { when = time; }
        void disarm() override { when.reset(); }

        FakeScheduler& scheduler;
        std::function<void()> handler;
        std::optional<TimePoint> when;
    };

    FakeTimer* earliest(TimePoint notAfter) {
        FakeTimer* found = nullptr;
        for (FakeTimer* timer : timers_)
            if (timer->when && *timer->when <= notAfter && (!found || *timer->when < *found->when))
                found = timer;
        return found;
    }

    TimePoint now_{std::chrono::seconds(1000)};
    std::vector<FakeTimer*> timers_;
    unsigned fired_ = 0;
};

} // namespace vgpuview::doubles

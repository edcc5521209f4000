// SPDX-License-Identifier: MIT
// Time as the program uses it: CLOCK_MONOTONIC in nanoseconds.
#pragma once

#include <chrono>

namespace vgpuview {

using Nanoseconds = std::chrono::nanoseconds;

/// CLOCK_MONOTONIC, as libstdc++'s and libc++'s steady_clock are on Linux.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Nanoseconds>;

/// Tells the time; tests advance their own.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const noexcept = 0;
};

class MonotonicClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
};

} // namespace vgpuview

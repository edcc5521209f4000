// SPDX-License-Identifier: MIT
// Percentiles of durations in fixed memory.
#pragma once

#include "base/clock.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace vgpuview {

struct Percentiles {
    Nanoseconds p50;
    Nanoseconds p95;
    Nanoseconds p99;
    Nanoseconds max;
};

/// Counts durations in buckets whose width is at most 1/16 of their value, up to 18 minutes; never allocates.
class DurationHistogram {
public:
    /// Negative durations count as zero.
    void add(Nanoseconds duration) noexcept;
    void merge(const DurationHistogram& other) noexcept;
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    /// Upper bounds of the buckets that hold the percentile, max exactly; nothing if nothing was added.
    [[nodiscard]] std::optional<Percentiles> percentiles() const noexcept;

private:
    static constexpr unsigned subBuckets = 16;
    static constexpr unsigned octaves = 37;

    [[nodiscard]] static std::size_t indexOf(std::uint64_t nanoseconds) noexcept;
    [[nodiscard]] static std::uint64_t upperBoundOf(std::size_t index) noexcept;
    [[nodiscard]] Nanoseconds percentile(unsigned perCent) const noexcept;

    std::array<std::uint64_t, std::size_t{subBuckets} * octaves> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace vgpuview

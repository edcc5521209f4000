// SPDX-License-Identifier: MIT
// Percentiles of durations in fixed memory.
#include "base/histogram.h"

#include <algorithm>
#include <bit>

namespace vgpuview {

// Values below 16 have a bucket each; above, an octave [2^n, 2^(n+1)) is cut into 16 equal buckets.
std::size_t DurationHistogram::indexOf(std::uint64_t nanoseconds) noexcept {
    if (nanoseconds < subBuckets)
        return nanoseconds;
    const unsigned shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 5;
    const std::size_t index = (std::size_t{shift} + 1) * subBuckets + ((nanoseconds >> shift) - subBuckets);
    return std::min<std::size_t>(index, std::size_t{subBuckets} * octaves - 1);
}

std::uint64_t DurationHistogram::upperBoundOf(std::size_t index) noexcept {
    if (index < subBuckets)
        return index;
    const std::size_t shift = index / subBuckets - 1;
    return ((subBuckets + index % subBuckets + 1) << shift) - 1;
}

void DurationHistogram::add(Nanoseconds duration) noexcept {
    const std::uint64_t value = duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
    ++buckets_[indexOf(value)];
    ++count_;
    max_ = std::max(max_, value);
}

void DurationHistogram::merge(const DurationHistogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

std::optional<Percentiles> DurationHistogram::percentiles() const noexcept {
    if (count_ == 0)
        return {};
    return Percentiles{percentile(50), percentile(95), percentile(99), Nanoseconds(max_)};
}

Nanoseconds DurationHistogram::percentile(unsigned perCent) const noexcept {
    const std::uint64_t rank = std::max<std::uint64_t>(1, (count_ * perCent + 99) / 100);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= rank)
            return Nanoseconds(std::min(upperBoundOf(i), max_));
    }
    return Nanoseconds(max_);
}

} // namespace vgpuview

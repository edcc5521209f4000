// SPDX-License-Identifier: MIT
// Heap allocations told apart by who asks for them. Link allocations.cpp into the benchmark.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace vgpuview::bench {

/// What is asked for from within shared libraries whose names hold one of these is counted apart: nobody who uses them
/// can help it. Call once, before any counting.
void setLibraries(std::initializer_list<const char*> names);

/// Counts this thread's allocations from now on, or no more.
void countAllocations(bool on) noexcept;

struct Allocations {
    std::uint64_t own = 0;
    std::uint64_t library = 0;
};
/// Since the last call, of this thread.
[[nodiscard]] Allocations takeAllocations() noexcept;

} // namespace vgpuview::bench

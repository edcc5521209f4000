// SPDX-License-Identifier: MIT
// Counts a test program's heap allocations; link allocation_count.cpp into it.
#pragma once

#include <cstddef>

namespace vgpuview::doubles {

/// Calls of operator new so far, by all threads.
[[nodiscard]] std::size_t allocationCount() noexcept;

} // namespace vgpuview::doubles

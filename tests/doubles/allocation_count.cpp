// SPDX-License-Identifier: MIT
// Counts a test program's heap allocations, in a file of its own so that the compiler can't see through new and delete.
#include "doubles/allocation_count.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> count{0};
}

std::size_t vgpuview::doubles::allocationCount() noexcept {
    return count.load();
}

void* operator new(std::size_t bytes) {
    ++count;
    if (void* memory = std::malloc(bytes))
        return memory;
    throw std::bad_alloc();
}

void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    ++count;
    return std::malloc(bytes);
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}

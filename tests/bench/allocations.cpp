// SPDX-License-Identifier: MIT
// Heap allocations told apart by who asks for them.
#include "allocations.h"

#include <link.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace {

struct AddressRange {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
};

struct Libraries {
    std::array<AddressRange, 16> ranges{};
    std::size_t count = 0;
};

Libraries libraries;
thread_local bool counting = false;
thread_local vgpuview::bench::Allocations allocations;

void count(const void* caller) {
    if (!counting)
        return;
    const auto address = reinterpret_cast<std::uintptr_t>(caller);
    for (std::size_t i = 0; i < libraries.count; ++i)
        if (address >= libraries.ranges[i].begin && address < libraries.ranges[i].end) {
            ++allocations.library;
            return;
        }
    ++allocations.own;
}

int note(dl_phdr_info* info, std::size_t, void* data) {
    const auto& names = *static_cast<const std::initializer_list<const char*>*>(data);
    const bool wanted = std::any_of(names.begin(), names.end(),
                                    [&](const char* name) { return std::strstr(info->dlpi_name, name) != nullptr; });
    if (!wanted || libraries.count == libraries.ranges.size())
        return 0;
    AddressRange range{UINTPTR_MAX, 0};
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& header = info->dlpi_phdr[i];
        if (header.p_type != PT_LOAD)
            continue;
        range.begin = std::min(range.begin, static_cast<std::uintptr_t>(info->dlpi_addr + header.p_vaddr));
        range.end = std::max(range.end, static_cast<std::uintptr_t>(info->dlpi_addr + header.p_vaddr + header.p_memsz));
    }
    libraries.ranges[libraries.count++] = range;
    return 0;
}

} // namespace

namespace vgpuview::bench {

void setLibraries(std::initializer_list<const char*> names) {
    libraries.count = 0;
    ::dl_iterate_phdr(note, &names);
}

void countAllocations(bool on) noexcept {
    counting = on;
}

Allocations takeAllocations() noexcept {
    return std::exchange(allocations, {});
}

} // namespace vgpuview::bench

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t number, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}
__attribute__((visibility("default"))) void* realloc(void* memory, std::size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}
}

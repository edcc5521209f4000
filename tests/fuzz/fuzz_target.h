// SPDX-License-Identifier: MIT
// What a fuzz target is made of: the entry that libFuzzer calls (so does driver.cpp), bytes taken one by one, checks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

/// libFuzzer's entry point. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace vgpuview::fuzz {

/// Ends the process, and so the fuzzing, at a broken promise.
inline void require(bool holds, const char* promise) {
    if (holds)
        return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

/// The input, taken from the front; zeros when it has run out.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size)
        : rest_(data, size) {}

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    template<typename Value>
    Value take() {
        Value value{};
        const std::size_t taken = std::min(sizeof(value), rest_.size());
        if (taken != 0)
            std::memcpy(&value, rest_.data(), taken);
        rest_ = rest_.subspan(taken);
        return value;
    }
    [[nodiscard]] std::string text() const { return {reinterpret_cast<const char*>(rest_.data()), rest_.size()}; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(rest_); }

private:
    std::span<const std::uint8_t> rest_;
};

} // namespace vgpuview::fuzz

// SPDX-License-Identifier: MIT
// Which keys and buttons the guest believes to be down.
#pragma once

#include <linux/input-event-codes.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace vgpuview {

/// A set of evdev codes. Kept in a file, it outlives a process that is killed, so that the next one can lift what the
/// guest still holds: QEMU itself never does.
class HeldKeys {
public:
    /// In memory.
    HeldKeys();
    /// In a file, which is made if need be and belongs to one process at a time. In memory where that cannot be had.
    explicit HeldKeys(const std::filesystem::path& file);

    /// Codes above KEY_MAX are never in the set.
    [[nodiscard]] bool contains(std::uint32_t evdevCode) const noexcept;
    void insert(std::uint32_t evdevCode) noexcept;
    void erase(std::uint32_t evdevCode) noexcept;
    /// The visitor may erase the code that it is given.
    void forEach(const std::function<void(std::uint32_t evdevCode)>& visitor) const;

private:
    static constexpr std::size_t bitsPerWord = 64;
    static constexpr std::size_t words = (KEY_MAX + 1) / bitsPerWord;
    static_assert(words * bitsPerWord == KEY_MAX + 1);

    // Through volatile: the file must have it before the guest does.
    std::shared_ptr<volatile std::uint64_t> bits_;
};

/// The file in which to keep what the guest behind that back end holds: its description, the same in each process.
[[nodiscard]] std::filesystem::path heldKeysFile(const std::filesystem::path& runtimeFolder,
                                                 std::string_view backendDescription);

} // namespace vgpuview

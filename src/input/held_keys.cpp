// SPDX-License-Identifier: MIT
// Which keys and buttons the guest believes to be down.
#include "input/held_keys.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <string>
#include <system_error>

namespace vgpuview {

namespace {

// The descriptor holds the lock, so it lives as long as the mapping.
std::shared_ptr<volatile std::uint64_t> mapFile(const std::filesystem::path& file, std::size_t bytes) {
    std::error_code ignored;
    std::filesystem::create_directories(file.parent_path(), ignored);
    UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid() ||
        ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
        return {};
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED)
        return {};
    auto keeper = std::make_shared<UniqueFd>(std::move(fd));
    return {static_cast<volatile std::uint64_t*>(memory),
            [bytes, keeper](volatile std::uint64_t* mapped) { ::munmap(const_cast<std::uint64_t*>(mapped), bytes); }};
}

} // namespace

HeldKeys::HeldKeys()
    : bits_(new volatile std::uint64_t[words]{}, std::default_delete<volatile std::uint64_t[]>()) {}

HeldKeys::HeldKeys(const std::filesystem::path& file)
    : bits_(mapFile(file, words * sizeof(std::uint64_t))) {
    if (!bits_)
        *this = HeldKeys();
}

bool HeldKeys::contains(std::uint32_t evdevCode) const noexcept {
    return evdevCode <= KEY_MAX && (bits_.get()[evdevCode / bitsPerWord] >> (evdevCode % bitsPerWord) & 1) != 0;
}

void HeldKeys::insert(std::uint32_t evdevCode) noexcept {
    if (evdevCode > KEY_MAX)
        return;
    volatile std::uint64_t& word = bits_.get()[evdevCode / bitsPerWord];
    word = word | std::uint64_t{1} << (evdevCode % bitsPerWord);
}

void HeldKeys::erase(std::uint32_t evdevCode) noexcept {
    if (evdevCode > KEY_MAX)
        return;
    volatile std::uint64_t& word = bits_.get()[evdevCode / bitsPerWord];
    word = word & ~(std::uint64_t{1} << (evdevCode % bitsPerWord));
}

void HeldKeys::forEach(const std::function<void(std::uint32_t)>& visitor) const {
    for (std::size_t i = 0; i < words; ++i)
        for (std::uint64_t word = bits_.get()[i]; word != 0; word &= word - 1)
            visitor(static_cast<std::uint32_t>(i * bitsPerWord + static_cast<std::size_t>(std::countr_zero(word))));
}

std::filesystem::path heldKeysFile(const std::filesystem::path& runtimeFolder, std::string_view backendDescription) {
    constexpr std::size_t longestName = 200;
    std::string name = "held-";
    for (const char c : backendDescription)
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.')
            name += c;
        else
            name += fmt::format("_{:02x}", static_cast<unsigned char>(c));
    if (name.size() > longestName)
        name = fmt::format("held-{:016x}", std::hash<std::string>()(name));
    return runtimeFolder / "vgpu-view" / name;
}

} // namespace vgpuview

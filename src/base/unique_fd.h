// SPDX-License-Identifier: MIT
// An owned file descriptor.
#pragma once

#include <utility>

namespace vgpuview {

/// Owns one file descriptor and closes it. Move-only; never converts to int by itself.
/// Every descriptor it holds is close-on-exec, because whoever opened it asked for that.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) noexcept
        : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other)
            reset(std::exchange(other.fd_, -1));
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    /// Closes what it held. errno is left as it was.
    void reset(int fd = -1) noexcept;

    /// A second descriptor of the same open file, close-on-exec. Throws Error.
    [[nodiscard]] UniqueFd duplicate() const;
    /// The same for a descriptor that the caller owns.
    [[nodiscard]] static UniqueFd duplicateOf(int fd);

private:
    int fd_ = -1;
};

} // namespace vgpuview

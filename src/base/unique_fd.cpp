// SPDX-License-Identifier: MIT
// An owned file descriptor.
#include "base/unique_fd.h"

#include "base/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace vgpuview {

void UniqueFd::reset(int fd) noexcept {
    const int old = std::exchange(fd_, fd);
    if (old < 0)
        return;
    const int saved = errno;
    // Linux closes the descriptor even where close() reports EINTR or EIO: there is nothing to retry.
    ::close(old);
    errno = saved;
}

UniqueFd UniqueFd::duplicate() const {
    return duplicateOf(fd_);
}

UniqueFd UniqueFd::duplicateOf(int fd) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        throw Error(errno, {.operation = "duplicate", .object = fmt::format("descriptor {}", fd)});
    return UniqueFd(copy);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The real system calls.
#include "vfio/io.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace vgpuview {

namespace {

template<typename Call>
auto uninterrupted(Call call) noexcept {
    for (;;) {
        const auto result = call();
        if (result >= 0)
            return result;
        if (errno != EINTR)
            return static_cast<decltype(result)>(-errno);
    }
}

} // namespace

int SystemVfioIo::open(const std::string& path) noexcept {
    return uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); });
}

int SystemVfioIo::access(const std::string& path) noexcept {
    return ::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0 ? 0 : -errno;
}

int SystemVfioIo::ioctl(int fd, unsigned long request, void* argument) noexcept {
    return uninterrupted([&] { return ::ioctl(fd, request, argument); });
}

int SystemVfioIo::map(int fd, std::uint64_t offset, std::size_t length, void** address) noexcept {
    void* mapped = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (mapped == MAP_FAILED)
        return -errno;
    *address = mapped;
    return 0;
}

void SystemVfioIo::unmap(void* address, std::size_t length) noexcept {
    ::munmap(address, length);
}

std::int64_t SystemVfioIo::read(int fd, std::uint64_t offset, std::span<std::byte> bytes) noexcept {
    return uninterrupted([&] { return ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
}

std::int64_t SystemVfioIo::write(int fd, std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
    return uninterrupted([&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
}

std::int64_t SystemVfioIo::sizeOf(int fd) noexcept {
    const off_t end = ::lseek(fd, 0, SEEK_END);
    return end < 0 ? -errno : end;
}

// By number: Debian 12's glibc has these only from 2.36 on, under a header that clashes with older ones.
int SystemVfioIo::openProcess(pid_t pid) noexcept {
    const long fd = ::syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : static_cast<int>(fd);
}

int SystemVfioIo::copyDescriptor(int processFd, int fdOfProcess) noexcept {
    const long fd = ::syscall(SYS_pidfd_getfd, processFd, fdOfProcess, 0);
    return fd < 0 ? -errno : static_cast<int>(fd);
}

bool SystemVfioIo::areSameFile(int a, int b) noexcept {
    const pid_t self = ::getpid();
    return ::syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

} // namespace vgpuview

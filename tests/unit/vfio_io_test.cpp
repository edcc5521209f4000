// SPDX-License-Identifier: MIT
// The real system calls behind the seam, on what any host has: errors as values, descriptors closed on exec.
#include "base/unique_fd.h"
#include "doubles/fake_vfio_io.h"
#include "vfio/io.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>

namespace vgpuview {
namespace {

TEST(SystemVfioIo, ErrorsAreValues) {
    SystemVfioIo io;
    EXPECT_EQ(io.open("/nonexistent"), -ENOENT);
    EXPECT_EQ(io.access("/nonexistent"), -ENOENT);
    EXPECT_EQ(io.ioctl(-1, 0, nullptr), -EBADF);
    std::array<std::byte, 4> bytes{};
    EXPECT_EQ(io.read(-1, 0, bytes), -EBADF);
    EXPECT_EQ(io.write(-1, 0, bytes), -EBADF);
    EXPECT_EQ(io.sizeOf(-1), -EBADF);
    void* address = nullptr;
    EXPECT_EQ(io.map(-1, 0, 4096, &address), -EBADF);
    EXPECT_EQ(io.openProcess(-1), -EINVAL);
    EXPECT_EQ(io.copyDescriptor(-1, 0), -EBADF);
}

TEST(SystemVfioIo, OpensForReadingAndWritingAndClosesOnExec) {
    SystemVfioIo io;
    EXPECT_EQ(io.access("/dev/null"), 0);
    const UniqueFd fd(io.open("/dev/null"));
    ASSERT_TRUE(fd);
    EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_ACCMODE, O_RDWR);
    EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(SystemVfioIo, ReadsWritesMeasuresAndMaps) {
    SystemVfioIo io;
    const UniqueFd memory = doubles::makeMemory("memory", 8192);
    const std::array<std::byte, 4> written{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    EXPECT_EQ(io.write(memory.get(), 4098, written), 4);
    std::array<std::byte, 4> read{};
    EXPECT_EQ(io.read(memory.get(), 4098, read), 4);
    EXPECT_EQ(read, written);
    EXPECT_EQ(io.sizeOf(memory.get()), 8192);
    void* address = nullptr;
    ASSERT_EQ(io.map(memory.get(), 4096, 4096, &address), 0);
    EXPECT_EQ(std::memcmp(static_cast<const std::byte*>(address) + 2, written.data(), written.size()), 0);
    io.unmap(address, 4096);
}

TEST(SystemVfioIo, CopiesADescriptorOfAnotherProcessAndHearsOfItsEnd) {
    SystemVfioIo io;
    const UniqueFd memory = doubles::makeMemory("memory", 64);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    const UniqueFd process(io.openProcess(child));
    ASSERT_TRUE(process);
    EXPECT_NE(::fcntl(process.get(), F_GETFD) & FD_CLOEXEC, 0);
    const int copied = io.copyDescriptor(process.get(), memory.get());
    pollfd watched{.fd = process.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&watched, 1, 0), 0);
    ::kill(child, SIGKILL);
    EXPECT_EQ(::poll(&watched, 1, 5000), 1);
    ::waitpid(child, nullptr, 0);
    if (copied == -EPERM)
        GTEST_SKIP() << "this host does not let a process trace its child";
    const UniqueFd copy(copied);
    EXPECT_EQ(doubles::inodeOf(copy.get()), doubles::inodeOf(memory.get()));
    EXPECT_NE(::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(io.copyDescriptor(process.get(), memory.get()), -ESRCH);
}

TEST(SystemVfioIo, TellsADuplicateFromAnotherFile) {
    SystemVfioIo io;
    const UniqueFd memory = doubles::makeMemory("memory", 64);
    const UniqueFd other = doubles::makeMemory("memory", 64);
    const UniqueFd duplicate = memory.duplicate();
    EXPECT_FALSE(io.areSameFile(memory.get(), other.get()));
    if (!io.areSameFile(memory.get(), memory.get()))
        GTEST_SKIP() << "this kernel does not compare files";
    EXPECT_TRUE(io.areSameFile(memory.get(), duplicate.get()));
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The one seam to the kernel's VFIO interfaces, which tests replace.
#pragma once

#include "base/unique_fd.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vgpuview {

/// System calls on device nodes and devices. Errors are values: each call answers -errno, as the kernel does, and never
/// throws. Calls that were interrupted are made again. Descriptors that it hands out are real ones and close-on-exec.
class VfioIo {
public:
    virtual ~VfioIo() = default;

    /// Opens for reading and writing. The descriptor, or -errno.
    [[nodiscard]] virtual int open(const std::string& path) noexcept = 0;
    /// Whether open() would be permitted: 0, or -errno. Opens nothing.
    [[nodiscard]] virtual int access(const std::string& path) noexcept = 0;
    /// argument: a pointer, or a number, as the request has it.
    [[nodiscard]] virtual int ioctl(int fd, unsigned long request, void* argument) noexcept = 0;
    /// Maps shared, for reading. Puts the address in *address and answers 0, or -errno.
    [[nodiscard]] virtual int map(int fd, std::uint64_t offset, std::size_t length, void** address) noexcept = 0;
    virtual void unmap(void* address, std::size_t length) noexcept = 0;
    /// Bytes read or written (all of them, or fewer), or -errno.
    [[nodiscard]] virtual std::int64_t read(int fd, std::uint64_t offset, std::span<std::byte> bytes) noexcept = 0;
    [[nodiscard]] virtual std::int64_t write(int fd, std::uint64_t offset,
                                             std::span<const std::byte> bytes) noexcept = 0;
    /// The size of what is behind a dma-buf's descriptor, in bytes, or -errno.
    [[nodiscard]] virtual std::int64_t sizeOf(int fd) noexcept = 0;
    /// A descriptor that becomes readable when the process ends, or -errno.
    [[nodiscard]] virtual int openProcess(pid_t pid) noexcept = 0;
    /// A copy of that process' descriptor, or -errno. Needs the right to trace the process (ptrace(2)).
    [[nodiscard]] virtual int copyDescriptor(int processFd, int fdOfProcess) noexcept = 0;
    /// Whether both descriptors of this process are of one open file (kcmp(2)); false where the kernel doesn't tell.
    [[nodiscard]] virtual bool areSameFile(int a, int b) noexcept = 0;
};

class SystemVfioIo final : public VfioIo {
public:
    [[nodiscard]] int open(const std::string& path) noexcept override;
    [[nodiscard]] int access(const std::string& path) noexcept override;
    [[nodiscard]] int ioctl(int fd, unsigned long request, void* argument) noexcept override;
    [[nodiscard]] int map(int fd, std::uint64_t offset, std::size_t length, void** address) noexcept override;
    void unmap(void* address, std::size_t length) noexcept override;
    [[nodiscard]] std::int64_t read(int fd, std::uint64_t offset, std::span<std::byte> bytes) noexcept override;
    [[nodiscard]] std::int64_t write(int fd, std::uint64_t offset, std::span<const std::byte> bytes) noexcept override;
    [[nodiscard]] std::int64_t sizeOf(int fd) noexcept override;
    [[nodiscard]] int openProcess(pid_t pid) noexcept override;
    [[nodiscard]] int copyDescriptor(int processFd, int fdOfProcess) noexcept override;
    [[nodiscard]] bool areSameFile(int a, int b) noexcept override;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Memory for pictures that this program draws itself.
#include "frame/picture_memory.h"

#include "base/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

namespace vgpuview {

namespace {

constexpr const char* udmabufPath = "/dev/udmabuf";

std::uint64_t wholePages(std::uint64_t bytes) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

} // namespace

UniqueFd allocateMemfd(std::uint64_t bytes) {
    const std::uint64_t length = wholePages(bytes);
    UniqueFd memory(::memfd_create("vgpu-view", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory || length > std::uint64_t{std::numeric_limits<off_t>::max()} ||
        ::ftruncate(memory.get(), static_cast<off_t>(length)) != 0 ||
        ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
        throw Error(errno, {.operation = "allocate", .object = fmt::format("{} bytes for a picture", bytes)});
    return memory;
}

UniqueFd allocateUdmabuf(std::uint64_t bytes) {
    const UniqueFd device(::open(udmabufPath, O_RDWR | O_CLOEXEC));
    if (!device)
        throw Error(errno, {.operation = "open",
                            .object = udmabufPath,
                            .hint = errno == ENOENT ? "load it with 'modprobe udmabuf'"
                                                    : "be in the device node's group (often kvm), or root",
                            .exit = errno == ENOENT ? ExitCode::notSupported : exitCodeOf(errno)});
    const UniqueFd memory = allocateMemfd(bytes);
    udmabuf_create request{.memfd = static_cast<std::uint32_t>(memory.get()),
                           .flags = UDMABUF_FLAGS_CLOEXEC,
                           .offset = 0,
                           .size = wholePages(bytes)};
    UniqueFd dmaBuf(::ioctl(device.get(), UDMABUF_CREATE, &request));
    if (!dmaBuf)
        throw Error(errno, {.operation = "make a dma-buf of",
                            .object = fmt::format("{} bytes", bytes),
                            .hint = "/sys/module/udmabuf/parameters/size_limit_mb is the largest size, in MB",
                            .exit = ExitCode::notSupported});
    return dmaBuf;
}

} // namespace vgpuview

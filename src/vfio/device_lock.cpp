// SPDX-License-Identifier: MIT
// One viewer per device, by a lock on the device's folder in sysfs.
#include "base/error.h"
#include "vfio/host_files.h"
#include "vfio/opened_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

namespace vgpuview {

namespace {

// A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 00:16:12345 0 EOF". Empty where none fits.
std::string lockOwner(const HostPaths& paths, int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0)
        return {};
    const std::string file =
        fmt::format(" {:02x}:{:02x}:{} ", major(status.st_dev), minor(status.st_dev), status.st_ino);
    const std::string locks = readHostFile(paths.procfs() / "locks").value_or("");
    const std::size_t found = locks.find(file);
    if (found == std::string::npos)
        return {};
    const std::size_t before = locks.rfind(' ', found - 1);
    const std::string owner = locks.substr(before + 1, found - before - 1);
    return decimal(owner) ? owner : std::string();
}

} // namespace

UniqueFd lockDevice(const HostPaths& paths, std::string_view uuid) {
    const std::filesystem::path folder = paths.sysfs() / "bus" / "mdev" / "devices" / uuid;
    UniqueFd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock)
        throw Error(errno, {.operation = "open", .object = std::string(uuid)});
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0)
        return lock;
    if (errno != EWOULDBLOCK)
        throw Error(errno, {.operation = "lock", .object = std::string(uuid)});
    const std::string owner = lockOwner(paths, lock.get());
    throw Error(EBUSY,
                {.operation = "open",
                 .object = std::string(uuid),
                 .cause = owner.empty() ? std::string("another vgpu-view shows it")
                                        : fmt::format("another vgpu-view (pid {}) shows it", owner),
                 .hint = "end that one first; several outputs of one device need one vgpu-view: `vgpu-view window "
                         "--stream`",
                 .exit = ExitCode::held});
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// From what the user said, or what a QEMU was started with, to the guest's input.
#include "app/input_factory.h"

#include "base/error.h"
#include "base/unique_fd.h"
#include "input/dbus_backend.h"
#include "input/guest_input.h"
#include "input/qemu_command_line.h"
#include "input/qmp_backend.h"
#include "vfio/host_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vgpuview {

namespace {

namespace fs = std::filesystem;

constexpr int firstFreeFd = 3;

/// What the guest holds is kept where it outlives this process but not the session.
HeldKeys heldKeysBehind(std::string_view guest) {
    const char* runtimeFolder = std::getenv("XDG_RUNTIME_DIR");
    if (runtimeFolder == nullptr || *runtimeFolder == '\0')
        return {};
    return HeldKeys(heldKeysFile(runtimeFolder, guest));
}

std::unique_ptr<InputSink> qmpSink(EventLoop& loop, Log& log, const fs::path& socket) {
    auto backend = std::make_unique<QmpBackend>(loop, log, socket);
    // One guest, however its socket is spelled and from wherever.
    std::error_code error;
    fs::path canonical = fs::absolute(socket, error);
    if (!error)
        canonical = fs::weakly_canonical(canonical, error);
    HeldKeys held = heldKeysBehind(fmt::format("QMP {}", (error ? socket : canonical).string()));
    return std::make_unique<GuestInput>(std::move(backend), std::move(held));
}

std::unique_ptr<InputSink> dbusSink(EventLoop& loop, Log& log, DisplayBus display) {
    auto backend = std::make_unique<DbusBackend>(loop, log, std::move(display));
    HeldKeys held = heldKeysBehind(backend->description());
    return std::make_unique<GuestInput>(std::move(backend), std::move(held));
}

UniqueFd copyOf(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, firstFreeFd));
    if (!copy)
        throw Error(errno, {.operation = "use",
                            .object = fmt::format("descriptor {} for the D-Bus display", fd),
                            .hint = "--dbus-fd takes a connected socket that this program inherits",
                            .exit = ExitCode::usage});
    return copy;
}

std::vector<std::string> argumentsOf(const fs::path& processFolder) {
    const std::string text = readHostFile(processFolder / "cmdline").value_or("");
    std::vector<std::string> arguments;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view argument = rest.substr(0, rest.find('\0'));
        arguments.emplace_back(argument);
        rest.remove_prefix(std::min(rest.size(), argument.size() + 1));
    }
    return arguments;
}

bool isQemu(const std::vector<std::string>& arguments) {
    if (arguments.empty())
        return false;
    const std::string program = fs::path(arguments.front()).filename().string();
    return program.find("qemu") != std::string::npos || program.find("kvm") != std::string::npos;
}

} // namespace

std::unique_ptr<InputSink> makeNamedInput(const InputOptions& options, EventLoop& loop, Log& log) {
    if (!options.qmpSocket.empty())
        return qmpSink(loop, log, options.qmpSocket);
    if (options.dbusFd)
        return dbusSink(loop, log, copyOf(*options.dbusFd));
    return dbusSink(loop, log, DisplayBusAddress{options.dbusAddress.value_or("")});
}

FoundInput findInput(const HostPaths& paths, int process, EventLoop& loop, Log& log) {
    const fs::path folder = paths.procfs() / std::to_string(process);
    const std::vector<std::string> arguments = argumentsOf(folder);
    if (!isQemu(arguments)) {
        log.info("input is off: pid {} is no QEMU; --qmp, --dbus or --dbus-fd names a way to its guest", process);
        return {.sink = nullptr, .reason = "no way to the guest is known"};
    }
    const std::vector<fs::path> sockets = qmpSocketsOf(arguments, linkTarget(folder / "cwd"));
    try {
        // The first one is more likely to be some manager's own.
        if (!sockets.empty())
            return {.sink = qmpSink(loop, log, sockets.back()), .reason = {}};
        if (const auto bus = displayBusOf(arguments))
            return {.sink = dbusSink(loop, log, DisplayBusAddress{*bus}), .reason = {}};
    } catch (const Error& error) {
        log.warning("input is off: {}", error.what());
        return {.sink = nullptr, .reason = "QEMU's socket can't be used"};
    }
    log.warning("input is off: the QEMU with pid {} offers neither a QMP socket nor a D-Bus display; start it with "
                "-qmp unix:PATH,server=on,wait=off, or name a way by --qmp, --dbus or --dbus-fd",
                process);
    return {.sink = nullptr, .reason = "QEMU has no spare QMP socket"};
}

} // namespace vgpuview

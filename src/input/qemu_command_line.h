// SPDX-License-Identifier: MIT
// Finds the ways to a guest's input in the command line of its QEMU.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vgpuview {

/// The sockets on which that QEMU listens for QMP clients: -qmp unix:PATH, and -chardev socket with -mon mode=control.
/// Relative paths are completed with the process' working folder. libvirt's own monitor, which serves libvirt alone, is
/// left out.
[[nodiscard]] std::vector<std::filesystem::path> qmpSocketsOf(std::span<const std::string> arguments,
                                                              const std::filesystem::path& workingFolder);

/// The bus on which that QEMU offers its display (-display dbus): an address, or an empty string for the session's bus
/// of whoever started it. Nothing without such a display, or where only a passed descriptor leads to it (p2p).
[[nodiscard]] std::optional<std::string> displayBusOf(std::span<const std::string> arguments);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// From what the user said, or what a QEMU was started with, to the guest's input.
#pragma once

#include "app/input_options.h"
#include "base/log.h"
#include "input/input_sink.h"
#include "loop/event_loop.h"
#include "vfio/host_paths.h"

#include <memory>
#include <string>

namespace vgpuview {

/// A way to the guest, or why there is none.
struct FoundInput {
    std::unique_ptr<InputSink> sink;
    std::string reason; ///< half a sentence where there is none
};

/// By the way that the options name: --qmp, --dbus, --dbus-fd. Throws Error (usage) where that can't be one. Loop and
/// log outlive the sink.
[[nodiscard]] std::unique_ptr<InputSink> makeNamedInput(const InputOptions& options, EventLoop& loop, Log& log);
/// By the QMP socket, else the D-Bus display, that the process was started with if it is a QEMU.
[[nodiscard]] FoundInput findInput(const HostPaths& paths, int process, EventLoop& loop, Log& log);

} // namespace vgpuview

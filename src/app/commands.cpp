// SPDX-License-Identifier: MIT
// From the command's name to its function.
#include "app/commands.h"

#include "app/viewer.h"

namespace vgpuview {

ExitCode runCommand(const Options& options, Log& log) {
    switch (options.command) {
    case Command::list:
        return runList(options);
    case Command::probe:
        return runProbe(options);
    case Command::doctor:
        return runDoctor(options);
    case Command::shot:
        return runShot(options, log);
    case Command::window:
    case Command::stream:
    case Command::monitor:
        break;
    }
    return Viewer(options, log).run();
}

} // namespace vgpuview

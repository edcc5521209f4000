// SPDX-License-Identifier: MIT
// What each command does. Results go to standard output.
#pragma once

#include "app/options.h"
#include "base/error.h"
#include "base/log.h"

namespace vgpuview {

/// Runs the command that the options name. Throws Error.
ExitCode runCommand(const Options& options, Log& log);

ExitCode runList(const Options& options);
ExitCode runProbe(const Options& options);
ExitCode runDoctor(const Options& options);
ExitCode runShot(const Options& options, Log& log);

} // namespace vgpuview

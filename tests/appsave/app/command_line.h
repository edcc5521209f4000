// SPDX-License-Identifier: MIT
// The command line: arguments in, Options out.
#pragma once

#include "app/options.h"
#include "base/error.h"

#include <span>
#include <string>
#include <variant>

namespace vgpuview {

/// Nothing to run: the text to print on standard output (help, version), exit code 0.
struct PrintAndExit {
    std::string text;
};

/// Parses the arguments after the program's name. Throws Error with ExitCode::usage.
[[nodiscard]] std::variant<Options, PrintAndExit> parseCommandLine(std::span<const char* const> arguments);

} // namespace vgpuview

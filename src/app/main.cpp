// SPDX-License-Identifier: MIT
// vgpu-view: shows a virtual GPU's screen on its host.
#include "app/command_line.h"
#include "app/commands.h"
#include "base/error.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <span>

namespace {

using namespace vgpuview;

/// A guest that flips through many pages has a dma-buf, and so a descriptor, for each.
void raiseDescriptorLimit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

ExitCode runMain(std::span<const char* const> arguments) {
    const auto parsed = parseCommandLine(arguments);
    if (const auto* print = std::get_if<PrintAndExit>(&parsed)) {
        fmt::print("{}", print->text);
        return ExitCode::done;
    }
    const auto& options = std::get<Options>(parsed);
    raiseDescriptorLimit();
    StreamLog log(stderr, options.logLevel);
    return runCommand(options, log);
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::span<const char* const> all(argv, static_cast<std::size_t>(argc));
        return static_cast<int>(runMain(all.empty() ? all : all.subspan(1)));
    } catch (const Error& error) {
        fmt::print(stderr, "vgpu-view: {}\n", error.what());
        if (!error.hint().empty())
            fmt::print(stderr, "hint: {}\n", error.hint());
        return static_cast<int>(error.exitCode());
    } catch (const std::exception& error) {
        fmt::print(stderr, "vgpu-view: {}\n", error.what());
        return static_cast<int>(ExitCode::failed);
    }
}

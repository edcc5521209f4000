// SPDX-License-Identifier: MIT
// The sinks that a command line asks for.
#include "app/sink_factory.h"

#include "base/error.h"
#if VGPUVIEW_GPU
#include "gpu/gpu.h"
#endif

#include <cerrno>
#include <string_view>

namespace vgpuview {

namespace {

[[maybe_unused]] [[noreturn]] void notInThisBuild(std::string_view sink) {
    throw Error(EOPNOTSUPP, {.operation = "show",
                             .object = std::string("a ") + std::string(sink),
                             .cause = "this build does without it",
                             .hint = std::string("configure with -D") + std::string(sink) + "=enabled"});
}

#if VGPUVIEW_WINDOW
GpuFactory gpuFactory([[maybe_unused]] Log& log) {
#if VGPUVIEW_GPU
    return [&log] { return Gpu::create(log); };
#else
    return {};
#endif
}
#endif

std::unique_ptr<FrameSink> makeWindow([[maybe_unused]] const Options& options, [[maybe_unused]] EventLoop& loop,
                                      [[maybe_unused]] Log& log) {
#if VGPUVIEW_WINDOW
    return std::make_unique<WindowSink>(
        loop, log, gpuFactory(log),
        WindowOptions{.scale = options.scale, .start = options.start, .zeroCopy = options.zeroCopy});
#else
    notInThisBuild("window");
#endif
}

} // namespace

std::vector<std::unique_ptr<FrameSink>> makeSinks(const Options& options, EventLoop& loop, Log& log,
                                                  const SourceDescription*) {
    std::vector<std::unique_ptr<FrameSink>> sinks;
    sinks.push_back(makeWindow(options, loop, log));
    return sinks;
}

} // namespace vgpuview

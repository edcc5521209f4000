// SPDX-License-Identifier: MIT
// The sinks that a command line asks for.
#include "app/sink_factory.h"

#include "app/screenshot.h"
#include "base/error.h"
#if VGPUVIEW_GPU
#include "gpu/gpu.h"
#endif
#if VGPUVIEW_MONITOR
#include "monitor/monitor_sink.h"
#endif

#include <cerrno>
#include <string_view>
#include <utility>

namespace vgpuview {

namespace {

[[maybe_unused]] [[noreturn]] void notInThisBuild(std::string_view sink) {
    throw Error(EOPNOTSUPP, {.operation = "show",
                             .object = std::string("a ") + std::string(sink),
                             .cause = "this build does without it",
                             .hint = std::string("configure with -D") + std::string(sink) + "=enabled"});
}

#if VGPUVIEW_WINDOW || VGPUVIEW_STREAM
GpuFactory gpuFactory([[maybe_unused]] Log& log) {
#if VGPUVIEW_GPU
    return [&log] { return Gpu::create(log); };
#else
    return {};
#endif
}
#endif

std::unique_ptr<FrameSink> makeWindow([[maybe_unused]] const Options& options, [[maybe_unused]] EventLoop& loop,
                                      [[maybe_unused]] Log& log, [[maybe_unused]] InputSink* input) {
#if VGPUVIEW_WINDOW
    return std::make_unique<WindowSink>(
        loop, log, gpuFactory(log),
        WindowOptions{.scale = options.scale,
                      .start = options.start,
                      .cursor = options.cursor,
                      .zeroCopy = options.zeroCopy,
                      .overlay = options.overlay,
                      .latency = options.latency,
                      .tearing = options.tearing,
                      .resize = options.resize,
                      .size = options.size,
                      .input = input,
                      .hotKeys = options.input.hotKeys,
                      .saveScreenshot = [&log](const Frame& frame, const std::string& name) {
                          saveScreenshot(frame, name, log);
                      }});
#else
    notInThisBuild("window");
#endif
}

std::unique_ptr<FrameSink> makeMonitor([[maybe_unused]] const Options& options, [[maybe_unused]] EventLoop& loop,
                                       [[maybe_unused]] Log& log, [[maybe_unused]] InputSink* input) {
#if VGPUVIEW_MONITOR
    MonitorOptions monitor = options.monitor;
    monitor.input = input;
    monitor.hotKeys = options.input.hotKeys;
    monitor.saveScreenshot = [&log](const Frame& frame, const std::string& name) { saveScreenshot(frame, name, log); };
    return std::make_unique<MonitorSink>(loop, log, std::move(monitor));
#else
    notInThisBuild("monitor");
#endif
}

std::unique_ptr<FrameSink> makeStream([[maybe_unused]] const Options& options, [[maybe_unused]] EventLoop& loop,
                                      [[maybe_unused]] Log& log) {
#if VGPUVIEW_STREAM
    return std::make_unique<StreamSink>(loop, log, gpuFactory(log), options.stream);
#else
    notInThisBuild("stream");
#endif
}

std::unique_ptr<FrameSink> makeOwnSink(const Options& options, EventLoop& loop, Log& log, InputSink* input) {
    switch (options.command) {
    case Command::monitor:
        return makeMonitor(options, loop, log, input);
    case Command::stream:
        return makeStream(options, loop, log);
    default:
        return makeWindow(options, loop, log, input);
    }
}

} // namespace

std::vector<std::unique_ptr<FrameSink>> makeSinks(const Options& options, EventLoop& loop, Log& log, InputSink* input) {
    std::vector<std::unique_ptr<FrameSink>> sinks;
    sinks.push_back(makeOwnSink(options, loop, log, input));
    if (options.alsoStream && options.command != Command::stream)
        sinks.push_back(makeStream(options, loop, log));
#if VGPUVIEW_STREAM
    if (options.alsoCamera) {
        StreamOptions camera = options.stream;
        camera.role = StreamRole::camera;
        if (!camera.nodeName.empty())
            camera.nodeName += ".camera";
        sinks.push_back(std::make_unique<StreamSink>(loop, log, gpuFactory(log), std::move(camera)));
    }
#endif
    return sinks;
}

} // namespace vgpuview

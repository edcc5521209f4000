// SPDX-License-Identifier: MIT
// A window on the test's compositor, fed by the engine from a source of the test's own.
#pragma once

#include "base/error.h"
#include "component/wayland/test_compositor.h"
#include "doubles/fake_source.h"
#include "doubles/recording_log.h"
#include "forward/forwarder.h"
#include "gpu/gpu.h"
#include "loop/event_loop.h"
#include "wayland/window_sink.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace vgpuview::testing_wayland {

class WindowTest : public testing::Test {
protected:
    ~WindowTest() override {
        if (window)
            engine.removeSink(*window);
        engine.setSource(nullptr);
    }

    /// Connects; the window appears with the source's frame.
    void open(CompositorOptions options = {}, WindowOptions windowOptions = {}) {
        compositor = std::make_unique<TestCompositor>(std::move(options));
        windowOptions.display = compositor->takeClientSocket();
        window = std::make_unique<WindowSink>(loop, log, makeGpu, std::move(windowOptions));
    }
    void start() {
        engine.setSource(&source);
        engine.addSink(*window);
    }
    /// Runs the loop until it is so; false after 5 seconds.
    template<typename Condition>
    bool until(Condition condition) {
        const TimePoint deadline = loop.now() + std::chrono::seconds(5);
        while (!condition()) {
            if (loop.now() > deadline)
                return false;
            loop.iterate(std::chrono::milliseconds(1));
        }
        return true;
    }
    void runFor(Nanoseconds duration) {
        const TimePoint end = loop.now() + duration;
        while (loop.now() < end)
            loop.iterate(std::chrono::milliseconds(1));
    }

    // In the order in which the window creates them.
    SurfaceState mainSurface() { return compositor->surfaces().at(0); }
    SurfaceState videoSurface() { return compositor->surfaces().at(1); }
    SurfaceState cursorSurface() { return compositor->surfaces().at(2); }

    static ino_t inodeOf(const Buffer& buffer) {
        struct stat status {};
        return ::fstat(buffer.fd(), &status) == 0 ? status.st_ino : 0;
    }
    static BufferRef dmaBuf(Size size, std::uint32_t fourcc = DRM_FORMAT_XRGB8888) {
        return doubles::makeMemoryBuffer(size, BufferKind::dmaBuf, fourcc);
    }
    /// The window shows this very dma-buf.
    bool shows(const Buffer& buffer) {
        return until([&] { return mainSurface().inode == inodeOf(buffer); });
    }

    GpuFactory makeGpu; ///< before open()
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::debug};
    doubles::FakeSource source;
    std::vector<FrameSink*> closed;
    std::unique_ptr<TestCompositor> compositor;
    std::unique_ptr<WindowSink> window;
    Forwarder engine{loop, {.sinkClosed = [this](FrameSink& which) { closed.push_back(&which); }}};
};

} // namespace vgpuview::testing_wayland

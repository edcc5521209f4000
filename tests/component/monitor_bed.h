// SPDX-License-Identifier: MIT
// A monitor sink on wlroots' headless backend with its pixman renderer, and all that its tests need around it.
#pragma once

#include "doubles/fake_source.h"
#include "doubles/picture.h"
#include "doubles/recording_log.h"
#include "forward/forwarder.h"
#include "monitor/monitor_sink.h"
#include "monitor_tap.h"
#include "monitor_tap_devices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace vgpuview {

/// What a monitor showed last.
struct Screen {
    Size size;
    std::vector<std::uint32_t> argb;
    unsigned pictures = 0;

    [[nodiscard]] std::uint32_t at(std::uint32_t x, std::uint32_t y) const {
        return argb.at(std::size_t{y} * size.width + x) & 0xffffffU;
    }
    [[nodiscard]] std::size_t litPixels() const {
        return static_cast<std::size_t>(
            std::count_if(argb.begin(), argb.end(), [](std::uint32_t pixel) { return (pixel & 0xffffffU) != 0; }));
    }
};

inline void fill(const Buffer& buffer, auto&& colourOf) {
    const auto mapped = MappedBuffer::map(buffer, MapAccess::readWrite);
    ASSERT_TRUE(mapped);
    const Size size = buffer.layout().size;
    for (std::uint32_t y = 0; y < size.height; ++y)
        for (std::uint32_t x = 0; x < size.width; ++x) {
            const std::uint32_t colour = colourOf(x, y);
            std::memcpy(mapped->row(y).data() + std::size_t{x} * 4, &colour, 4);
        }
}

inline BufferRef patternBuffer(Size size, std::uint64_t number, BufferKind kind = BufferKind::dmaBuf) {
    BufferRef buffer = doubles::makeMemoryBuffer(size, kind);
    fill(*buffer, [&](std::uint32_t x, std::uint32_t y) { return patternPixel(number, x, y); });
    return buffer;
}

inline BufferRef plainBuffer(Size size, std::uint32_t colour, std::uint32_t fourcc = DRM_FORMAT_XRGB8888) {
    BufferRef buffer = doubles::makeMemoryBuffer(size, BufferKind::dmaBuf, fourcc);
    fill(*buffer, [&](std::uint32_t, std::uint32_t) { return colour; });
    return buffer;
}

class MonitorTest : public testing::Test {
protected:
    MonitorTest() {
        setOutputs(1);
        ::setenv("WLR_BACKENDS", "headless", 1);
        ::setenv("WLR_RENDERER", "pixman", 1);
        ::setenv("WLR_LIBINPUT_NO_DEVICES", "1", 1);
        tap.data = this;
        tap.picture = [](void* data, const char* output, const void* pixels, std::uint32_t fourcc, std::uint32_t width,
                         std::uint32_t height, std::size_t stride) {
            Screen& screen = static_cast<MonitorTest*>(data)->screens[output];
            screen.size = {width, height};
            screen.argb.resize(std::size_t{width} * height);
            ++screen.pictures;
            for (std::uint32_t y = 0; y < height; ++y)
                convertRow(fourcc, static_cast<const std::byte*>(pixels) + y * stride,
                           std::span(screen.argb).subspan(std::size_t{y} * width, width));
        };
        monitor_tap_use(&tap);
    }
    ~MonitorTest() override { end(); }

    /// Nothing of the sink is left after this.
    void end() {
        monitor_tap_unplug_devices();
        monitor_tap_use(nullptr);
        if (sink)
            engine.removeSink(*sink);
        sink.reset();
        engine.setSource(nullptr);
    }

    static void setOutputs(unsigned count) { ::setenv("WLR_HEADLESS_OUTPUTS", std::to_string(count).c_str(), 1); }

    void start(MonitorOptions options = {.mode = ModeRequest{.size = {320, 200}, .refreshMilliHz = {}}}) {
        sink = std::make_unique<MonitorSink>(loop, log, std::move(options));
        engine.setSource(&source);
        engine.addSink(*sink);
    }
    /// Runs the loop until it holds, for at most ten seconds.
    bool until(auto&& condition) {
        const TimePoint end = loop.now() + std::chrono::seconds(10);
        while (!condition() && loop.now() < end)
            loop.iterate(std::chrono::milliseconds(20));
        return condition();
    }
    void runFor(Nanoseconds duration) {
        const TimePoint end = loop.now() + duration;
        while (loop.now() < end)
            loop.iterate(end - loop.now());
    }
    [[nodiscard]] std::uint64_t detail(std::string_view name) const {
        for (const auto& [key, value] : sink->report().details)
            if (key == name)
                return std::stoull(value);
        ADD_FAILURE() << "no " << name;
        return 0;
    }
    /// How many messages have that in them.
    [[nodiscard]] int logged(std::string_view part) const {
        return static_cast<int>(std::count_if(log.lines.begin(), log.lines.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        }));
    }
    [[nodiscard]] std::string logText() const {
        std::string text;
        for (const std::string& line : log.lines)
            text += line + "\n";
        return text;
    }
    [[nodiscard]] Screen& screen() { return screens["HEADLESS-1"]; }

    monitor_tap tap{};
    std::map<std::string, Screen> screens;
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::info};
    doubles::FakeSource source;
    Forwarder engine{loop, {}};
    std::unique_ptr<MonitorSink> sink;
};

} // namespace vgpuview

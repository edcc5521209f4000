// SPDX-License-Identifier: MIT
// A stream on a daemon of the test's own, with a guest that does what the test says.
#pragma once

#include "forward/forwarder.h"
#include "pipewire/stream_sink.h"
#include "pipewire_bed.h"
#include "pipewire_guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace vgpuview::component {

using namespace std::chrono_literals;

inline constexpr Size small{320, 120};
inline constexpr const char* name = "vgpu-view.test";

/// Open descriptors of pictures that the test's guest drew.
inline std::size_t pictureDescriptors() {
    std::size_t count = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        if (std::filesystem::read_symlink(entry.path(), ignored).string().starts_with("/memfd:test buffer"))
            ++count;
    return count;
}

class RecordingLog final : public Log {
public:
    RecordingLog()
        : Log(LogLevel::debug) {}
    [[nodiscard]] bool told(std::string_view part) const { return text.find(part) != std::string::npos; }

    std::string text;

protected:
    void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
};

class StreamTest : public testing::Test {
protected:
    explicit StreamTest(SessionManager manager = SessionManager::none)
        : bed(manager) {}
    void start(StreamOptions options = {}) {
        options.nodeName = name;
        if (options.maxFps == 60)
            options.maxFps = 500;
        sink = std::make_unique<StreamSink>(loop, log, makeGpu, options);
        engine.setSource(&guest);
        engine.addSink(*sink);
    }
    ~StreamTest() override { stop(); }
    void stop() {
        if (sink)
            engine.removeSink(*sink);
        sink.reset();
        engine.setSource(nullptr);
    }
    template<typename Condition>
    bool runUntil(Condition&& condition, Nanoseconds longest = 5s) {
        const TimePoint deadline = loop.now() + longest;
        while (!condition()) {
            if (loop.now() >= deadline)
                return false;
            loop.iterate(1ms);
        }
        return true;
    }
    void runFor(Nanoseconds duration) {
        runUntil([] { return false; }, duration);
    }
    /// Shows one picture and waits until the consumer has looked at it.
    bool flipAndWait(const Consumer& consumer) {
        guest.flip();
        return runUntil([&] { return consumer.report().lastSequence == guest.sequence(); });
    }
    /// Puts the cursor over the pixel that the consumer's report has: 300, 100.
    void coverFirstPixel() { guest.showCursor({300 - patternCursorHotSpot.x - 1, 100 - patternCursorHotSpot.y - 3}); }
    /// That pixel is the guest's, with the cursor's blended over it where that covers it.
    void expectFirstPixel(const Consumer& consumer, bool covered) {
        const std::uint32_t cursor = cursorPixel(static_cast<std::uint32_t>(patternCursorHotSpot.x) + 1,
                                                 static_cast<std::uint32_t>(patternCursorHotSpot.y) + 3);
        ASSERT_NE(cursor >> 24, 0U) << "the cursor covers the place";
        const std::uint32_t above = covered ? cursor : 0;
        const std::uint32_t below = patternPixel(guest.sequence(), 300, 100);
        for (const unsigned shift : {0U, 8U, 16U}) {
            const std::uint32_t expected =
                ((above >> shift) & 0xff) + ((below >> shift) & 0xff) * (255 - (above >> 24)) / 255;
            EXPECT_NEAR((consumer.report().firstPixel >> shift) & 0xff, expected, 1) << "shift " << shift;
        }
    }
    std::string detail(std::string_view key) const {
        const SinkReport report = sink->report();
        const auto found = std::find_if(report.details.begin(), report.details.end(),
                                        [&](const auto& entry) { return entry.first == key; });
        return found == report.details.end() ? "" : found->second;
    }

    Bed bed;
    GpuFactory makeGpu;
    EventLoop loop;
    RecordingLog log;
    Guest guest{BufferKind::dmaBuf};
    Forwarder engine{loop, {}};
    std::unique_ptr<StreamSink> sink;
};

} // namespace vgpuview::component

// SPDX-License-Identifier: MIT
// The stream against a real daemon and a consumer in a process of its own.
#include "base/error.h"
#include "forward/forwarder.h"
#include "pipewire/stream_sink.h"
#include "pipewire_bed.h"
#include "pipewire_guest.h"

#include <gtest/gtest.h>
#include <spa/buffer/buffer.h>
#include <spa/param/video/raw.h>

#include <algorithm>
#include <memory>
#include <string>

namespace vgpuview::component {
namespace {

using namespace std::chrono_literals;

constexpr Size small{320, 120};
constexpr const char* name = "vgpu-view.test";

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
    void start(StreamOptions options = {}) {
        options.nodeName = name;
        if (options.maxFps == 60)
            options.maxFps = 500;
        sink = std::make_unique<StreamSink>(loop, log, GpuFactory{}, options);
        engine.setSource(&guest);
        engine.addSink(*sink);
    }
    ~StreamTest() override {
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
    std::string detail(std::string_view key) const {
        const SinkReport report = sink->report();
        const auto found = std::find_if(report.details.begin(), report.details.end(),
                                        [&](const auto& entry) { return entry.first == key; });
        return found == report.details.end() ? "" : found->second;
    }

    Bed bed{SessionManager::none};
    EventLoop loop;
    RecordingLog log;
    Guest guest{BufferKind::dmaBuf};
    Forwarder engine{loop, {}};
    std::unique_ptr<StreamSink> sink;
};

TEST_F(StreamTest, AConsumerGetsTheGuestsOwnBuffers) {
    guest.useBuffers(3, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf"});
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(flipAndWait(consumer)) << "frame " << i << "\n" << log.text;
        ASSERT_EQ(consumer.report().lastInode, guest.inode) << "frame " << i;
    }
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(consumer.report().regressions, 0U);
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_DmaBuf);
    EXPECT_EQ(consumer.report().videoFormat, SPA_VIDEO_FORMAT_BGRx);
    EXPECT_EQ(consumer.report().chunkSize, small.width * small.height * 4);
    EXPECT_EQ(consumer.report().slots, 16U);
    EXPECT_EQ(sink->report().bytesCopied, 0U);
}

TEST_F(StreamTest, NothingIsPolledWhileNobodyConsumesAndAStaticPictureArrivesAtOnce) {
    guest.useBuffers(1, small);
    guest.flip();
    guest.showCursor({5, 7});
    start();
    EXPECT_EQ(guest.polls, 1U) << "to learn the format";
    ASSERT_TRUE(runUntil([&] { return !detail("object_serial").empty(); }));
    runFor(300ms);
    EXPECT_EQ(guest.polls, 1U);
    Consumer consumer(name, {"dmabuf"});
    ASSERT_TRUE(runUntil([&] { return consumer.report().frames >= 1; })) << log.text;
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(consumer.report().cursorWidth, patternCursorSize.width) << "the first frame has the cursor";
    consumer.quit();
    runFor(100ms);
    const unsigned polls = guest.polls;
    runFor(300ms);
    EXPECT_EQ(guest.polls, polls);
}

TEST_F(StreamTest, AConsumerThatPausesIsNotPolledForAndGetsAPictureWhenItResumes) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    Consumer consumer(name, {"dmabuf"});
    ASSERT_TRUE(flipAndWait(consumer));
    consumer.pause();
    runFor(100ms);
    const unsigned polls = guest.polls;
    const std::uint64_t frames = consumer.report().frames;
    runFor(300ms);
    EXPECT_EQ(guest.polls, polls);
    consumer.resume();
    ASSERT_TRUE(runUntil([&] { return consumer.report().frames > frames; }));
    EXPECT_EQ(consumer.report().mismatches, 0U);
}

TEST_F(StreamTest, AConsumerThatHoldsThreeFramesGetsAllOthers) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf", "hold=3", "nocheck"});
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(flipAndWait(consumer)) << "frame " << i;
    EXPECT_EQ(*sink->report().dropped, 0U);
}

TEST_F(StreamTest, AConsumerWithoutDmaBufsGetsCopiesInSharedMemory) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"shm"});
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(flipAndWait(consumer))
            << "frame " << i << " commits " << sink->report().commits << " dropped " << *sink->report().dropped
            << " frames " << consumer.report().frames << " last " << consumer.report().lastSequence << " seq "
            << guest.sequence() << " polls " << guest.polls << log.text;
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_MemFd);
    EXPECT_FALSE(guest.inodes.contains(consumer.report().lastInode));
    EXPECT_GE(sink->report().bytesCopied, 50U * small.width * small.height * 4);
    EXPECT_TRUE(log.told("copies in shared memory"));
}

TEST_F(StreamTest, TheCursorMovesChangesAndHides) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf"});
    guest.showCursor({20, 10});
    ASSERT_TRUE(flipAndWait(consumer));
    ASSERT_TRUE(runUntil([&] { return consumer.report().cursorX == 20 + patternCursorHotSpot.x; }));
    EXPECT_EQ(consumer.report().cursorY, 10 + patternCursorHotSpot.y);
    EXPECT_EQ(consumer.report().hotSpotX, patternCursorHotSpot.x);
    EXPECT_EQ(consumer.report().cursorWidth, patternCursorSize.width);
    EXPECT_EQ(consumer.report().cursorMismatches, 0U);
    guest.showCursor({-30, 11});
    ASSERT_TRUE(runUntil([&] { return consumer.report().cursorX == -30 + patternCursorHotSpot.x; }))
        << "a cursor that moves over a still picture";
    guest.hideCursor();
    ASSERT_TRUE(runUntil([&] { return consumer.report().cursorWidth == 0; }));
    EXPECT_EQ(consumer.report().mismatches, 0U);
}

TEST_F(StreamTest, ANameInUseIsRefused) {
    guest.useBuffers(1, small);
    guest.flip();
    start();
    ASSERT_TRUE(runUntil([&] { return !detail("object_serial").empty(); }));
    EventLoop otherLoop;
    try {
        StreamSink other(otherLoop, log, GpuFactory{}, {.nodeName = name});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::held);
    }
}

TEST_F(StreamTest, NoDaemonIsToldAsSuch) {
    bed.killDaemon();
    try {
        start();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notFound);
        EXPECT_STREQ(error.what(), "cannot connect to PipeWire: no daemon is listening");
        EXPECT_FALSE(error.hint().empty());
    }
}

} // namespace
} // namespace vgpuview::component

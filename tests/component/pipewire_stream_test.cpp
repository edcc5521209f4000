// SPDX-License-Identifier: MIT
// The stream against a real daemon and a consumer in a process of its own.
#include "base/error.h"
#include "doubles/allocation_count.h"
#include "forward/forwarder.h"
#include "pipewire/stream_sink.h"
#include "pipewire_bed.h"
#include "pipewire_guest.h"

#include <gtest/gtest.h>
#include <spa/buffer/buffer.h>
#include <spa/param/video/raw.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
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

TEST_F(StreamTest, ASourceInMemoryIsHandedOnWithoutACopy) {
    Guest memoryGuest(BufferKind::memory);
    memoryGuest.useBuffers(3, small);
    memoryGuest.flip();
    start();
    engine.setSource(&memoryGuest);
    const Consumer consumer(name, {"shm"});
    for (int i = 0; i < 50; ++i) {
        memoryGuest.flip();
        ASSERT_TRUE(runUntil([&] { return consumer.report().lastSequence == memoryGuest.sequence(); })) << log.text;
        ASSERT_EQ(consumer.report().lastInode, memoryGuest.inode);
    }
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_MemFd);
    EXPECT_EQ(sink->report().bytesCopied, 0U);
    engine.setSource(nullptr);
}

TEST_F(StreamTest, ACursorIsDrawnIntoThePictureOnDemand) {
    guest.useBuffers(2, small);
    guest.flip();
    guest.showCursor({300 - patternCursorHotSpot.x - 1, 100 - patternCursorHotSpot.y - 3});
    start({.cursor = CursorMode::embedded});
    const Consumer consumer(name, {"dmabuf", "shm", "nocheck"});
    ASSERT_TRUE(flipAndWait(consumer));
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_MemFd);
    EXPECT_EQ(consumer.report().cursorImages, 0U);
    const std::uint32_t above = cursorPixel(static_cast<std::uint32_t>(patternCursorHotSpot.x) + 1,
                                            static_cast<std::uint32_t>(patternCursorHotSpot.y) + 3);
    const std::uint32_t below = patternPixel(guest.sequence(), 300, 100);
    ASSERT_NE(above >> 24, 0U) << "the cursor covers the place";
    for (const unsigned shift : {0U, 8U, 16U}) {
        const std::uint32_t expected =
            ((above >> shift) & 0xff) + ((below >> shift) & 0xff) * (255 - (above >> 24)) / 255;
        EXPECT_NEAR((consumer.report().firstPixel >> shift) & 0xff, expected, 1) << "shift " << shift;
    }
}

TEST_F(StreamTest, ACameraGetsYuy2) {
    guest.useBuffers(2, small);
    guest.flip();
    start({.role = StreamRole::camera});
    const Consumer consumer(name, {"shm", "yuy2"});
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().videoFormat, SPA_VIDEO_FORMAT_YUY2);
    EXPECT_EQ(consumer.report().chunkSize, small.width * small.height * 2);
    // BT.601, limited range, of the pixel at 0,100.
    const std::uint32_t rgb = patternPixel(guest.sequence(), 0, 100);
    const double luma =
        16 + (65.481 * ((rgb >> 16) & 0xff) + 128.553 * ((rgb >> 8) & 0xff) + 24.966 * (rgb & 0xff)) / 255;
    EXPECT_NEAR(consumer.report().firstPixel & 0xff, luma, 1.5);
}

TEST_F(StreamTest, TearingIsAvoidedByCopies) {
    guest.useBuffers(2, small);
    guest.flip();
    start({.tearing = Tearing::avoided});
    const Consumer consumer(name, {"dmabuf", "shm"});
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_MemFd);
    EXPECT_EQ(consumer.report().mismatches, 0U);
}

/// Frames as fast as they are taken: the guest turns to the next one when the consumer has looked at the one that it
/// draws over.
class ManyFramesTest : public StreamTest {
protected:
    void stream(std::size_t buffers, std::uint64_t frames, Nanoseconds guestInterval,
                const std::function<void(std::uint64_t)>& before) {
        guest.useBuffers(buffers, small);
        guest.flip();
        start({.maxFps = 4000});
        const Consumer consumer(name, {"dmabuf"});
        // The first picture comes several times.
        runFor(500ms);
        std::uint64_t flips = 0;
        std::uint64_t lost = 0;
        TimePoint next = loop.now();
        guest.onPoll = [&] {
            // A frame that is under way a second time would show the next picture if that were drawn over it; one that
            // the graph lost never comes.
            const std::uint64_t missing = sink->report().commits - consumer.report().frames;
            if (flips == frames || loop.now() < next ||
                consumer.report().lastSequence + lead(buffers) <= guest.sequence())
                return;
            if (missing > lost && loop.now() < next + 100ms)
                return;
            lost = missing;
            next = std::max(next + guestInterval, loop.now());
            before(flips++);
            guest.flip();
        };
        ASSERT_TRUE(
            runUntil([&] { return flips == frames && consumer.report().lastSequence == guest.sequence(); }, 100s))
            << "after " << flips << " of " << frames << " frames, consumer at " << consumer.report().lastSequence
            << "\n"
            << log.text;
        guest.onPoll = {};
        EXPECT_EQ(consumer.report().mismatches, 0U);
        EXPECT_EQ(consumer.report().regressions, 0U);
        skipped = consumer.report().skipped;
        RecordProperty("skipped", static_cast<int>(skipped));
        RecordProperty("dropped", static_cast<int>(*sink->report().dropped));
        RecordProperty("pools", static_cast<int>(sink->report().reallocations));
    }
    /// How many frames the guest may be ahead: a picture may be handed on twice, so one buffer is kept in reserve.
    [[nodiscard]] static std::uint64_t lead(std::size_t buffers) { return buffers < 3 ? 1 : 2; }

    std::uint64_t skipped = 0;
};

class BufferCountTest : public ManyFramesTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(BufferCountTest, EveryFrameShowsWhatItClaims) {
    stream(GetParam(), 2000, 0ms, [](std::uint64_t) {});
    EXPECT_EQ(sink->report().bytesCopied, 0U);
    // It draws as fast as it can, so what the graph needs for a new pool or a lost cycle is some frames.
    EXPECT_LE(skipped, 100U);
}
INSTANTIATE_TEST_SUITE_P(Buffers, BufferCountTest, testing::Values(1, 2, 3, 5, 12));

TEST_F(ManyFramesTest, ASetThatGrowsAndIsReplacedLosesAtMostOneFrameForEachChange) {
    std::uint64_t changes = 3;
    stream(3, 2000, 4ms, [&](std::uint64_t frame) {
        if (frame % 400 == 399) {
            guest.addBuffer();
            ++changes;
        } else if (frame % 400 == 199) {
            guest.replaceOldest();
            ++changes;
        }
    });
    EXPECT_EQ(sink->report().bytesCopied, 0U);
    EXPECT_LE(skipped, changes);
}

TEST_F(ManyFramesTest, ModesChangeWhileStreaming) {
    std::uint64_t changes = 3;
    stream(3, 600, 4ms, [&](std::uint64_t frame) {
        if (frame % 100 != 99)
            return;
        guest.useBuffers(3, frame % 200 == 99 ? Size{640, 200} : small);
        changes += 3;
    });
    EXPECT_LE(skipped, changes);
}

TEST_F(ManyFramesTest, ABlankedGuestComesBack) {
    stream(3, 400, 0ms, [&](std::uint64_t frame) {
        if (frame % 100 == 99)
            guest.blank();
    });
}

TEST_F(StreamTest, AGuestThatBringsANewBufferWithEachFrameIsCopied) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf", "shm"});
    for (int i = 0; i < 100; ++i) {
        guest.replaceOldest();
        ASSERT_TRUE(flipAndWait(consumer)) << "frame " << i << "\n" << log.text;
    }
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_MemFd);
    EXPECT_TRUE(log.told("new buffers all the time"));
}

TEST_F(StreamTest, AConsumerThatDiesMakesRoomForOneOfAnotherKind) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    for (const char* kind : {"dmabuf", "shm", "dmabuf"}) {
        Consumer consumer(name, {kind});
        ASSERT_TRUE(flipAndWait(consumer)) << kind << "\n" << log.text;
        EXPECT_EQ(consumer.report().mismatches, 0U);
        EXPECT_EQ(consumer.report().memoryType, std::string_view(kind) == "shm" ? SPA_DATA_MemFd : SPA_DATA_DmaBuf);
        consumer.kill();
        runFor(200ms);
    }
}

TEST_F(StreamTest, ASecondConsumerOfAStillPictureGetsItAndTheCursor) {
    guest.useBuffers(2, small);
    guest.flip();
    guest.showCursor({5, 5});
    start();
    const Consumer first(name, {"dmabuf"});
    ASSERT_TRUE(flipAndWait(first));
    runFor(500ms);
    const Consumer second(name, {"dmabuf"});
    ASSERT_TRUE(runUntil([&] { return second.report().frames >= 1; })) << log.text;
    ASSERT_TRUE(runUntil([&] { return second.report().cursorWidth == patternCursorSize.width; }));
    EXPECT_EQ(second.report().mismatches, 0U);
    ASSERT_TRUE(flipAndWait(first));
    ASSERT_TRUE(runUntil([&] { return second.report().lastSequence == guest.sequence(); }));
}

TEST_F(StreamTest, TheStreamIsBackWhenTheDaemonIs) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    {
        const Consumer consumer(name, {"dmabuf"});
        ASSERT_TRUE(flipAndWait(consumer));
        bed.killDaemon();
        ASSERT_TRUE(runUntil([&] { return log.told("PipeWire went away"); }));
    }
    const unsigned polls = guest.polls;
    runFor(300ms);
    EXPECT_EQ(guest.polls, polls);
    bed.startDaemon();
    ASSERT_TRUE(runUntil([&] { return log.told("PipeWire is back"); }, 12s));
    const Consumer consumer(name, {"dmabuf"});
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().mismatches, 0U);
}

TEST_F(StreamTest, TheStreamEndsWithTheDaemonOnDemand) {
    guest.useBuffers(2, small);
    guest.flip();
    start({.daemonLoss = DaemonLoss::exit});
    bed.killDaemon();
    try {
        runFor(5s);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::failed);
    }
}

TEST_F(StreamTest, ASourceThatEndsLetsGoOfItsBuffersAndAnotherOneGoesOn) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf"});
    ASSERT_TRUE(flipAndWait(consumer));
    const std::weak_ptr<const Buffer> shown = guest.frame().primary->buffer;
    engine.setSource(nullptr);
    guest.blank();
    guest.useBuffers(2, small);
    EXPECT_TRUE(shown.expired());
    guest.flip();
    engine.setSource(&guest);
    ASSERT_TRUE(runUntil([&] { return consumer.report().frames > 5; })) << log.text;
    ASSERT_TRUE(runUntil([&] { return consumer.report().lastInode == guest.inode; }));
    EXPECT_EQ(consumer.report().regressions, 0U);
}

std::size_t openDescriptors() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

std::size_t mappings() {
    std::ifstream maps("/proc/self/maps");
    return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

TEST_F(StreamTest, TwoHundredConsumersLeaveNothingBehind) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    std::size_t descriptors = 0;
    std::size_t regions = 0;
    for (int i = 0; i < 200; ++i) {
        Consumer consumer(name, {i % 2 == 0 ? "dmabuf" : "shm"});
        ASSERT_TRUE(flipAndWait(consumer)) << "consumer " << i << "\n" << log.text;
        ASSERT_EQ(consumer.report().mismatches, 0U);
        if (i % 3 == 0)
            consumer.kill();
        else
            consumer.quit();
        runFor(20ms);
        if (i == 19) {
            descriptors = openDescriptors();
            regions = mappings();
        }
    }
    runFor(200ms);
    EXPECT_LE(openDescriptors(), descriptors + 2);
    EXPECT_LE(mappings(), regions + 8);
}

TEST_F(StreamTest, AFrameAllocatesNothing) {
    guest.useBuffers(3, small);
    guest.flip();
    guest.showCursor({4, 4});
    start();
    const Consumer consumer(name, {"dmabuf"});
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(flipAndWait(consumer));
    runFor(400ms);
    const std::size_t before = doubles::allocationCount();
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(flipAndWait(consumer));
    EXPECT_EQ(doubles::allocationCount(), before);
    EXPECT_EQ(sink->report().bytesCopied, 0U);
}

} // namespace
} // namespace vgpuview::component

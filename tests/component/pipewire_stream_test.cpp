// SPDX-License-Identifier: MIT
// The stream against a real daemon and a consumer in a process of its own.
#include "doubles/allocation_count.h"
#include "pipewire_fixture.h"

#include <spa/buffer/buffer.h>
#include <spa/param/video/raw.h>

namespace vgpuview::component {
namespace {

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

TEST_F(StreamTest, WhatAConsumerHoldsIsNotDrawnOver) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    Consumer consumer(name, {"shm", "buffers=4", "hold=4", "recheck"});
    ASSERT_TRUE(runUntil([&] { return consumer.report().frames > 0; }));
    for (int i = 0; i < 20; ++i) {
        guest.flip();
        runFor(20ms);
    }
    EXPECT_EQ(consumer.report().frames, 4U) << "it holds all that there are";
    EXPECT_GT(*sink->report().dropped, 0U);
    for (int i = 0; i < 4; ++i) {
        consumer.releaseHeld();
        EXPECT_TRUE(runUntil([&] { return consumer.report().lastSequence == guest.sequence(); })) << log.text;
        guest.flip();
    }
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(consumer.report().errors, 0U) << "nothing comes that it has";
}

TEST_F(StreamTest, AConsumerThatIsKilledTakesNoSlotsAlong) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer stays(name, {"dmabuf", "shm", "buffers=6"});
    ASSERT_TRUE(flipAndWait(stays)) << log.text;
    for (int i = 0; i < 2; ++i) {
        Consumer goes(name, {"dmabuf", "shm", "buffers=6", "hold=5", "nocheck"});
        guest.onPoll = [&] {
            if (stays.report().lastSequence == guest.sequence())
                guest.flip();
        };
        EXPECT_TRUE(runUntil([&] { return goes.report().frames >= 5; })) << "consumer " << i << '\n' << log.text;
        guest.onPoll = {};
        goes.kill();
        for (int flip = 0; flip < 10; ++flip)
            ASSERT_TRUE(flipAndWait(stays)) << "after consumer " << i << '\n' << log.text;
    }
    EXPECT_EQ(stays.report().mismatches, 0U);
    EXPECT_TRUE(log.told("took buffers along")) << log.text;
}

TEST_F(StreamTest, APictureThatChangesInPlaceArrivesEachTime) {
    // As many buffers as leave each but one slot.
    guest.useBuffers(12, small);
    guest.tellBuffers();
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf", "nocheck"});
    for (int i = 0; i < 12; ++i)
        ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    for (int i = 0; i < 50; ++i) {
        guest.turnInPlace();
        ASSERT_TRUE(runUntil([&] { return consumer.report().lastSequence == guest.sequence(); })) << "change " << i;
    }
    runFor(500ms);
    const unsigned polls = guest.polls;
    const std::uint64_t frames = consumer.report().frames;
    runFor(300ms);
    EXPECT_EQ(consumer.report().frames, frames) << "it is not repeated for ever";
    EXPECT_GT(guest.polls, polls) << "though the guest is looked at";
}

TEST_F(StreamTest, PicturesArriveAfterManyBuffersCameBackAtOnce) {
    // A consumer has those in a queue of its own, takes one out each time that the graph runs, and throws away what
    // comes in one of the others.
    guest.useBuffers(3, small);
    guest.tellBuffers();
    guest.flip();
    start({.maxFps = 59});
    Consumer consumer(name, {"dmabuf", "hold=5", "nocheck"});
    // The first picture comes several times; a consumer that is slow to begin misses some.
    const auto holdsFive = [&] { return consumer.report().frames >= 5; };
    while (!runUntil(holdsFive, 500ms) && guest.sequence() < 9)
        guest.turnInPlace();
    ASSERT_TRUE(holdsFive()) << log.text;
    runFor(300ms);
    consumer.holdNone();
    runFor(50ms);
    for (int i = 0; i < 30; ++i) {
        guest.turnInPlace();
        ASSERT_TRUE(runUntil([&] { return consumer.report().lastSequence == guest.sequence(); }, 1s))
            << "picture " << i << '\n'
            << log.text;
    }
    EXPECT_EQ(consumer.report().errors, 0U);
    EXPECT_EQ(consumer.report().regressions, 0U);
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

TEST_F(StreamTest, BuffersThatTheSourceKnowsAreInTheFirstPool) {
    guest.useBuffers(3, small);
    guest.tellBuffers();
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf"});
    for (int i = 0; i < 6; ++i)
        ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(consumer.report().formats, 1U) << log.text;
}

class WaitingGuestTest : public StreamTest {
protected:
    /// A guest whose buffers are ours, as a region-type vGPU's are: it draws in none that is being read. Whether it
    /// could show so many more pictures.
    bool showsPictures(Guest& waiting, const Consumer& consumer, int count, Nanoseconds longest = 10s) {
        waiting.onPoll = [&waiting, &count] {
            if (count > 0 && !waiting.nextIsBeingRead()) {
                waiting.flip();
                --count;
            }
        };
        const bool shown =
            runUntil([&] { return count == 0 && consumer.report().lastSequence == waiting.sequence(); }, longest);
        waiting.onPoll = {};
        return shown;
    }
    void startWaiting(Guest& waiting) {
        waiting.useBuffers(3, small);
        waiting.tellBuffers();
        waiting.flip();
        start();
        engine.setSource(&waiting);
    }
};

TEST_F(WaitingGuestTest, AConsumerThatHoldsOneFrameStopsNothing) {
    Guest waiting(BufferKind::memory);
    startWaiting(waiting);
    {
        const Consumer consumer(name, {"shm", "hold=1"});
        EXPECT_TRUE(showsPictures(waiting, consumer, 50)) << consumer.report().frames << log.text;
        EXPECT_EQ(consumer.report().mismatches, 0U);
    }
    engine.setSource(nullptr);
}

TEST_F(WaitingGuestTest, BuffersComeBackWithoutAFrameThatCouldBringThem) {
    Guest waiting(BufferKind::memory);
    startWaiting(waiting);
    {
        Consumer consumer(name, {"shm", "hold=3", "recheck"});
        EXPECT_FALSE(showsPictures(waiting, consumer, 50, 1s)) << "over pictures that the consumer holds";
        consumer.releaseHeld();
        EXPECT_TRUE(runUntil([&] { return !waiting.nextIsBeingRead(); })) << log.text;
        EXPECT_EQ(consumer.report().mismatches, 0U);
        EXPECT_EQ(consumer.report().errors, 0U);
    }
    engine.setSource(nullptr);
}

TEST_F(StreamTest, NewBuffersInARowAreOneNewPool) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf"});
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    // It follows the first frame of the new pool, which comes several times.
    runFor(500ms);
    const std::uint64_t pools = sink->report().reallocations;
    guest.addBuffer();
    guest.addBuffer();
    // Those that were added last are shown next.
    guest.turnBack(2);
    guest.onPoll = [&] { guest.flip(); };
    runFor(100ms);
    guest.onPoll = {};
    EXPECT_EQ(sink->report().reallocations, pools + 1) << log.text;
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().mismatches, 0U);
    EXPECT_EQ(sink->report().bytesCopied, 0U);
}

TEST_F(StreamTest, ACursorIsDrawnIntoThePictureOnDemand) {
    guest.useBuffers(2, small);
    guest.flip();
    coverFirstPixel();
    start({.cursor = CursorMode::embedded});
    const Consumer consumer(name, {"dmabuf", "shm", "nocheck"});
    ASSERT_TRUE(flipAndWait(consumer));
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_MemFd);
    EXPECT_EQ(consumer.report().cursorImages, 0U);
    expectFirstPixel(consumer, true);
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

class IdleModeChangeTest : public StreamTest {
protected:
    static constexpr Size other{640, 200};
    void TearDown() override { EXPECT_FALSE(log.told("failed")) << log.text; }
    void changeMode(Size size) {
        guest.useBuffers(2, size);
        guest.flip();
    }
    /// A consumer that is in the graph but not linked yet, as one that a session manager is about to link.
    static std::vector<std::string> waiting(const std::string& kind) { return {kind, "wait"}; }
    void expectOneFormat(const Consumer& consumer, Size size) {
        ASSERT_TRUE(runUntil([&] { return consumer.report().frames >= 1; })) << log.text;
        EXPECT_EQ(consumer.report().formats, 1U) << log.text;
        EXPECT_EQ(consumer.report().pools, 1U) << log.text;
        EXPECT_EQ(consumer.report().lastInode == guest.inode, consumer.report().memoryType == SPA_DATA_DmaBuf);
        ASSERT_TRUE(flipAndWait(consumer)) << log.text;
        EXPECT_EQ(consumer.report().width, size.width);
        EXPECT_EQ(consumer.report().height, size.height);
        EXPECT_EQ(consumer.report().mismatches, 0U);
    }
};

TEST_F(IdleModeChangeTest, TheFirstConsumerSeesOnlyTheNewFormat) {
    changeMode(small);
    start();
    ASSERT_TRUE(runUntil([&] { return !detail("object_serial").empty(); }));
    changeMode(other);
    const std::uint64_t offers = sink->report().reallocations;
    Consumer consumer(name, waiting("dmabuf"));
    ASSERT_TRUE(runUntil([&] { return sink->report().reallocations > offers; })) << log.text;
    runFor(20ms); // what was announced leaves the process
    consumer.link();
    expectOneFormat(consumer, other);
}

TEST_F(IdleModeChangeTest, TheNextConsumerSeesOnlyTheNewFormat) {
    changeMode(small);
    start();
    for (const std::string& kind : {std::string("dmabuf"), std::string("shm")}) {
        {
            Consumer last(name, {kind});
            ASSERT_TRUE(flipAndWait(last)) << log.text;
            log.text.clear();
            last.quit();
        }
        ASSERT_TRUE(runUntil([&] { return log.told("no consumer is left"); })) << log.text;
        const Size size = kind == "shm" ? small : other;
        changeMode(size);
        const std::uint64_t offers = sink->report().reallocations;
        Consumer consumer(name, waiting(kind));
        ASSERT_TRUE(runUntil([&] { return sink->report().reallocations > offers; })) << log.text;
        runFor(20ms);
        consumer.link();
        expectOneFormat(consumer, size);
        consumer.quit();
    }
}

TEST_F(IdleModeChangeTest, NothingIsOfferedAnewWhereTheModeStayed) {
    changeMode(small);
    start();
    ASSERT_TRUE(runUntil([&] { return !detail("object_serial").empty(); }));
    const unsigned polls = guest.polls;
    Consumer consumer(name, waiting("dmabuf"));
    ASSERT_TRUE(runUntil([&] { return guest.polls > polls; })) << log.text;
    runFor(300ms);
    EXPECT_LE(guest.polls, polls + 2) << "it is asked for the program and for its node, not until the consumer links";
    EXPECT_EQ(sink->report().reallocations, 0U);
    consumer.link();
    expectOneFormat(consumer, small);
}

} // namespace
} // namespace vgpuview::component

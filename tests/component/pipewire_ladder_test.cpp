// SPDX-License-Identifier: MIT
// Every step of the ladder from the guest's own buffers down to copies in shared memory, and the ways down.
#include "doubles/fake_gpu.h"
#include "pipewire_fixture.h"

#include <spa/buffer/buffer.h>

#include <filesystem>

namespace vgpuview::component {
namespace {

constexpr std::uint64_t tiled = 0x0100000000000001;      // I915_FORMAT_MOD_X_TILED
constexpr std::uint64_t otherTiled = 0x0100000000000002; // I915_FORMAT_MOD_Y_TILED

class LadderTest : public StreamTest {
protected:
    LadderTest() { makeGpu = doubles::factoryOf(gpu); }
    ~LadderTest() override { stop(); }

    /// 30 frames are what they claim to be, in dma-bufs of ours with that modifier.
    void expectBlits(const Consumer& consumer, std::uint64_t modifier) {
        for (int i = 0; i < 30; ++i)
            ASSERT_TRUE(flipAndWait(consumer)) << "frame " << i << "\n" << log.text;
        EXPECT_EQ(consumer.report().mismatches, 0U);
        EXPECT_EQ(consumer.report().regressions, 0U);
        EXPECT_EQ(consumer.report().memoryType, SPA_DATA_DmaBuf);
        EXPECT_EQ(consumer.report().modifier, modifier);
        EXPECT_FALSE(guest.inodes.contains(consumer.report().lastInode));
        EXPECT_GE(sink->report().blits, 30U);
        EXPECT_EQ(sink->report().bytesCopied, 0U);
        EXPECT_TRUE(log.told("copies by the GPU"));
    }
    void expectSharedMemory(const Consumer& consumer) {
        for (int i = 0; i < 10; ++i)
            ASSERT_TRUE(flipAndWait(consumer)) << "frame " << i << "\n" << log.text;
        EXPECT_EQ(consumer.report().mismatches, 0U);
        EXPECT_EQ(consumer.report().memoryType, SPA_DATA_MemFd);
        EXPECT_TRUE(log.told("copies in shared memory"));
    }

    doubles::FakeGpuHost gpu;
};

TEST_F(LadderTest, TheGpuIsLetGoWhereTheGuestsOwnBuffersAreTaken) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf", "shm"});
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_TRUE(guest.inodes.contains(consumer.report().lastInode));
    EXPECT_EQ(gpu.made, 1U) << "to learn what it can do";
    EXPECT_EQ(gpu.alive, 0U);
}

TEST_F(LadderTest, TearingIsAvoidedByTheGpu) {
    guest.useBuffers(2, small);
    guest.flip();
    start({.tearing = Tearing::avoided});
    const Consumer consumer(name, {"dmabuf", "shm"});
    expectBlits(consumer, DRM_FORMAT_MOD_LINEAR);
    EXPECT_TRUE(log.told("no tearing"));
}

TEST_F(LadderTest, AConsumerThatKnowsOtherModifiersGetsCopiesWithOneOfThem) {
    gpu.modifiers = {DRM_FORMAT_MOD_LINEAR, otherTiled};
    guest.modifier = tiled;
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf", "shm", "modifiers=0100000000000002"});
    expectBlits(consumer, otherTiled);
}

TEST_F(LadderTest, OfSeveralModifiersTheGpuChoosesOneThatItCanAllocate) {
    gpu.modifiers = {tiled, otherTiled, DRM_FORMAT_MOD_LINEAR};
    gpu.unallocatable = {tiled};
    guest.useBuffers(2, small);
    guest.flip();
    start({.tearing = Tearing::avoided});
    const Consumer consumer(name, {"dmabuf", "shm", "modifiers=0,0100000000000001,0100000000000002"});
    expectBlits(consumer, otherTiled);
}

TEST_F(LadderTest, AConsumerThatCannotImportWalksDownTheLadder) {
    gpu.modifiers = {otherTiled, DRM_FORMAT_MOD_LINEAR};
    guest.modifier = tiled;
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf", "shm", "refuse", "modifiers=0100000000000001,0100000000000002,0"});
    ASSERT_TRUE(runUntil([&] { return consumer.report().refusals == 3; })) << log.text;
    expectSharedMemory(consumer);
    EXPECT_TRUE(log.told("the guest's own buffers"));
    EXPECT_TRUE(log.told("copies by the GPU"));
    EXPECT_GT(gpu.reads, 0U) << "what can't be mapped is read by the GPU";
}

TEST_F(LadderTest, WithoutAGpuTheConsumerThatCannotImportGetsSharedMemory) {
    makeGpu = {};
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf", "shm", "refuse"});
    ASSERT_TRUE(runUntil([&] { return consumer.report().refusals == 1; })) << log.text;
    expectSharedMemory(consumer);
}

TEST_F(LadderTest, AGpuThatCannotAllocateIsDoneWithout) {
    gpu.unallocatable = {DRM_FORMAT_MOD_LINEAR};
    guest.useBuffers(2, small);
    guest.flip();
    start({.tearing = Tearing::avoided});
    const Consumer consumer(name, {"dmabuf", "shm"});
    expectSharedMemory(consumer);
    EXPECT_TRUE(log.told("no copies by the GPU"));
}

TEST_F(LadderTest, AGpuThatCannotCopyIsDoneWithout) {
    gpu.blits = false;
    guest.useBuffers(2, small);
    guest.flip();
    start({.tearing = Tearing::avoided});
    const Consumer consumer(name, {"dmabuf", "shm"});
    expectSharedMemory(consumer);
    EXPECT_EQ(sink->report().blits, 0U);
}

TEST_F(LadderTest, AGuestThatBringsANewBufferWithEachFrameIsCopiedByTheGpu) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    Consumer consumer(name, {"dmabuf", "shm"});
    for (int i = 0; i < 100; ++i) {
        guest.replaceOldest();
        ASSERT_TRUE(flipAndWait(consumer)) << "frame " << i << "\n" << log.text;
    }
    expectBlits(consumer, DRM_FORMAT_MOD_LINEAR);
    EXPECT_TRUE(log.told("new buffers all the time"));
    consumer.quit();
    const Consumer next(name, {"dmabuf", "shm"});
    ASSERT_TRUE(flipAndWait(next)) << log.text;
    EXPECT_TRUE(runUntil([&] { return guest.inodes.contains(next.report().lastInode); }))
        << "the next one chooses from the whole ladder\n"
        << log.text;
}

TEST_F(LadderTest, CopiesFollowTheGuestsMode) {
    guest.useBuffers(2, small);
    guest.flip();
    start({.tearing = Tearing::avoided});
    const Consumer consumer(name, {"dmabuf", "shm"});
    expectBlits(consumer, DRM_FORMAT_MOD_LINEAR);
    for (const Size size : {Size{640, 200}, small, Size{200, 64}}) {
        guest.useBuffers(3, size);
        ASSERT_TRUE(flipAndWait(consumer)) << log.text;
        // What was on its way when the mode changed may come first.
        EXPECT_TRUE(runUntil([&] { return consumer.report().width == size.width; })) << consumer.report().width;
    }
    expectBlits(consumer, DRM_FORMAT_MOD_LINEAR);
}

TEST_F(LadderTest, TheGpuForgetsWhatIsGone) {
    guest.useBuffers(2, small);
    guest.flip();
    start({.tearing = Tearing::avoided});
    const Consumer consumer(name, {"dmabuf", "shm"});
    expectBlits(consumer, DRM_FORMAT_MOD_LINEAR);
    const std::size_t known = gpu.known.size();
    for (int i = 0; i < 10; ++i) {
        guest.useBuffers(2, small);
        ASSERT_TRUE(flipAndWait(consumer)) << log.text;
        ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    }
    EXPECT_LE(gpu.known.size(), known);
}

TEST_F(LadderTest, DamageIsToldWhereItIsTrue) {
    Guest region(BufferKind::memory);
    region.useBuffers(2, small);
    region.flip();
    start();
    engine.setSource(&region);
    const Consumer consumer(name, {"shm", "nocheck"});
    ASSERT_TRUE(runUntil([&] { return consumer.report().frames >= 1; })) << log.text;
    runFor(1s);
    region.damage.add({{0, 16}, {320, 8}});
    region.damage.add({{0, 80}, {320, 1}});
    region.turnInPlace();
    ASSERT_TRUE(runUntil([&] { return consumer.report().lastSequence == region.sequence(); })) << log.text;
    EXPECT_EQ(consumer.report().damageRects, 2U);
    EXPECT_EQ(consumer.report().damageY, 16U);
    EXPECT_EQ(consumer.report().damageHeight, 8U);
    engine.setSource(nullptr);
}

TEST_F(LadderTest, AConsumerThatMissesFramesIsToldWhatChangedInThem) {
    Guest region(BufferKind::memory);
    region.useBuffers(3, small);
    region.tellBuffers();
    region.flip();
    start();
    engine.setSource(&region);
    const Consumer consumer(name, {"shm", "nocheck", "slow=20"});
    ASSERT_TRUE(runUntil([&] { return consumer.report().frames >= 1; })) << log.text;
    runFor(500ms);
    std::uint32_t row = 0;
    region.onPoll = [&] { region.flipRow(row++ % small.height); };
    runFor(2s);
    region.onPoll = {};
    ASSERT_TRUE(runUntil([&] { return consumer.report().lastSequence == region.sequence(); })) << log.text;
    EXPECT_EQ(consumer.report().damageGaps, 0U) << consumer.report().skipped << " frames missed";
    engine.setSource(nullptr);
}

TEST_F(LadderTest, ACopyOfAFlippedPictureIsDamagedAllOver) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"shm"});
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().damageRects, 1U);
    EXPECT_EQ(consumer.report().damageHeight, small.height);
}

TEST_F(LadderTest, TheGpuDrawsTheCursorInOnDemand) {
    guest.useBuffers(2, small);
    guest.flip();
    coverFirstPixel();
    start({.cursor = CursorMode::embedded});
    const Consumer consumer(name, {"dmabuf", "shm", "nocheck"});
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().memoryType, SPA_DATA_DmaBuf);
    EXPECT_EQ(sink->report().bytesCopied, 0U);
    EXPECT_TRUE(log.told("copies by the GPU: the cursor is drawn in")) << log.text;
    expectFirstPixel(consumer, true);
    guest.hideCursor();
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    expectFirstPixel(consumer, false);
}

TEST_F(LadderTest, NoDamageIsClaimedOfMemoryThatTheGuestMayBeDrawingIn) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    const Consumer consumer(name, {"dmabuf"});
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(consumer.report().damageRects, ConsumerReport::noDamage);
}

TEST_F(LadderTest, ACursorThatCannotBeMappedIsReadByTheGpu) {
    guest.useBuffers(2, small);
    guest.flip();
    guest.modifier = tiled;
    guest.showCursor({20, 10});
    start();
    const Consumer consumer(name, {"dmabuf"});
    ASSERT_TRUE(runUntil([&] { return consumer.report().cursorWidth == patternCursorSize.width; })) << log.text;
    EXPECT_EQ(consumer.report().cursorMismatches, 0U);
    EXPECT_EQ(gpu.reads, 1U);
    ASSERT_TRUE(flipAndWait(consumer)) << log.text;
    EXPECT_EQ(gpu.reads, 1U) << "once for each image";
}

} // namespace
} // namespace vgpuview::component

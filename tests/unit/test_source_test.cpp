// SPDX-License-Identifier: MIT
// The test vGPU shows what its options say, to the last pixel.
#include "base/error.h"
#include "doubles/allocation_count.h"
#include "doubles/fake_scheduler.h"
#include "doubles/picture.h"
#include "frame/picture_memory.h"
#include "synthetic/test_source.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>
#include <string>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using doubles::pixelsOf;
using doubles::showsPattern;
using testing::HasSubstr;

class KeptLog final : public Log {
public:
    KeptLog()
        : Log(LogLevel::debug) {}
    std::vector<std::string> messages;

protected:
    void write(LogLevel level, std::string_view message) override {
        messages.push_back(std::string(nameOf(level)) + ": " + std::string(message));
    }
};

class RetiredBuffers final : public FrameSourceObserver {
public:
    void bufferRetired(const Buffer& buffer) override { ids.push_back(buffer.id()); }
    void sourceEnded() override { ADD_FAILURE() << "only poll() ends it"; }
    std::vector<BufferId> ids;
};

class TestSourceTest : public testing::Test {
protected:
    TestSource& make(const std::string& options) {
        source_.emplace(parseTestOptions(options), scheduler_, log_);
        source_->observe(&retired_);
        return *source_;
    }
    PollResult advance(Nanoseconds duration) {
        scheduler_.advance(duration);
        return source_->poll();
    }
    [[nodiscard]] const Buffer& primary() const { return *source_->frame().primary->buffer; }

    doubles::FakeScheduler scheduler_;
    KeptLog log_;
    RetiredBuffers retired_;
    std::optional<TestSource> source_;
};

ino_t inodeOf(const Buffer& buffer) {
    struct stat status {};
    EXPECT_EQ(::fstat(buffer.fd(), &status), 0);
    return status.st_ino;
}

bool udmabufWorks() {
    try {
        static_cast<void>(allocateUdmabuf(4096));
        return true;
    } catch (const Error&) {
        return false;
    }
}

TEST_F(TestSourceTest, ShowsFrameAfterFrameToTheLastPixel) {
    TestSource& source = make("640x480,clock=poll,memory=memfd");
    for (std::uint64_t frame = 0; frame < 20; ++frame) {
        const PollResult result = source.poll();
        EXPECT_EQ(result.status, PollStatus::ok);
        EXPECT_EQ(result.primary, PrimaryChange::certain);
        EXPECT_EQ(result.damage.bounds(), (Rect{{0, 0}, {640, 480}}));
        EXPECT_EQ(source.frameNumber(), frame);
        EXPECT_EQ(source.frame().sequence, frame + 1);
        EXPECT_TRUE(showsPattern(primary(), frame));
        EXPECT_EQ(frameNumberIn(pixelsOf(primary()), {640, 480}), frame);
    }
}

TEST_F(TestSourceTest, AdvancesWithTheClockAtItsRefreshRate) {
    TestSource& source = make("640x480@50,memory=memfd");
    EXPECT_EQ(source.poll().primary, PrimaryChange::certain);
    EXPECT_EQ(advance(std::chrono::milliseconds(19)).primary, PrimaryChange::none);
    EXPECT_EQ(source.picturesDrawn(), 1U);
    EXPECT_EQ(advance(std::chrono::milliseconds(1)).primary, PrimaryChange::certain);
    EXPECT_EQ(source.frameNumber(), 1U);
    EXPECT_EQ(source.frame().queriedAt, scheduler_.now());
    // Frames that nobody asked for are never drawn.
    static_cast<void>(advance(std::chrono::seconds(10)));
    EXPECT_EQ(source.frameNumber(), 501U);
    EXPECT_EQ(source.frame().sequence, 3U);
    EXPECT_EQ(source.picturesDrawn(), 3U);
    EXPECT_TRUE(showsPattern(primary(), 501));
}

TEST_F(TestSourceTest, KeepsCountOverWeeks) {
    TestSource& source = make("64x64@1000,memory=memfd");
    static_cast<void>(source.poll());
    static_cast<void>(advance(std::chrono::hours(24 * 100)));
    EXPECT_EQ(source.frameNumber(), 100ULL * 24 * 3600 * 1000);
}

class EachTestFormat : public TestSourceTest, public testing::WithParamInterface<const char*> {};

TEST_P(EachTestFormat, ShowsTheSameColours) {
    TestSource& source = make("320x240,clock=poll,memory=memfd,format=" + std::string(GetParam()));
    static_cast<void>(source.poll());
    static_cast<void>(source.poll());
    EXPECT_EQ(fourccName(primary().layout().format.fourcc), GetParam());
    EXPECT_TRUE(showsPattern(primary(), 1));
}

INSTANTIATE_TEST_SUITE_P(All, EachTestFormat, testing::Values("XR24", "AR24", "XB24", "XR30"));

TEST_F(TestSourceTest, TurnsThroughItsBuffersAndLeavesTheShownOneAlone) {
    TestSource& source = make("320x240,clock=poll,buffers=3,memory=memfd");
    std::set<BufferId> ids;
    static_cast<void>(source.poll());
    for (std::uint64_t frame = 1; frame < 10; ++frame) {
        const BufferRef before = source.frame().primary->buffer;
        ids.insert(before->id());
        static_cast<void>(source.poll());
        EXPECT_NE(primary().id(), before->id());
        EXPECT_TRUE(showsPattern(*before, frame - 1));
    }
    EXPECT_EQ(ids.size(), 3U);
    EXPECT_TRUE(retired_.ids.empty());
}

TEST_F(TestSourceTest, DrawsIntoABufferThatNobodyReads) {
    TestSource& source = make("320x240,clock=poll,buffers=3,memory=memfd");
    static_cast<void>(source.poll());
    const BufferReadLock reader(source.frame().primary->buffer);
    for (int i = 0; i < 10; ++i) {
        static_cast<void>(source.poll());
        EXPECT_NE(primary().id(), reader.buffer()->id());
    }
    EXPECT_TRUE(showsPattern(*reader.buffer(), 0));
}

TEST_F(TestSourceTest, GoesOnWhereAllBuffersAreBeingRead) {
    TestSource& source = make("320x240,clock=poll,buffers=2,memory=memfd");
    static_cast<void>(source.poll());
    const BufferReadLock first(source.frame().primary->buffer);
    static_cast<void>(source.poll());
    const BufferReadLock second(source.frame().primary->buffer);
    static_cast<void>(source.poll());
    EXPECT_TRUE(showsPattern(primary(), 2));
    EXPECT_EQ(primary().id(), first.buffer()->id());
}

TEST_F(TestSourceTest, OneBufferIsAFrontBufferAndMayChangeAtAnyTime) {
    TestSource& source = make("320x240@50,buffers=1,memory=memfd");
    EXPECT_EQ(source.poll().primary, PrimaryChange::certain);
    const BufferRef buffer = source.frame().primary->buffer;
    const PollResult same = advance(std::chrono::milliseconds(1));
    EXPECT_EQ(same.primary, PrimaryChange::possible);
    EXPECT_EQ(same.damage.bounds(), (Rect{{0, 0}, {320, 240}}));
    EXPECT_EQ(advance(std::chrono::milliseconds(20)).primary, PrimaryChange::possible);
    EXPECT_EQ(primary().id(), buffer->id());
    EXPECT_TRUE(showsPattern(*buffer, 1));
}

TEST_F(TestSourceTest, APeriodThatFitsTheBuffersIsDrawnOnce) {
    TestSource& source = make("320x240,clock=poll,buffers=4,period=4,memory=memfd");
    std::map<std::uint64_t, BufferId> shown;
    for (std::uint64_t frame = 0; frame < 40; ++frame) {
        EXPECT_EQ(source.poll().primary, PrimaryChange::certain);
        EXPECT_EQ(source.frameNumber(), frame % 4);
        EXPECT_TRUE(showsPattern(primary(), frame % 4));
        shown.emplace(frame % 4, primary().id());
        EXPECT_EQ(shown[frame % 4], primary().id());
    }
    EXPECT_EQ(source.picturesDrawn(), 4U);
    EXPECT_EQ(shown.size(), 4U);
}

TEST_F(TestSourceTest, APeriodBeyondTheBuffersIsDrawnAnew) {
    TestSource& source = make("320x240,clock=poll,buffers=2,period=3,memory=memfd");
    for (std::uint64_t frame = 0; frame < 9; ++frame) {
        static_cast<void>(source.poll());
        EXPECT_TRUE(showsPattern(primary(), frame % 3));
    }
    EXPECT_EQ(source.picturesDrawn(), 9U);
}

TEST_F(TestSourceTest, AStillPictureNeverChanges) {
    TestSource& source = make("320x240,clock=poll,still,memory=memfd");
    EXPECT_EQ(source.poll().primary, PrimaryChange::certain);
    const Frame first = source.frame();
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(source.poll().primary, PrimaryChange::none);
    EXPECT_EQ(source.frame().primary, first.primary);
    EXPECT_EQ(source.frame().cursor, first.cursor);
    EXPECT_EQ(source.frame().sequence, 1U);
    EXPECT_EQ(source.picturesDrawn(), 1U);
}

TEST_F(TestSourceTest, ModesFollowOneAnotherWithNewBuffers) {
    TestSource& source = make("320x240,modes=640x480/100x50,every=2,buffers=2,clock=poll,memory=memfd");
    const std::vector<Size> expected{{320, 240}, {320, 240}, {640, 480}, {640, 480}, {100, 50}, {100, 50}, {320, 240}};
    std::set<BufferId> ids;
    for (std::uint64_t frame = 0; frame < expected.size(); ++frame) {
        EXPECT_EQ(source.poll().primary, PrimaryChange::certain);
        EXPECT_EQ(primary().layout().size, expected[frame]);
        EXPECT_TRUE(showsPattern(primary(), frame));
        ids.insert(primary().id());
    }
    EXPECT_EQ(ids.size(), 7U);
    EXPECT_EQ(source.counters().reallocations, 6U);
    EXPECT_EQ(retired_.ids.size(), 6U);
    for (const BufferId id : retired_.ids)
        EXPECT_NE(id, primary().id());
}

TEST_F(TestSourceTest, ModeChangesLeaveNoDescriptorsBehind) {
    const auto openDescriptors = [] {
        int count = 0;
        for (int fd = 0; fd < 200; ++fd)
            count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
        return count;
    };
    const int before = openDescriptors();
    TestSource& source = make("32x24,modes=64x48,every=1,buffers=2,clock=poll,memory=memfd");
    for (int i = 0; i < 4; ++i)
        static_cast<void>(source.poll());
    const int running = openDescriptors();
    for (int i = 0; i < 1000; ++i)
        static_cast<void>(source.poll());
    EXPECT_EQ(openDescriptors(), running);
    source_.reset();
    EXPECT_EQ(openDescriptors(), before);
}

TEST_F(TestSourceTest, BlanksOnSchedule) {
    TestSource& source = make("320x240,blank=5/2,clock=poll,memory=memfd");
    std::string seen;
    std::string changes;
    for (int i = 0; i < 10; ++i) {
        const PollResult result = source.poll();
        seen += source.frame().primary ? 'P' : '-';
        seen += source.frame().cursor ? 'c' : '-';
        changes += result.primary == PrimaryChange::certain ? 'x' : '.';
        EXPECT_EQ(result.damage.empty(), !source.frame().primary);
    }
    EXPECT_EQ(seen, "PcPcPc----PcPcPc----");
    EXPECT_EQ(changes, "xxxx.xxxx.");
}

TEST_F(TestSourceTest, EndsAfterItsFramesAndSaysSo) {
    TestSource& source = make("320x240,frames=3,clock=poll,memory=memfd");
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(source.poll().status, PollStatus::ok);
    EXPECT_EQ(source.poll().status, PollStatus::ended);
    EXPECT_EQ(source.poll().status, PollStatus::ended);
    EXPECT_THAT(source.endReason(), HasSubstr("3 frames"));
}

TEST_F(TestSourceTest, RetiresEveryBufferWhenItGoes) {
    make("320x240,buffers=3,clock=poll,memory=memfd");
    static_cast<void>(source_->poll());
    const BufferId shown = primary().id();
    source_.reset();
    EXPECT_EQ(retired_.ids.size(), 4U);
    EXPECT_THAT(retired_.ids, testing::Contains(shown));
}

TEST_F(TestSourceTest, TheCursorIsAPlaneOfItsOwn) {
    TestSource& source = make("640x480,clock=poll,memory=memfd");
    BufferId id = 0;
    for (std::uint64_t frame = 0; frame < 300; ++frame) {
        static_cast<void>(source.poll());
        ASSERT_TRUE(source.frame().cursor);
        const Plane& cursor = *source.frame().cursor;
        EXPECT_EQ(cursor.position, cursorPosition(frame, {640, 480}));
        EXPECT_EQ(cursor.hotSpot, patternCursorHotSpot);
        id = id == 0 ? cursor.buffer->id() : id;
        EXPECT_EQ(cursor.buffer->id(), id);
    }
    const Buffer& buffer = *source.frame().cursor->buffer;
    EXPECT_EQ(buffer.layout().format.fourcc, DRM_FORMAT_ARGB8888);
    const std::vector<std::uint32_t> pixels = pixelsOf(buffer);
    for (std::uint32_t y = 0; y < 64; ++y)
        for (std::uint32_t x = 0; x < 64; ++x)
            ASSERT_EQ(pixels[y * 64 + x], cursorPixel(x, y)) << x << "," << y;
}

TEST_F(TestSourceTest, TheCursorCanBeOffOrWithoutHotSpot) {
    static_cast<void>(make("320x240,cursor=off,memory=memfd").poll());
    EXPECT_FALSE(source_->frame().cursor);
    static_cast<void>(make("320x240,cursor=nohotspot,memory=memfd").poll());
    ASSERT_TRUE(source_->frame().cursor);
    EXPECT_FALSE(source_->frame().cursor->hotSpot);
}

class SpoiledPlane : public TestSourceTest, public testing::WithParamInterface<const char*> {};

TEST_P(SpoiledPlane, IsRejectedAndTheFrameBeforeStays) {
    TestSource& source = make("320x240,clock=poll,memory=memfd,quirk=" + std::string(GetParam()));
    for (std::uint64_t frame = 0; frame < 9; ++frame) {
        const PollResult result = source.poll();
        const bool bad = frame % 4 == 3;
        EXPECT_EQ(result.status, PollStatus::ok);
        EXPECT_EQ(result.primary, bad ? PrimaryChange::none : PrimaryChange::certain);
        ASSERT_TRUE(source.frame().primary);
        EXPECT_TRUE(showsPattern(primary(), bad ? frame - 1 : frame));
    }
    EXPECT_EQ(source.counters().planesRejected, 2U);
    EXPECT_TRUE(retired_.ids.empty());
    // Rate limited: the second one is held back.
    ASSERT_EQ(log_.messages.size(), 1U);
    EXPECT_THAT(log_.messages.front(), HasSubstr("warning: the primary plane is ignored"));
    EXPECT_EQ(source.description().quirks, std::vector<std::string>{GetParam()});
}

INSTANTIATE_TEST_SUITE_P(All, SpoiledPlane,
                         testing::Values("bad-format", "bad-modifier", "bad-stride", "bad-size", "huge",
                                         "beyond-buffer"));

TEST_F(TestSourceTest, ABadCursorIsRejectedAndThePictureGoesOn) {
    TestSource& source = make("320x240,clock=poll,memory=memfd,quirk=bad-cursor");
    for (std::uint64_t frame = 0; frame < 4; ++frame)
        EXPECT_EQ(source.poll().primary, PrimaryChange::certain);
    EXPECT_EQ(source.frame().cursor->position, cursorPosition(2, {320, 240}));
    EXPECT_EQ(source.counters().planesRejected, 1U);
}

TEST_F(TestSourceTest, AHotSpotOutsideOfTheCursorIsNone) {
    static_cast<void>(make("320x240,quirk=hot-spot-outside,memory=memfd").poll());
    ASSERT_TRUE(source_->frame().cursor);
    EXPECT_FALSE(source_->frame().cursor->hotSpot);
}

TEST_F(TestSourceTest, TheCursorsSignCanGetLost) {
    const Point first = cursorPosition(0, {320, 240});
    ASSERT_LT(first.x, 0);
    static_cast<void>(make("320x240,quirk=cursor-sign,memory=memfd").poll());
    EXPECT_EQ(source_->frame().cursor->position, (Point{-first.x, -first.y}));
}

TEST_F(TestSourceTest, TheStrideCanBeWiderAndTheSizeRounded) {
    TestSource& source = make("320x240,clock=poll,quirk=wide-stride,quirk=rounded-size,memory=memfd");
    static_cast<void>(source.poll());
    EXPECT_EQ(primary().layout().stride, 1280U + 1280U);
    EXPECT_EQ(primary().layout().byteSize, 2560U * 239 + 1280);
    EXPECT_TRUE(showsPattern(primary(), 0));
}

TEST_F(TestSourceTest, StridesAreAlignedForGpus) {
    static_cast<void>(make("333x200,memory=memfd").poll());
    EXPECT_EQ(primary().layout().stride, 1536U);
    EXPECT_TRUE(showsPattern(primary(), 0));
}

TEST_F(TestSourceTest, TheSameMemoryCanComeBackWithAnotherGeometry) {
    TestSource& source = make("320x240,modes=640x480,every=1,buffers=1,clock=poll,quirk=same-memory,memory=memfd");
    static_cast<void>(source.poll());
    const ino_t inode = inodeOf(primary());
    const BufferId id = primary().id();
    static_cast<void>(source.poll());
    EXPECT_EQ(inodeOf(primary()), inode);
    EXPECT_NE(primary().id(), id);
    EXPECT_EQ(primary().layout().size, (Size{640, 480}));
    EXPECT_TRUE(showsPattern(primary(), 1));
}

TEST_F(TestSourceTest, AlphaCanBeZeroAllOver) {
    static_cast<void>(make("320x240,format=AR24,quirk=alpha-zero,memory=memfd").poll());
    EXPECT_TRUE(showsPattern(primary(), 0));
    for (const std::uint32_t pixel : pixelsOf(primary()))
        ASSERT_EQ(pixel >> 24, 0U);
}

TEST_F(TestSourceTest, PlainMemoryIsCalledThat) {
    static_cast<void>(make("320x240,memory=memfd").poll());
    EXPECT_EQ(primary().kind(), BufferKind::memory);
    EXPECT_EQ(source_->frame().cursor->buffer->kind(), BufferKind::memory);
    EXPECT_EQ(source_->description().display, DisplayKind::memory);
    EXPECT_EQ(source_->description().address, "test:320x240,memory=memfd");
    EXPECT_EQ(make("").description().address, "test");
}

TEST_F(TestSourceTest, ADmaBufIsUsedWhereTheKernelMakesOne) {
    if (!udmabufWorks())
        GTEST_SKIP() << "no /dev/udmabuf";
    TestSource& source = make("640x480,clock=poll");
    EXPECT_EQ(source.description().display, DisplayKind::dmaBuf);
    for (std::uint64_t frame = 0; frame < 5; ++frame) {
        static_cast<void>(source.poll());
        EXPECT_EQ(primary().kind(), BufferKind::dmaBuf);
        EXPECT_TRUE(showsPattern(primary(), frame));
    }
}

TEST_F(TestSourceTest, WithoutUdmabufPlainMemoryIsUsedUnlessADmaBufWasAskedFor) {
    if (udmabufWorks())
        GTEST_SKIP() << "/dev/udmabuf is there";
    static_cast<void>(make("640x480").poll());
    EXPECT_EQ(primary().kind(), BufferKind::memory);
    ASSERT_EQ(log_.messages.size(), 1U);
    EXPECT_THAT(log_.messages.front(), HasSubstr("debug: the test vGPU uses plain memory"));
    try {
        make("640x480,memory=udmabuf");
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("/dev/udmabuf"));
        EXPECT_FALSE(error.hint().empty());
    }
}

TEST_F(TestSourceTest, TheModeFollowsTheMonitorThatIsAskedFor) {
    TestSource& source = make("640x480@60,memory=memfd");
    EXPECT_EQ(source.description().monitorFixedBecause, "");
    static_cast<void>(advance(0s));
    static_cast<void>(advance(1s));
    EXPECT_EQ(source.frameNumber(), 60U);
    source.setMonitor({.size = {800, 601}, .refreshMilliHz = 120'000});
    static_cast<void>(advance(0s));
    static_cast<void>(advance(100ms));
    EXPECT_EQ(primary().layout().size, (Size{800, 601}));
    EXPECT_EQ(source.frameNumber(), 72U) << "the count goes on, at the new pace";
    EXPECT_TRUE(showsPattern(primary(), 72));
    EXPECT_EQ(source.counters().reallocations, 3U);
}

TEST_F(TestSourceTest, AMonitorIsRefusedWithEdidOffAndBoundedOtherwise) {
    TestSource& fixed = make("64x64,memory=memfd,edid=off");
    EXPECT_THAT(fixed.description().monitorFixedBecause, HasSubstr("edid=off"));
    fixed.setMonitor({.size = {128, 128}});
    static_cast<void>(advance(100ms));
    static_cast<void>(advance(100ms));
    EXPECT_EQ(primary().layout().size, (Size{64, 64}));
    TestSource& bounded = make("64x64,memory=memfd,buffers=2,quirk=same-memory");
    static_cast<void>(advance(100ms));
    bounded.setMonitor({.size = {0xffffffff, 16}, .refreshMilliHz = 0xffffffff});
    static_cast<void>(advance(100ms));
    EXPECT_EQ(primary().layout().size, (Size{7680, 16}));
}

TEST_F(TestSourceTest, NothingIsAllocatedPerFrame) {
    TestSource& source = make("640x480,clock=poll,blank=9/2,memory=memfd");
    for (int i = 0; i < 20; ++i)
        static_cast<void>(source.poll());
    const std::size_t before = doubles::allocationCount();
    for (int i = 0; i < 100; ++i)
        static_cast<void>(source.poll());
    EXPECT_EQ(doubles::allocationCount(), before);
}

} // namespace
} // namespace vgpuview

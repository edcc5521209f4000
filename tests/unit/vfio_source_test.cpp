// SPDX-License-Identifier: MIT
// Planes as dma-bufs through a driver with every quirk, and the end of the device.
#include "base/error.h"
#include "doubles/allocation_count.h"
#include "doubles/fake_edid_region.h"
#include "vfio_source_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <utility>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using doubles::FakeDevice;
using doubles::VfioSourceTest;
using testing::Contains;
using testing::Not;

TEST_F(VfioSourceTest, DescribesTheDevice) {
    open();
    const SourceDescription& description = source->description();
    EXPECT_EQ(description.address, "pid:5");
    EXPECT_EQ(description.name, uuid());
    EXPECT_EQ(description.vmName, "desk");
    EXPECT_EQ(description.type, "t");
    EXPECT_EQ(description.display, DisplayKind::dmaBuf);
    EXPECT_TRUE(description.quirks.empty());
}

TEST_F(VfioSourceTest, AMonitorThatIsAskedForGoesToTheDriversEdid) {
    doubles::addEdidRegion(device);
    open();
    EXPECT_EQ(source->description().monitorFixedBecause, "");
    source->setMonitor({.size = {1280, 720}, .refreshMilliHz = 75'000});
    EXPECT_EQ(doubles::edidRegisters(device).edid_size, 128U);
    EXPECT_EQ(doubles::edidRegisters(device).link_state, static_cast<std::uint32_t>(VFIO_DEVICE_GFX_LINK_STATE_DOWN));
    source.reset();
    EXPECT_EQ(doubles::edidRegisters(device).link_state, static_cast<std::uint32_t>(VFIO_DEVICE_GFX_LINK_STATE_UP))
        << "the guest keeps its monitor when the viewer goes";
}

TEST_F(VfioSourceTest, WithoutAnEdidRegionItSaysWhyTheMonitorIsFixed) {
    open();
    EXPECT_EQ(source->description().monitorFixedBecause, "its driver takes no EDID");
    source->setMonitor({.size = {1280, 720}});
    EXPECT_TRUE(io.writes.empty());
}

TEST_F(VfioSourceTest, ADeviceThatItsVmShowsItselfKeepsTheVmsEdid) {
    doubles::addEdidRegion(device);
    host.addProcess(5, "qemu", "qemu\0-device\0vfio-pci,sysfsdev=/sys/bus/mdev/devices/"s + uuid() + ",display=on\0"s);
    open();
    EXPECT_THAT(source->description().monitorFixedBecause, testing::HasSubstr("display=on"));
    source->setMonitor({.size = {1280, 720}});
    EXPECT_TRUE(io.writes.empty());
}

TEST_F(VfioSourceTest, HandsOnTheVeryDmaBufOfTheDriverFetchedOnce) {
    open();
    const PollResult first = poll();
    EXPECT_EQ(first.primary, PrimaryChange::certain);
    EXPECT_EQ(first.damage.bounds(), (Rect{{0, 0}, {64, 32}}));
    EXPECT_EQ(shownInode(), doubles::inodeOf(device.dmaBufs[1].get()));
    EXPECT_EQ(source->frame().sequence, 1U);
    const BufferId buffer = shown();
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(poll().primary, PrimaryChange::possible);
    EXPECT_EQ(shown(), buffer);
    EXPECT_EQ(device.fetches, 1U);
    EXPECT_EQ(source->frame().sequence, 1U);
    EXPECT_EQ(source->counters().bytesCopied, 0U);
    EXPECT_TRUE(device.everyStructureWasZeroed);
}

TEST_F(VfioSourceTest, APollOfKnownBuffersAllocatesNothing) {
    open();
    device.addDmaBuf(2, 64 * 32 * 4);
    device.addDmaBuf(9, 1024);
    showCursor(1, 1, 9);
    for (const std::uint32_t id : {1U, 2U}) {
        device.primary.dmabuf_id = id;
        poll();
    }
    const std::size_t before = doubles::allocationCount();
    for (std::uint32_t i = 0; i < 1000; ++i) {
        device.primary.dmabuf_id = 1 + i % 2;
        device.cursor.x_pos = i % 50;
        ASSERT_EQ(poll().primary, PrimaryChange::certain);
    }
    EXPECT_EQ(doubles::allocationCount(), before);
}

TEST_F(VfioSourceTest, ADmaBufIsNotInheritedByChildren) {
    open();
    poll();
    EXPECT_NE(::fcntl(source->frame().primary->buffer->fd(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_THAT(quirks(), Contains("size-rounded").Times(0));
    poll();
    EXPECT_THAT(quirks(), Contains("dma-buf-inherited"));
}

TEST_F(VfioSourceTest, PageFlipsAmongKnownBuffersAreFree) {
    open();
    device.addDmaBuf(2, 64 * 32 * 4);
    poll();
    const BufferId first = shown();
    for (int i = 0; i < 10; ++i) {
        device.primary.dmabuf_id = i % 2 == 0 ? 2 : 1;
        EXPECT_EQ(poll().primary, PrimaryChange::certain);
    }
    EXPECT_EQ(shown(), first);
    EXPECT_EQ(device.fetches, 2U);
    EXPECT_EQ(source->frame().sequence, 11U);
    EXPECT_TRUE(observer.retired.empty());
    EXPECT_EQ(source->counters().reallocations, 0U);
}

TEST_F(VfioSourceTest, TheCacheIsBoundedAndLetsGoOfTheOldestFirst) {
    open();
    std::vector<BufferId> ids;
    for (std::uint32_t id = 1; id <= 20; ++id) {
        device.addDmaBuf(id, 64 * 32 * 4);
        device.primary.dmabuf_id = id;
        poll();
        ids.push_back(shown());
    }
    EXPECT_EQ(observer.retired, std::vector(ids.begin(), ids.begin() + 12));
    EXPECT_FALSE(doubles::inodeOf(source->frame().primary->buffer->fd()) == 0);
    device.primary.dmabuf_id = 13;
    poll();
    EXPECT_EQ(device.fetches, 20U) << "the eighth last is still there";
}

TEST_F(VfioSourceTest, ADriverWhoseDmaBufsMustNotBeFetchedTwiceKeepsThemAll) {
    open("mbochs", "");
    EXPECT_THAT(quirks(), Contains("dma-buf-once-per-id"));
    for (int round = 0; round < 2; ++round)
        for (std::uint32_t id = 1; id <= 60; ++id) {
            if (round == 0)
                device.addDmaBuf(id, 64 * 32 * 4);
            device.primary.dmabuf_id = id;
            poll();
        }
    EXPECT_EQ(device.fetches, 60U);
    EXPECT_TRUE(observer.retired.empty());
}

TEST_F(VfioSourceTest, EvenSuchADriversDmaBufsGoWhenDescriptorsRunOut) {
    open("mbochs", "");
    for (std::uint32_t id = 1; id <= 20; ++id) {
        device.addDmaBuf(id, 64 * 32 * 4);
        device.primary.dmabuf_id = id;
        if (id == 20)
            device.fetchErrors = {EMFILE};
        EXPECT_EQ(poll().primary, PrimaryChange::certain);
    }
    EXPECT_EQ(observer.retired.size(), 15U);
    EXPECT_EQ(shownInode(), doubles::inodeOf(device.dmaBufs[20].get()));
}

TEST_F(VfioSourceTest, AnIdThatIsUsedAgainForAnotherGeometryIsFetchedAgain) {
    open();
    poll();
    const BufferId before = shown();
    device.addDmaBuf(1, 32 * 32 * 4);
    device.show(DRM_FORMAT_XRGB8888, 32, 32, 1);
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_NE(shown(), before);
    EXPECT_EQ(shownInode(), doubles::inodeOf(device.dmaBufs[1].get()));
    EXPECT_EQ(observer.retired, std::vector{before});
    EXPECT_THAT(quirks(), Contains("id-reused"));
    EXPECT_EQ(source->counters().reallocations, 1U);
    device.primary.drm_format = DRM_FORMAT_ARGB8888;
    poll();
    EXPECT_EQ(device.fetches, 3U) << "the format counts too";
}

TEST_F(VfioSourceTest, AFirstQueryThatFailsWithEnomemIsRepeatedAtOnce) {
    open();
    device.queryErrors = {ENOMEM};
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_EQ(device.primaryQueries, 2U);
    EXPECT_THAT(quirks(), Contains("first-query-enomem"));
    EXPECT_THAT(quirks(), Contains("dma-buf-once-per-id"));
}

TEST_F(VfioSourceTest, ADriverThatIsReallyOutOfMemoryIsLeftInPeaceForAWhile) {
    open();
    device.primaryError = ENOMEM;
    for (int i = 0; i < 100; ++i)
        poll();
    EXPECT_EQ(device.primaryQueries, 2U);
    EXPECT_THAT(quirks(), Not(Contains("first-query-enomem")));
    EXPECT_EQ(log.lines.size(), 1U);
}

TEST_F(VfioSourceTest, ADisabledPlaneThatTheDriverLeavesUntouchedIsOff) {
    open();
    poll();
    device.leavesOffUntouched = true;
    device.primary = {};
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_FALSE(source->frame().primary);
    EXPECT_EQ(poll().primary, PrimaryChange::none);
    device.show(DRM_FORMAT_XRGB8888, 64, 32, 1);
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_EQ(device.fetches, 1U);
    EXPECT_EQ(source->frame().sequence, 3U);
}

TEST_F(VfioSourceTest, AFlipBetweenQueryAndFetchIsFollowed) {
    open();
    device.addDmaBuf(2, 64 * 32 * 4);
    device.dmaBufs.erase(1);
    device.beforeFetch = [](FakeDevice& driver) { driver.primary.dmabuf_id = 2; };
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_EQ(shownInode(), doubles::inodeOf(device.dmaBufs[2].get()));
    EXPECT_EQ(device.primaryQueries, 2U);
}

TEST_F(VfioSourceTest, AGuestThatAlwaysFlipsInBetweenDoesNotHoldThePollUp) {
    open();
    device.dmaBufs.clear();
    EXPECT_EQ(poll().primary, PrimaryChange::none);
    EXPECT_EQ(device.primaryQueries, 3U);
    EXPECT_EQ(device.fetches, 3U);
}

TEST_F(VfioSourceTest, ABadPlaneIsDroppedWithOneWarningAndTheLastFrameStays) {
    open();
    poll();
    const BufferId before = shown();
    device.primary.stride = 4;
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(poll().primary, PrimaryChange::none);
    EXPECT_EQ(shown(), before);
    EXPECT_EQ(device.fetches, 1U);
    EXPECT_EQ(source->counters().planesRejected, 50U);
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_NE(log.lines[0].find("stride is smaller than a row"), std::string::npos) << log.lines[0];
    device.show(DRM_FORMAT_XRGB8888, 64, 32, 1);
    EXPECT_EQ(poll().primary, PrimaryChange::possible) << "the viewer goes on";
}

TEST_F(VfioSourceTest, APlaneBeyondItsDmaBufIsDroppedAndNotFetchedAgain) {
    open();
    device.addDmaBuf(1, 64 * 32 * 4 - 1);
    for (int i = 0; i < 5; ++i)
        poll();
    EXPECT_FALSE(source->frame().primary);
    EXPECT_EQ(device.fetches, 1U);
    EXPECT_EQ(source->counters().planesRejected, 5U);
}

TEST_F(VfioSourceTest, ASizeThatTheKernelDoesNotTellIsTheDriversWord) {
    open();
    io.sizeError = ESPIPE;
    poll();
    EXPECT_TRUE(source->frame().primary);
    device.addDmaBuf(2, 64 * 32 * 4);
    device.primary.dmabuf_id = 2;
    device.primary.size = 64 * 32;
    poll();
    EXPECT_EQ(source->counters().planesRejected, 1U);
}

TEST_F(VfioSourceTest, OddSizesAndStridesAreNotedAsQuirks) {
    open();
    device.addDmaBuf(3, 1 << 20);
    device.primary.dmabuf_id = 3;
    device.primary.stride = 512;
    device.primary.size = 1 << 20;
    poll();
    EXPECT_EQ(source->frame().primary->buffer->layout().stride, 512U);
    EXPECT_THAT(quirks(), Contains("stride-larger"));
    EXPECT_THAT(quirks(), Contains("size-rounded"));
    device.primary.size = 4;
    poll();
    EXPECT_THAT(quirks(), Contains("size-in-pages"));
}

TEST_F(VfioSourceTest, TheCursorHasPositionAndHotSpot) {
    open();
    device.addDmaBuf(9, 1024);
    showCursor(10, 20, 9);
    poll();
    ASSERT_TRUE(source->frame().cursor);
    EXPECT_EQ(doubles::inodeOf(source->frame().cursor->buffer->fd()), doubles::inodeOf(device.dmaBufs[9].get()));
    EXPECT_EQ(source->frame().cursor->position, (Point{10, 20}));
    EXPECT_EQ(source->frame().cursor->hotSpot, (Point{3, 4}));
    showCursor(static_cast<std::uint32_t>(-5), 20, 9);
    device.cursor.x_hot = 0xffffffff;
    EXPECT_EQ(poll().primary, PrimaryChange::possible) << "a cursor that moves is no change of the primary plane";
    EXPECT_EQ(source->frame().cursor->position, (Point{-5, 20}));
    EXPECT_FALSE(source->frame().cursor->hotSpot);
    EXPECT_THAT(quirks(), Contains("hot-spot-absent"));
    device.cursor = {};
    poll();
    EXPECT_FALSE(source->frame().cursor);
}

TEST_F(VfioSourceTest, ACursorThatTheDriverRefusesIsAskedForOnce) {
    open();
    device.cursorError = EINVAL;
    for (int i = 0; i < 50; ++i)
        poll();
    EXPECT_EQ(device.cursorQueries, 1U);
    EXPECT_TRUE(log.lines.empty());
}

TEST_F(VfioSourceTest, ACursorThatFailsOnceItWasThereIsAskedForAgain) {
    open();
    device.addDmaBuf(9, 1024);
    showCursor(0, 0, 9);
    poll();
    device.cursorError = EINVAL;
    poll();
    poll();
    EXPECT_EQ(device.cursorQueries, 2U) << "not at once";
    EXPECT_TRUE(source->frame().cursor);
    device.cursorError = 0;
    for (int i = 0; i < 200 && device.cursorQueries == 2; ++i) {
        ::usleep(5000);
        poll();
    }
    EXPECT_EQ(device.cursorQueries, 3U);
}

TEST_F(VfioSourceTest, ADriverThatAnswersTheCursorQueryWithThePrimaryHasNoCursor) {
    device.ignoresPlaneType = true;
    open();
    for (int i = 0; i < 5; ++i)
        poll();
    EXPECT_FALSE(source->frame().cursor);
    EXPECT_EQ(device.cursorQueries, 1U);
    EXPECT_THAT(quirks(), Contains("cursor-answers-primary"));
}

TEST_F(VfioSourceTest, QuirksThatOnlyTheDriversNameTellsAreKnown) {
    open("0000:00:02.0", "i915");
    EXPECT_THAT(quirks(), Contains("cursor-sign-dropped"));
    EXPECT_THAT(quirks(), Contains("disabled-plane-untouched"));
}

TEST_F(VfioSourceTest, ADeviceWithoutDisplayIsNotSupported) {
    device.offersDmaBuf = false;
    try {
        open();
        FAIL() << "was opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notSupported);
        EXPECT_EQ(error.what(), "cannot show " + uuid() + ": it has no display");
    }
}

TEST_F(VfioSourceTest, TheVmsEndReachesTheObserverBeforeTheDeviceIsClosed) {
    open();
    poll();
    const ino_t dmaBuf = shownInode();
    device.dmaBufs.clear();
    bool openAtEnd = false;
    observer.onEnd = [&] { openAtEnd = doubles::isOpen(dmaBuf); };
    ASSERT_EQ(::write(killer.get(), "x", 1), 1);
    loop.iterate(1s);
    EXPECT_EQ(observer.ended, 1U);
    EXPECT_TRUE(openAtEnd);
    EXPECT_FALSE(doubles::isOpen(dmaBuf));
    EXPECT_EQ(source->endReason(), "VM desk ended (pid 5)");
    EXPECT_EQ(poll().status, PollStatus::ended);
    EXPECT_FALSE(source->frame().primary);
    EXPECT_FALSE(loop.iterate(0ms)) << "nothing is watched any more";
    EXPECT_NO_THROW(source = openVfioSource(ProcessAddress{.pid = 5}, host.paths(), io, loop, log)) << "unlocked";
}

TEST_F(VfioSourceTest, ARemovedDeviceEndsThePoll) {
    open();
    poll();
    const ino_t dmaBuf = shownInode();
    device.dmaBufs.clear();
    device.removed = true;
    EXPECT_EQ(poll().status, PollStatus::ended);
    EXPECT_FALSE(source->endReason().empty());
    EXPECT_EQ(observer.ended, 0U) << "poll() itself said so";
    EXPECT_TRUE(doubles::isOpen(dmaBuf)) << "sinks still have it";
    loop.iterate(0ms);
    EXPECT_FALSE(doubles::isOpen(dmaBuf));
}

TEST_F(VfioSourceTest, AnErrorThatOnlyAPlaneHasDoesNotEndIt) {
    open();
    poll();
    device.primaryError = ENODEV;
    EXPECT_EQ(poll().status, PollStatus::ok);
    EXPECT_TRUE(source->frame().primary);
}

TEST_F(VfioSourceTest, DescriptorsStayFewOverManyModeChanges) {
    open();
    const auto countOpen = [] {
        int count = 0;
        for (int fd = 0; fd < 1024; ++fd)
            count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
        return count;
    };
    const int before = countOpen();
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const std::uint32_t width = 16 + i % 40;
        device.dmaBufs.clear();
        device.addDmaBuf(i, 64 * 64 * 4);
        device.show(DRM_FORMAT_XRGB8888, width, 16, i);
        ASSERT_EQ(poll().primary, PrimaryChange::certain);
    }
    EXPECT_LE(countOpen(), before + 9);
    EXPECT_EQ(observer.retired.size(), 992U);
}

} // namespace
} // namespace vgpuview

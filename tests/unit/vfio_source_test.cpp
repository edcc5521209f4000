// SPDX-License-Identifier: MIT
// Planes as dma-bufs and regions through a driver with every quirk, and the end of the device.
#include "base/error.h"
#include "doubles/allocation_count.h"
#include "doubles/fake_edid_region.h"
#include "doubles/fake_host.h"
#include "doubles/fake_vfio_io.h"
#include "doubles/recording_log.h"
#include "vfio/source.h"

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using doubles::FakeDevice;
using doubles::FakeHost;
using doubles::FakeVfioIo;
using testing::Contains;
using testing::Not;

const std::string uuid = "0a000000-0000-0000-0000-00000000000a";

class Observer final : public FrameSourceObserver {
public:
    void bufferRetired(const Buffer& buffer) override { retired.push_back(buffer.id()); }
    void sourceEnded() override {
        ++ended;
        if (onEnd)
            onEnd();
    }
    std::vector<BufferId> retired;
    unsigned ended = 0;
    std::function<void()> onEnd;
};

/// A source on a device that a process holds.
class VfioSourceTest : public testing::Test {
protected:
    VfioSourceTest() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
            io.processes[5].alive = UniqueFd(ends[0]);
            killer = UniqueFd(ends[1]);
        }
        io.processes[5].descriptors = {{9, &device}};
        host.addProcess(5, "qemu", "qemu\0-name\0desk\0"s);
        host.addDescriptor("5", 8, "/dev/vfio/7");
        host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
        device.show(DRM_FORMAT_XRGB8888, 64, 32, 1);
        device.addDmaBuf(1, 64 * 32 * 4);
    }
    void open(const std::string& parent = "mdev-parent", const std::string& driver = "nvidia") {
        host.addMdev(uuid, parent, "t", 7, {}, driver);
        source = openVfioSource(ProcessAddress{.pid = 5}, host.paths(), io, loop, log);
        source->observe(&observer);
    }
    PollResult poll() { return source->poll(); }
    [[nodiscard]] BufferId shown() const { return source->frame().primary ? source->frame().primary->buffer->id() : 0; }
    [[nodiscard]] ino_t shownInode() const {
        return source->frame().primary ? doubles::inodeOf(source->frame().primary->buffer->fd()) : 0;
    }
    [[nodiscard]] const std::vector<std::string>& quirks() const { return source->description().quirks; }
    void showCursor(std::uint32_t x, std::uint32_t y, std::uint32_t token) {
        device.cursor = {};
        device.cursor.drm_format = DRM_FORMAT_ARGB8888;
        device.cursor.width = 16;
        device.cursor.height = 16;
        device.cursor.stride = 64;
        device.cursor.size = 1024;
        device.cursor.x_pos = x;
        device.cursor.y_pos = y;
        device.cursor.x_hot = 3;
        device.cursor.y_hot = 4;
        device.cursor.dmabuf_id = token;
    }

    FakeHost host;
    FakeVfioIo io;
    FakeDevice device;
    UniqueFd killer;
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::warning};
    Observer observer;
    std::unique_ptr<FrameSource> source;
};

TEST_F(VfioSourceTest, DescribesTheDevice) {
    open();
    const SourceDescription& description = source->description();
    EXPECT_EQ(description.address, "pid:5");
    EXPECT_EQ(description.name, uuid);
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
    host.addProcess(5, "qemu", "qemu\0-device\0vfio-pci,sysfsdev=/sys/bus/mdev/devices/"s + uuid + ",display=on\0"s);
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
        EXPECT_EQ(error.what(), "cannot show " + uuid + ": it has no display");
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

/// The same with a display in a region, as mdpy and NVIDIA have it.
class RegionSourceTest : public VfioSourceTest {
protected:
    static constexpr std::uint32_t index = 16;
    static constexpr std::uint32_t width = 64;
    static constexpr std::uint32_t height = 32;

    RegionSourceTest() {
        device.offersDmaBuf = false;
        device.offersRegion = true;
        device.show(DRM_FORMAT_XRGB8888, width, height, index);
        FakeRegion& region = device.regions[index];
        region.offset = 0x100000;
        region.memory.resize(std::size_t{width} * height * 4);
    }
    using FakeRegion = doubles::FakeRegion;
    void draw(std::uint32_t y, std::uint8_t value) {
        auto& memory = device.regions[index].memory;
        std::fill_n(memory.begin() + y * device.primary.stride, width * 4, std::byte{value});
    }
    [[nodiscard]] std::vector<std::byte> pixels() const {
        const Buffer& buffer = *source->frame().primary->buffer;
        std::vector<std::byte> content(buffer.layout().byteSize);
        EXPECT_EQ(::pread(buffer.fd(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
        return content;
    }
    [[nodiscard]] bool showsTheRegion() const {
        const auto content = pixels();
        for (std::size_t y = 0; y < height; ++y)
            if (!std::equal(content.begin() + static_cast<std::ptrdiff_t>(y * width * 4),
                            content.begin() + static_cast<std::ptrdiff_t>((y + 1) * width * 4),
                            device.regions.at(index).memory.begin() +
                                static_cast<std::ptrdiff_t>(y * device.primary.stride)))
                return false;
        return true;
    }
};

TEST_F(RegionSourceTest, TheFirstPictureIsCopiedWhole) {
    draw(3, 0x55);
    open();
    EXPECT_EQ(source->description().display, DisplayKind::region);
    const PollResult result = poll();
    EXPECT_EQ(result.primary, PrimaryChange::certain);
    EXPECT_EQ(result.damage.bounds(), (Rect{{0, 0}, {width, height}}));
    EXPECT_TRUE(showsTheRegion());
    EXPECT_EQ(source->frame().primary->buffer->kind(), BufferKind::memory);
    EXPECT_EQ(source->counters().bytesCopied, width * height * 4);
    EXPECT_THAT(quirks(), Contains("region-index-beyond"));
}

TEST_F(RegionSourceTest, OnlyRowsThatChangedAreCopiedAndDamaged) {
    open();
    poll();
    const BufferId buffer = shown();
    EXPECT_EQ(poll().primary, PrimaryChange::none);
    const std::uint64_t before = source->counters().bytesCopied;
    for (const std::uint32_t y : {4U, 5U, 20U})
        draw(y, 0x77);
    const PollResult result = poll();
    EXPECT_EQ(result.primary, PrimaryChange::certain);
    ASSERT_EQ(result.damage.rects().size(), 2U);
    EXPECT_EQ(result.damage.rects()[0], (Rect{{0, 4}, {width, 2}}));
    EXPECT_EQ(result.damage.rects()[1], (Rect{{0, 20}, {width, 1}}));
    EXPECT_EQ(source->counters().bytesCopied - before, 3 * width * 4);
    EXPECT_EQ(shown(), buffer);
    EXPECT_TRUE(showsTheRegion());
    EXPECT_EQ(io.mapCalls, 1U) << "mapped once";
}

TEST_F(RegionSourceTest, APollOfAKnownRegionAllocatesNothing) {
    open();
    poll();
    poll();
    const std::size_t before = doubles::allocationCount();
    for (std::uint32_t i = 0; i < 1000; ++i) {
        draw(i % height, static_cast<std::uint8_t>(i / height + 1));
        ASSERT_EQ(poll().primary, PrimaryChange::certain);
    }
    EXPECT_EQ(doubles::allocationCount(), before);
}

TEST_F(RegionSourceTest, ABufferThatIsBeingReadIsNotWrittenTo) {
    open();
    poll();
    const BufferRef first = source->frame().primary->buffer;
    BufferReadLock reader(first);
    const auto before = pixels();
    draw(0, 0x11);
    poll();
    EXPECT_NE(shown(), first->id());
    EXPECT_TRUE(showsTheRegion());
    std::vector<std::byte> stillFirst(before.size());
    ASSERT_EQ(::pread(first->fd(), stillFirst.data(), stillFirst.size(), 0), static_cast<ssize_t>(stillFirst.size()));
    EXPECT_EQ(stillFirst, before);
}

TEST_F(RegionSourceTest, ABufferThatComesBackCatchesUpOnTheRowsItMissed) {
    open();
    poll();
    BufferReadLock readers[2];
    readers[0] = BufferReadLock(source->frame().primary->buffer);
    for (std::uint8_t i = 0; i < 20; ++i) {
        draw(i, static_cast<std::uint8_t>(i + 1));
        poll();
        ASSERT_TRUE(showsTheRegion()) << "after change " << int{i};
        readers[(i + 1) % 2] = BufferReadLock(source->frame().primary->buffer);
    }
}

TEST_F(RegionSourceTest, AtMostThreeBuffersAreMadeAndAChangeWaitsWhileAllAreRead) {
    open();
    std::vector<BufferReadLock> readers;
    std::vector<BufferId> ids;
    for (std::uint8_t i = 0; i < 3; ++i) {
        draw(0, static_cast<std::uint8_t>(i + 1));
        EXPECT_EQ(poll().primary, PrimaryChange::certain);
        ids.push_back(shown());
        readers.emplace_back(source->frame().primary->buffer);
    }
    EXPECT_NE(ids[0], ids[1]);
    EXPECT_NE(ids[1], ids[2]);
    draw(9, 0x99);
    EXPECT_EQ(poll().primary, PrimaryChange::none);
    readers.erase(readers.begin());
    const PollResult result = poll();
    EXPECT_EQ(result.primary, PrimaryChange::certain);
    EXPECT_EQ(result.damage.bounds(), (Rect{{0, 9}, {width, 1}}));
    EXPECT_EQ(shown(), ids[0]);
    EXPECT_TRUE(showsTheRegion());
}

TEST_F(RegionSourceTest, AModeChangeRetiresTheOldBuffers) {
    open();
    poll();
    const BufferId before = shown();
    device.show(DRM_FORMAT_XRGB8888, 32, 16, index);
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_EQ(observer.retired, std::vector{before});
    EXPECT_EQ(source->frame().primary->buffer->layout().size, (Size{32, 16}));
    EXPECT_EQ(source->counters().reallocations, 1U);
    EXPECT_EQ(io.mapCalls, 1U);
}

TEST_F(RegionSourceTest, PaddedRowsAreCopiedWithoutTheirPadding) {
    device.primary.stride = width * 4 + 64;
    device.primary.size = device.primary.stride * height;
    device.regions[index].memory.resize(device.primary.size);
    open();
    poll();
    const std::uint64_t before = source->counters().bytesCopied;
    device.regions[index].memory[width * 4 + 3] = std::byte{1};
    EXPECT_EQ(poll().primary, PrimaryChange::none) << "padding is no picture";
    draw(31, 0x12);
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_EQ(source->counters().bytesCopied - before, width * 4);
    EXPECT_EQ(source->frame().primary->buffer->layout().stride, width * 4);
    EXPECT_TRUE(showsTheRegion());
}

TEST_F(RegionSourceTest, APictureBeyondTheRegionIsDropped) {
    device.regions[index].memory.resize(width * height * 4 - 1);
    open();
    EXPECT_EQ(poll().primary, PrimaryChange::none);
    EXPECT_FALSE(source->frame().primary);
    EXPECT_EQ(source->counters().planesRejected, 1U);
}

TEST_F(RegionSourceTest, ATiledPictureInARegionIsDropped) {
    device.primary.drm_format_mod = I915_FORMAT_MOD_X_TILED;
    open();
    EXPECT_EQ(poll().primary, PrimaryChange::none);
    EXPECT_EQ(source->counters().planesRejected, 1U);
}

TEST_F(RegionSourceTest, ARegionThatCannotBeMappedIsReportedAndTheViewerGoesOn) {
    device.regions[index].flags = VFIO_REGION_INFO_FLAG_READ;
    open();
    EXPECT_EQ(poll().status, PollStatus::ok);
    EXPECT_FALSE(source->frame().primary);
    EXPECT_EQ(log.lines.size(), 1U);
    EXPECT_EQ(io.mapCalls, 0U);
}

TEST_F(RegionSourceTest, TheMappingGoesWithTheSource) {
    open();
    poll();
    EXPECT_EQ(io.mappings, 1U);
    source.reset();
    EXPECT_EQ(io.mappings, 0U);
}

TEST_F(RegionSourceTest, ThePrimaryInAnswerToACursorQueryIsIgnored) {
    device.ignoresPlaneType = true;
    open();
    poll();
    poll();
    EXPECT_FALSE(source->frame().cursor);
    EXPECT_EQ(device.cursorQueries, 1U);
}

} // namespace
} // namespace vgpuview

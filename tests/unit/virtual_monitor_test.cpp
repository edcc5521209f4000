// SPDX-License-Identifier: MIT
// The guest's monitor changes in the order that drivers want, once it has come to rest.
#include "doubles/allocation_count.h"
#include "doubles/fake_edid_region.h"
#include "doubles/fake_scheduler.h"
#include "doubles/recording_log.h"
#include "vfio/virtual_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::uint64_t linkState = offsetof(vfio_region_gfx_edid, link_state);
constexpr std::uint64_t blobSize = offsetof(vfio_region_gfx_edid, edid_size);
constexpr auto linkUp = static_cast<std::uint32_t>(VFIO_DEVICE_GFX_LINK_STATE_UP);
constexpr auto linkDown = static_cast<std::uint32_t>(VFIO_DEVICE_GFX_LINK_STATE_DOWN);

class VirtualMonitorTest : public testing::Test {
protected:
    VirtualMonitorTest() {
        doubles::addEdidRegion(device);
        fd = io.descriptorOf(device);
        monitor =
            std::make_unique<VirtualMonitor>(*EdidRegion::find(DeviceCalls(io, fd.get())), "0a000000", scheduler, log);
    }
    /// Where in the region was written since the last call.
    std::vector<std::uint64_t> writes() {
        std::vector<std::uint64_t> offsets;
        for (const auto& write : std::exchange(io.writes, {}))
            offsets.push_back(write.first - doubles::edidRegionOffset);
        return offsets;
    }
    [[nodiscard]] bool holds(const EdidBlock& block) const {
        const auto& memory = device.regions.at(9).memory;
        return std::equal(block.begin(), block.end(), memory.begin() + doubles::edidBlobOffset);
    }
    [[nodiscard]] std::uint32_t link() const { return doubles::edidRegisters(device).link_state; }

    doubles::FakeVfioIo io;
    doubles::FakeDevice device;
    UniqueFd fd;
    doubles::FakeScheduler scheduler;
    doubles::RecordingLog log{LogLevel::warning};
    std::unique_ptr<VirtualMonitor> monitor;
};

TEST_F(VirtualMonitorTest, LinkDownThenSizeThenBlockAndLinkUpAfterARest) {
    monitor->set({.size = {1280, 720}, .refreshMilliHz = 75'000, .millimetres = Size{340, 190}});
    EXPECT_THAT(writes(), ElementsAre(linkState, blobSize, 2048, 2148)) << "the block in two parts, as it was taken";
    EXPECT_EQ(link(), linkDown);
    EXPECT_TRUE(holds(makeEdid({.size = {1280, 720},
                                .refreshMilliHz = 75'000,
                                .millimetres = Size{340, 190},
                                .serial = "0a000000",
                                .limit = {1920, 1200}})));
    scheduler.advance(99ms);
    EXPECT_THAT(writes(), ElementsAre());
    scheduler.advance(1ms);
    EXPECT_THAT(writes(), ElementsAre(linkState));
    EXPECT_EQ(link(), linkUp);
    EXPECT_FALSE(scheduler.nextTimer());
}

TEST_F(VirtualMonitorTest, EachStepOfAResizePutsTheLinkUpOff) {
    for (std::uint32_t width = 800; width < 1000; width += 10) {
        monitor->set({.size = {width, 600}});
        scheduler.advance(90ms);
        EXPECT_EQ(link(), linkDown) << width;
    }
    const std::vector<std::uint64_t> written = writes();
    EXPECT_EQ(std::count(written.begin(), written.end(), linkState), 1) << "unplugged once";
    scheduler.advance(10ms);
    EXPECT_EQ(link(), linkUp);
    EXPECT_TRUE(holds(makeEdid({.size = {990, 600}, .serial = "0a000000", .limit = {1920, 1200}})));
}

TEST_F(VirtualMonitorTest, TheSameMonitorIsLeftAlone) {
    monitor->set({.size = {800, 600}});
    scheduler.advance(1s);
    io.writes.clear();
    monitor->set({.size = {800, 600}});
    scheduler.advance(1s);
    EXPECT_TRUE(io.writes.empty());
}

TEST_F(VirtualMonitorTest, AGuestIsNotLeftUnplugged) {
    monitor->set({.size = {800, 600}});
    monitor.reset();
    EXPECT_EQ(link(), linkUp);
}

TEST_F(VirtualMonitorTest, ADriverThatRefusesIsReportedOnce) {
    device.regions.clear();
    for (std::uint32_t i = 0; i < 5; ++i) {
        monitor->set({.size = {800 + i, 600}});
        scheduler.advance(200ms);
    }
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_THAT(log.lines[0], testing::HasSubstr("cannot unplug the guest's monitor: Invalid argument"));
}

TEST_F(VirtualMonitorTest, NothingIsAllocated) {
    io.recordsWrites = false;
    monitor->set({.size = {800, 600}});
    scheduler.advance(1s);
    const std::size_t before = doubles::allocationCount();
    monitor->set({.size = {1024, 768}, .millimetres = Size{300, 200}});
    scheduler.advance(1s);
    EXPECT_EQ(doubles::allocationCount(), before);
    EXPECT_EQ(link(), linkUp);
}

} // namespace
} // namespace vgpuview

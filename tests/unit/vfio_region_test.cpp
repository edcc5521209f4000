// SPDX-License-Identifier: MIT
// Planes in a region: which rows are copied, into what, and what is refused.
#include "doubles/allocation_count.h"
#include "vfio_source_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <utility>

namespace vgpuview {
namespace {

using doubles::VfioSourceTest;
using testing::Contains;

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

TEST_F(RegionSourceTest, ThereAreThreeBuffersAndAChangeWaitsWhileAllAreRead) {
    open();
    EXPECT_TRUE(source->primaryBuffers().empty()) << "before the first picture";
    poll();
    std::set<BufferId> known;
    for (const BufferRef& buffer : source->primaryBuffers())
        known.insert(buffer->id());
    std::vector<BufferReadLock> readers;
    std::vector<BufferId> ids;
    for (std::uint8_t i = 0; i < 3; ++i) {
        draw(0, static_cast<std::uint8_t>(i + 1));
        EXPECT_EQ(poll().primary, PrimaryChange::certain);
        ids.push_back(shown());
        readers.emplace_back(source->frame().primary->buffer);
    }
    EXPECT_EQ(known, std::set(ids.begin(), ids.end()));
    EXPECT_EQ(known.size(), 3U);
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
    std::vector<BufferId> before;
    for (const BufferRef& buffer : source->primaryBuffers())
        before.push_back(buffer->id());
    device.show(DRM_FORMAT_XRGB8888, 32, 16, index);
    EXPECT_EQ(poll().primary, PrimaryChange::certain);
    EXPECT_EQ(observer.retired, before);
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

// SPDX-License-Identifier: MIT
// Thousands of frames while the guest's set of buffers, its mode and its picture come and go: each shows what it
// claims.
#include "pipewire_fixture.h"

#include <functional>

namespace vgpuview::component {
namespace {

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

} // namespace
} // namespace vgpuview::component

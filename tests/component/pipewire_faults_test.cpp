// SPDX-License-Identifier: MIT
// What becomes of the stream when the daemon, a consumer or the guest dies, and what they leave behind.
#include "base/error.h"
#include "pipewire_fixture.h"

#include <malloc.h>
#include <pipewire/stream.h>
#include <spa/buffer/buffer.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

namespace vgpuview::component {
namespace {

class FaultsTest : public StreamTest {};

TEST_F(FaultsTest, ANameInUseIsRefused) {
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

TEST_F(FaultsTest, NoDaemonIsToldAsSuch) {
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

TEST_F(FaultsTest, AConsumerThatDiesMakesRoomForOneOfAnotherKind) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    for (const std::vector<std::string>& kinds :
         {std::vector<std::string>{"dmabuf"}, {"shm"}, {"dmabuf", "shm"}, {"shm"}, {"dmabuf"}}) {
        Consumer consumer(name, kinds);
        ASSERT_TRUE(flipAndWait(consumer)) << kinds.front() << "\n" << log.text;
        const std::uint32_t type = kinds.front() == "shm" ? SPA_DATA_MemFd : SPA_DATA_DmaBuf;
        EXPECT_TRUE(runUntil([&] { return consumer.report().memoryType == type; })) << kinds.front() << "\n"
                                                                                    << log.text;
        EXPECT_EQ(consumer.report().mismatches, 0U);
        consumer.kill();
        runFor(200ms);
    }
}

TEST_F(FaultsTest, TheStreamIsBackWhenTheDaemonIs) {
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

TEST_F(FaultsTest, TheStreamEndsWithTheDaemonOnDemand) {
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

TEST_F(FaultsTest, ASourceThatEndsLetsGoOfItsBuffersAndAnotherOneGoesOn) {
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

/// Bytes that the program has taken from the allocator and not given back.
std::size_t heldMemory() {
    const struct mallinfo2 state = ::mallinfo2();
    return state.uordblks + state.hblkhd;
}

TEST_F(FaultsTest, TwoHundredConsumersLeaveNothingBehind) {
    guest.useBuffers(2, small);
    guest.flip();
    start();
    std::size_t descriptors = 0;
    std::size_t regions = 0;
    std::size_t memory = 0;
    for (int i = 0; i < 200; ++i) {
        Consumer consumer(name, {i % 2 == 0 ? "dmabuf" : "shm"});
        ASSERT_TRUE(flipAndWait(consumer)) << "consumer " << i << "\n" << log.text;
        ASSERT_EQ(consumer.report().mismatches, 0U);
        if (i % 3 == 0)
            consumer.kill();
        else
            consumer.quit();
        runFor(20ms);
        log.text.clear();
        if (i == 39) {
            descriptors = openDescriptors();
            regions = mappings();
            memory = heldMemory();
        }
    }
    runFor(200ms);
    EXPECT_LE(openDescriptors(), descriptors + 2);
    EXPECT_LE(mappings(), regions + 8);
    EXPECT_LE(heldMemory(), memory + 8192) << "less than the smallest leak in each of 160 cycles";
}

enum class Victim { daemon, consumer };
enum class Stage { idle, paused, streaming };

class KillTest : public StreamTest, public testing::WithParamInterface<std::tuple<Victim, Stage>> {
protected:
    /// Takes the consumer to the stage. Idle: it is in the graph, but takes nothing.
    testing::AssertionResult reach(Stage stage, Consumer& consumer) {
        const unsigned polls = guest.polls;
        const auto isIn = [&](pw_stream_state state) {
            return runUntil([&] { return consumer.report().state == static_cast<std::uint32_t>(state + 1); });
        };
        bool reached = false;
        switch (stage) {
        case Stage::idle:
            reached = isIn(PW_STREAM_STATE_PAUSED) && runUntil([&] { return guest.polls > polls; });
            break;
        case Stage::paused:
            reached = flipAndWait(consumer);
            consumer.pause();
            reached = reached && isIn(PW_STREAM_STATE_PAUSED);
            break;
        case Stage::streaming:
            reached = flipAndWait(consumer);
            guest.onPoll = [this] { guest.flip(); };
            reached = reached && runUntil([&, before = consumer.report().frames.load()] {
                          return consumer.report().frames > before + 10;
                      });
            break;
        }
        return (reached ? testing::AssertionSuccess() : testing::AssertionFailure()) << log.text;
    }
    void expectNoPolls() {
        runFor(100ms);
        const unsigned polls = guest.polls;
        runFor(300ms);
        EXPECT_EQ(guest.polls, polls);
    }
};

TEST_P(KillTest, TheStreamGoesOn) {
    const Victim victim = std::get<Victim>(GetParam());
    const Stage stage = std::get<Stage>(GetParam());
    guest.useBuffers(3, small);
    guest.flip();
    start();
    ASSERT_TRUE(runUntil([&] { return !detail("object_serial").empty(); })) << log.text;
    const std::string serial = detail("object_serial");
    const std::size_t own = pictureDescriptors();
    {
        Consumer consumer(name, stage == Stage::idle ? std::vector<std::string>{"dmabuf", "wait"}
                                                     : std::vector<std::string>{"dmabuf"});
        ASSERT_TRUE(reach(stage, consumer));
        if (victim == Victim::daemon) {
            bed.killDaemon();
            ASSERT_TRUE(runUntil([&] { return log.told("PipeWire went away"); })) << log.text;
            EXPECT_EQ(pictureDescriptors(), own) << "the pool went with the daemon";
        } else {
            consumer.kill();
            ASSERT_TRUE(runUntil([&] { return stage == Stage::idle || log.told("no consumer is left"); })) << log.text;
        }
    }
    expectNoPolls();
    guest.onPoll = {};
    if (victim == Victim::daemon) {
        bed.startDaemon();
        ASSERT_TRUE(runUntil([&] { return log.told("PipeWire is back"); }, 12s)) << log.text;
    }
    const Consumer next(name, {"dmabuf"});
    for (int i = 0; i < 20; ++i)
        ASSERT_TRUE(flipAndWait(next)) << log.text;
    EXPECT_EQ(next.report().lastInode, guest.inode);
    EXPECT_EQ(next.report().mismatches, 0U);
    EXPECT_EQ(next.report().regressions, 0U);
    EXPECT_EQ(detail("reconnects"), victim == Victim::daemon ? "1" : "0");
    if (victim == Victim::consumer) {
        EXPECT_EQ(detail("object_serial"), serial) << "it is the same node";
    }
}

std::string caseName(const testing::TestParamInfo<std::tuple<Victim, Stage>>& parameters) {
    const auto& [victim, stage] = parameters.param;
    const std::string who = victim == Victim::daemon ? "Daemon" : "Consumer";
    return who + (stage == Stage::idle ? "Idle" : stage == Stage::paused ? "Paused" : "Streaming");
}

INSTANTIATE_TEST_SUITE_P(InEachStage, KillTest,
                         testing::Combine(testing::Values(Victim::daemon, Victim::consumer),
                                          testing::Values(Stage::idle, Stage::paused, Stage::streaming)),
                         caseName);

} // namespace
} // namespace vgpuview::component

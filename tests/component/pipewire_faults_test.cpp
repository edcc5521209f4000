// SPDX-License-Identifier: MIT
// What becomes of the stream when the daemon, a consumer or the guest dies, and what they leave behind.
#include "base/error.h"
#include "pipewire_fixture.h"

#include <spa/buffer/buffer.h>

#include <filesystem>
#include <fstream>
#include <iterator>

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

TEST_F(FaultsTest, TwoHundredConsumersLeaveNothingBehind) {
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

} // namespace
} // namespace vgpuview::component

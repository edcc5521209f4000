// SPDX-License-Identifier: MIT
// `test:OPTIONS` is read as documented, and what is wrong in it is named.
#include "base/error.h"
#include "synthetic/test_options.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

namespace vgpuview {
namespace {

TEST(TestOptions, NothingMeansADefault) {
    const TestSourceOptions options = parseTestOptions("");
    EXPECT_EQ(options.modes, std::vector<Size>({{1920, 1080}}));
    EXPECT_EQ(options.refreshMilliHz, 60'000U);
    EXPECT_EQ(options.buffers, 3U);
    EXPECT_EQ(options.cursor, TestCursor::on);
    EXPECT_EQ(options.fourcc, DRM_FORMAT_XRGB8888);
    EXPECT_EQ(options.period, 0U);
    EXPECT_EQ(options.motion, TestMotion::moving);
    EXPECT_EQ(options.blankEvery, 0U);
    EXPECT_EQ(options.frames, 0U);
    EXPECT_TRUE(options.quirks.none());
    EXPECT_EQ(options.memory, TestMemory::automatic);
    EXPECT_EQ(options.clock, TestClock::refresh);
}

TEST(TestOptions, EachOneIsRead) {
    const TestSourceOptions options =
        parseTestOptions("640x480@59.94,buffers=5,cursor=nohotspot,format=XR30,period=4,still,modes=800x600/1280x800,"
                         "every=12,blank=30/5,frames=99,quirk=huge,quirk=alpha-zero,memory=memfd,clock=poll");
    EXPECT_EQ(options.modes, std::vector<Size>({{640, 480}, {800, 600}, {1280, 800}}));
    EXPECT_EQ(options.modeFrames, 12U);
    EXPECT_EQ(options.refreshMilliHz, 59'940U);
    EXPECT_EQ(options.buffers, 5U);
    EXPECT_EQ(options.cursor, TestCursor::withoutHotSpot);
    EXPECT_EQ(options.fourcc, DRM_FORMAT_XRGB2101010);
    EXPECT_EQ(options.period, 4U);
    EXPECT_EQ(options.motion, TestMotion::still);
    EXPECT_EQ(options.blankEvery, 30U);
    EXPECT_EQ(options.blankFrames, 5U);
    EXPECT_EQ(options.frames, 99U);
    EXPECT_TRUE(options.has(TestQuirk::huge));
    EXPECT_TRUE(options.has(TestQuirk::alphaZero));
    EXPECT_EQ(options.quirks.count(), 2U);
    EXPECT_EQ(options.memory, TestMemory::memfd);
    EXPECT_EQ(options.clock, TestClock::poll);
    EXPECT_EQ(options.text.substr(0, 13), "640x480@59.94");
}

TEST(TestOptions, EachQuirkHasItsName) {
    for (std::size_t i = 0; i < testQuirkCount; ++i) {
        const TestSourceOptions options = parseTestOptions("quirk=" + std::string(testQuirkNames[i]));
        EXPECT_TRUE(options.quirks[i]) << testQuirkNames[i];
        EXPECT_EQ(options.quirks.count(), 1U);
    }
    EXPECT_TRUE(parseTestOptions("quirk=bad-format").has(TestQuirk::badFormat));
    EXPECT_TRUE(parseTestOptions("quirk=bad-cursor").has(TestQuirk::badCursor));
    EXPECT_TRUE(parseTestOptions("quirk=same-memory").has(TestQuirk::sameMemory));
}

class BadTestOption : public testing::TestWithParam<const char*> {};

TEST_P(BadTestOption, IsAUsageErrorThatNamesItAndListsTheOptions) {
    try {
        static_cast<void>(parseTestOptions("640x480," + std::string(GetParam())));
        FAIL() << GetParam();
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::usage);
        EXPECT_NE(std::string(error.what()).find("'" + std::string(GetParam()) + "'"), std::string::npos)
            << error.what();
        EXPECT_NE(error.hint().find("buffers=N"), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(All, BadTestOption,
                         testing::Values("", "nonsense", "colour=red", "0x480", "640x0", "16385x1", "640", "640x", "x",
                                         "-1x5", "640x480@", "640x480@0", "640x480@1001", "640x480@60.1234",
                                         "640x480@60.", "640x480@6O", "buffers=0", "buffers=65",
                                         "buffers=", "buffers=three", "buffers=99999999999999999999", "cursor=maybe",
                                         "cursor=", "format=NV12", "format=XR2", "format=XR244", "period=0",
                                         "modes=", "modes=800x600/", "modes=800", "every=0", "blank=5", "blank=5/5",
                                         "blank=1/0", "blank=/", "frames=0", "frames=1x", "quirk=", "quirk=none",
                                         "memory=disk", "clock=never", "still=1"));

} // namespace
} // namespace vgpuview

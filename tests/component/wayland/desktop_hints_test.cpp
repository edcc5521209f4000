// SPDX-License-Identifier: MIT
// What the desktop is told about the window.
#include "component/wayland/window_fixture.h"

#include <gmock/gmock.h>

namespace vgpuview {
namespace {

using namespace testing_wayland;
using testing::Contains;
using testing::IsEmpty;

constexpr std::uint32_t stateFullScreen = 2;
constexpr std::uint32_t game = 3;
constexpr std::uint32_t asynchronous = 1;

TEST_F(WindowTest, AFullScreenPictureKeepsTheScreenLitByTheSurfaceThatIsSeen) {
    source.flip(dmaBuf({800, 600}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_FALSE(mainSurface().keepsScreenLit) << "in a window it is up to the user";
    compositor->configure({1600, 1200}, {stateFullScreen});
    ASSERT_TRUE(until([&] { return mainSurface().keepsScreenLit; }));
    compositor->configure({1920, 1080}, {stateFullScreen});
    ASSERT_TRUE(until([&] { return videoSurface().keepsScreenLit; })) << "the bars lie below it";
    EXPECT_FALSE(mainSurface().keepsScreenLit);
    compositor->configure({1000, 700});
    ASSERT_TRUE(until([&] { return !videoSurface().keepsScreenLit; }));
    EXPECT_FALSE(mainSurface().keepsScreenLit);
}

TEST_F(WindowTest, TheContentIsNamedAndWholeFramesAreTheDefault) {
    source.flip(dmaBuf({800, 600}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_EQ(mainSurface().contentType, game);
    EXPECT_EQ(videoSurface().contentType, game);
    EXPECT_EQ(cursorSurface().contentType, 0U);
    EXPECT_THAT(compositor->requests("wp_tearing_control_manager_v1.get_tearing_control"), IsEmpty());
    EXPECT_THAT(compositor->requests("xdg_toplevel.set_app_id"), Contains("xdg_toplevel.set_app_id(vgpu-view)"));
}

TEST_F(WindowTest, TearingIsAllowedToWhoAsksForIt) {
    source.flip(dmaBuf({800, 600}));
    open({}, {.tearing = ScreenTearing::allowed});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_EQ(mainSurface().tearingHint, asynchronous);
    EXPECT_EQ(videoSurface().tearingHint, asynchronous);
}

} // namespace
} // namespace vgpuview

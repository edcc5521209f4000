// SPDX-License-Identifier: MIT
// The window on a compositor that draws no decorations: by libdecor, without a plugin and with Debian's.
#include "component/wayland/window_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::uint32_t stateMaximized = 1;
constexpr std::uint32_t stateFullScreen = 2;

class LibdecorTest : public WindowTest {
protected:
    LibdecorTest() {
        // A folder without plugins: libdecor's own fallback draws nothing, and needs no font or theme of the host.
        std::string name = (std::filesystem::temp_directory_path() / "vgpu-view-libdecor-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        ::setenv("LIBDECOR_PLUGIN_DIR", folder.c_str(), 1);
    }
    ~LibdecorTest() override {
        ::unsetenv("LIBDECOR_PLUGIN_DIR");
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    void openUndecorated(CompositorOptions options = {}, WindowOptions windowOptions = {}) {
        options.decoration = false;
        open(std::move(options), std::move(windowOptions));
    }

    std::filesystem::path folder;
};

TEST_F(LibdecorTest, TheVeryDmaBufIsShownByOneToplevel) {
    const BufferRef buffer = dmaBuf({800, 600});
    source.flip(buffer);
    openUndecorated();
    start();
    ASSERT_TRUE(shows(*buffer));
    EXPECT_EQ(mainSurface().destination, (Size{800, 600}));
    EXPECT_THAT(compositor->requests("xdg_wm_base.get_xdg_surface"), SizeIs(1)) << "libdecor's, and no second one";
    EXPECT_THAT(compositor->requests("xdg_surface.get_toplevel"), SizeIs(1));
    EXPECT_THAT(compositor->requests("xdg_toplevel.set_app_id"), Contains("xdg_toplevel.set_app_id(vgpu-view)"));
    EXPECT_EQ(compositor->title(), "fake - 800x600");
    EXPECT_TRUE(compositor->clientConnected());
}

TEST_F(LibdecorTest, ACompositorThatDecoratesIsLeftToIt) {
    source.flip(dmaBuf({64, 64}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_THAT(compositor->requests("zxdg_toplevel_decoration_v1.set_mode"), SizeIs(1));
}

TEST_F(LibdecorTest, TheNewestConfigureIsAnsweredWithAPictureOfItsSize) {
    source.flip(dmaBuf({800, 600}));
    openUndecorated({.firstConfigure = {1000, 700}});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{1000, 700}; }));
    compositor->configure({1200, 900}, {stateMaximized});
    compositor->configure({1600, 1200}, {stateMaximized});
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{1600, 1200}; }));
    compositor->configure({1920, 1080}, {stateFullScreen});
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{1920, 1080}; }));
    compositor->configure({});
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{800, 600}; })) << "its own choice";
    EXPECT_TRUE(compositor->clientConnected()) << "no protocol error";
}

TEST_F(LibdecorTest, TheWindowFollowsTheGuestsModeAndTellsItsGeometry) {
    source.flip(dmaBuf({640, 480}));
    openUndecorated();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{640, 480}; }));
    source.flip(dmaBuf({1024, 768}));
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{1024, 768}; }));
    ASSERT_TRUE(until([&] {
        const auto geometries = compositor->requests("xdg_surface.set_window_geometry");
        return !geometries.empty() && geometries.back() == "xdg_surface.set_window_geometry(0, 0, 1024, 768)";
    }));
}

TEST_F(LibdecorTest, FullScreenAndClosingGoThroughIt) {
    source.flip(dmaBuf({640, 480}));
    openUndecorated({}, {.start = StartMode::fullScreen});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_THAT(compositor->requests("xdg_toplevel.set_fullscreen"), SizeIs(1));
    compositor->close();
    ASSERT_TRUE(until([&] { return !closed.empty(); }));
    EXPECT_EQ(closed, std::vector<FrameSink*>{window.get()});
}

TEST_F(LibdecorTest, DecorationsOfAPluginLieAroundThePicture) {
    ::unsetenv("LIBDECOR_PLUGIN_DIR");
    const BufferRef buffer = dmaBuf({640, 480});
    source.flip(buffer);
    openUndecorated();
    start();
    ASSERT_TRUE(shows(*buffer));
    if (compositor->surfaces().size() == 3)
        GTEST_SKIP() << "libdecor has no plugin here";
    EXPECT_EQ(mainSurface().destination, (Size{640, 480})) << "the picture itself is not made smaller";
    const auto mappedDecorations = [&] {
        const std::vector<SurfaceState> surfaces = compositor->surfaces();
        return std::count_if(surfaces.begin() + 3, surfaces.end(), [](const SurfaceState& s) { return s.mapped; });
    };
    ASSERT_TRUE(until([&] { return mappedDecorations() > 0; }));
    source.flip(dmaBuf({800, 600}));
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{800, 600}; }));
    compositor->configure({1920, 1080}, {stateFullScreen});
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{1920, 1080} && mappedDecorations() == 0; }));
    EXPECT_TRUE(compositor->clientConnected());
}

TEST_F(LibdecorTest, ACompositorThatNeverConfiguresHoldsNothingUp) {
    source.flip(dmaBuf({640, 480}));
    openUndecorated({.configures = false});
    start();
    runFor(200ms);
    EXPECT_FALSE(mainSurface().mapped);
    EXPECT_EQ(source.polls, 0U);
    compositor->configure({800, 600});
    ASSERT_TRUE(until([&] { return mainSurface().mapped; })) << "late is not never";
}

TEST_F(LibdecorTest, ACompositorThatDiesEndsTheLoop) {
    source.flip(dmaBuf({640, 480}));
    openUndecorated();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->die();
    EXPECT_THROW(static_cast<void>(until([] { return false; })), Error);
}

} // namespace
} // namespace vgpuview

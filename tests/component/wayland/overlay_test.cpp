// SPDX-License-Identifier: MIT
// The figures over the picture: drawn while they are on, gone when they are off.
#include "component/wayland/test_seat.h"
#include "component/wayland/window_fixture.h"
#include "text/text_picture.h"

#include <gmock/gmock.h>
#include <linux/input-event-codes.h>

#include <algorithm>
#include <array>
#include <span>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;
using testing::SizeIs;

constexpr std::size_t overlayIndex = 3;

class OverlayTest : public WindowTest {
protected:
    std::optional<SurfaceState> overlay() {
        const std::vector<SurfaceState> surfaces = compositor->surfaces();
        return surfaces.size() > overlayIndex ? std::optional(surfaces[overlayIndex]) : std::nullopt;
    }
};

TEST_F(OverlayTest, ItIsASmallSurfaceOfItsOwnThatIsDrawnOnceASecond) {
    const BufferRef buffer = dmaBuf({800, 600});
    source.flip(buffer);
    open({.fractionalScale = 240}, {.overlay = StatisticsOverlay::shown});
    start();
    ASSERT_TRUE(shows(*buffer));
    ASSERT_TRUE(until([&] { return overlay() && overlay()->mapped; }));
    const SurfaceState first = *overlay();
    EXPECT_EQ(first.format, 0U) << "ARGB8888 of wl_shm";
    EXPECT_EQ(first.position, (Point{8, 8}));
    EXPECT_LT(first.buffer.height, 600U);
    EXPECT_FALSE(videoSurface().mapped) << "the picture is still the window's own buffer";
    ASSERT_TRUE(until([&] { return overlay()->attaches >= first.attaches + 2; }));
    const SurfaceState later = *overlay();
    ASSERT_TRUE(later.destination);
    EXPECT_NEAR(later.destination->width, later.buffer.width / 2.0, 1) << "drawn in device pixels";
}

TEST_F(OverlayTest, WhileItIsOffNothingIsDrawnForIt) {
    source.flip(dmaBuf({800, 600}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    runFor(1200ms);
    EXPECT_THAT(compositor->surfaces(), SizeIs(overlayIndex));
}

TEST_F(OverlayTest, TheHotKeyTogglesIt) {
    const BufferRef buffer = dmaBuf({800, 600});
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(shows(*buffer));
    const auto press = [&] {
        compositor->withSeat([](TestSeat& seat) {
            seat.keyboardEnter();
            seat.key(KEY_LEFTCTRL, true);
            seat.key(KEY_LEFTALT, true);
            seat.tap(KEY_I);
            seat.key(KEY_LEFTALT, false);
            seat.key(KEY_LEFTCTRL, false);
        });
    };
    press();
    ASSERT_TRUE(until([&] { return overlay() && overlay()->mapped; }));
    press();
    ASSERT_TRUE(until([&] { return !overlay(); })) << "its surface is gone, and its buffers with it";
    press();
    ASSERT_TRUE(until([&] { return overlay() && overlay()->mapped; }));
    EXPECT_TRUE(compositor->clientConnected());
}

TEST_F(OverlayTest, ItGoesWithTheWindowsPicturesFlowingOn) {
    std::array buffers{dmaBuf({640, 480}), dmaBuf({640, 480})};
    source.flip(buffers[0]);
    open({}, {.overlay = StatisticsOverlay::shown});
    start();
    for (unsigned i = 0; i < 50; ++i) {
        source.flip(buffers[i % 2]);
        ASSERT_TRUE(shows(*buffers[i % 2])) << "frame callbacks stay with the picture";
    }
    EXPECT_EQ(window->report().imports, 2U) << "the overlay is none of the guest's buffers";
    EXPECT_EQ(window->report().bytesCopied, 0U);
    EXPECT_TRUE(compositor->clientConnected());
}

TEST(TextPicture, LettersAreWhiteOnWhatTheStyleSays) {
    const std::array<std::string, 2> lines{"zero-copy: yes", "guest 60/s"};
    const TextStyle style{.background = TextStyle::Background::translucent};
    const Size size = textPictureSize(lines, style);
    std::vector<std::uint32_t> pixels(std::size_t{size.width} * size.height, 0x12345678);
    drawText(lines, style, size, size.width * 4, std::as_writable_bytes(std::span(pixels)));
    EXPECT_EQ(pixels[0], 0xb3000000U) << "seven tenths of black";
    const auto white = std::count(pixels.begin(), pixels.end(), 0xffffffffU);
    EXPECT_GT(white, 50);
    EXPECT_LT(static_cast<std::size_t>(white), pixels.size() / 2);
    const std::array<std::string, 1> endless{std::string(100'000, 'x')};
    EXPECT_LE(textPictureSize(endless, style).width, 1216U);
    pixels.assign(pixels.size(), 0);
    drawText(lines, style, size, size.width * 4, std::as_writable_bytes(std::span(pixels).first(size.width)));
    EXPECT_EQ(std::count(pixels.begin(), pixels.end(), 0U), static_cast<std::ptrdiff_t>(pixels.size()))
        << "memory that is too small is left alone";
}

} // namespace
} // namespace vgpuview

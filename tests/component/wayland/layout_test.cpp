// SPDX-License-Identifier: MIT
// Where picture and cursor lie in a window, at every scale.
#include "wayland/layout.h"

#include <gtest/gtest.h>

namespace vgpuview {
namespace {

TEST(Layout, APictureOfTheWindowsShapeFillsIt) {
    for (const Size window : {Size{1920, 1080}, Size{960, 540}, Size{3840, 2160}, Size{1280, 720}}) {
        const Layout layout = layOut(window, {1920, 1080}, ScaleMode::fit, wholeScale);
        EXPECT_TRUE(layout.fillsWindow);
        EXPECT_EQ(layout.picture.destination, (Rect{{0, 0}, window}));
        EXPECT_EQ(layout.picture.source, (Rect{{0, 0}, {1920, 1080}}));
    }
}

TEST(Layout, LessThanADevicePixelOfBarIsNone) {
    // 1366 / 768 is not quite 16 / 9: the fitting height is 768.4.
    EXPECT_TRUE(layOut({1366, 768}, {1920, 1080}, ScaleMode::fit, wholeScale).fillsWindow);
}

TEST(Layout, FitKeepsTheAspectBetweenBars) {
    EXPECT_EQ(layOut({1000, 600}, {800, 600}, ScaleMode::fit, wholeScale).picture.destination,
              (Rect{{100, 0}, {800, 600}}));
    EXPECT_EQ(layOut({800, 1000}, {800, 600}, ScaleMode::fit, wholeScale).picture.destination,
              (Rect{{0, 200}, {800, 600}}));
    EXPECT_FALSE(layOut({800, 1000}, {800, 600}, ScaleMode::fit, wholeScale).fillsWindow);
}

TEST(Layout, StretchFillsWhateverTheShape) {
    const Layout layout = layOut({1000, 100}, {800, 600}, ScaleMode::stretch, wholeScale);
    EXPECT_TRUE(layout.fillsWindow);
    EXPECT_EQ(layout.picture.destination.size, (Size{1000, 100}));
}

TEST(Layout, IntegerTakesTheLargestWholeMultiple) {
    EXPECT_EQ(layOut({1000, 700}, {320, 200}, ScaleMode::integer, wholeScale).picture.destination,
              (Rect{{20, 50}, {960, 600}}));
    // On a screen of double density the multiple counts device pixels.
    EXPECT_EQ(layOut({1000, 700}, {640, 400}, ScaleMode::integer, 240).picture.destination,
              (Rect{{20, 50}, {960, 600}}));
}

TEST(Layout, IntegerOfALargerPictureFits) {
    EXPECT_EQ(layOut({400, 300}, {800, 600}, ScaleMode::integer, wholeScale).picture.destination.size,
              (Size{400, 300}));
}

TEST(Layout, OneToOneCutsWhatDoesNotFitAroundTheCentre) {
    const Layout layout = layOut({400, 1000}, {800, 600}, ScaleMode::oneToOne, wholeScale);
    EXPECT_EQ(layout.picture.source, (Rect{{200, 0}, {400, 600}}));
    EXPECT_EQ(layout.picture.destination, (Rect{{0, 200}, {400, 600}}));
}

TEST(Layout, BarsAreWholeDevicePixelsUnderFractionalScales) {
    for (const Scale120 scale : {150U, 180U, 210U})
        for (std::uint32_t width = 900; width < 1100; ++width) {
            const Rect shown = layOut({width, 600}, {800, 600}, ScaleMode::fit, scale).picture.destination;
            EXPECT_EQ(static_cast<std::uint32_t>(shown.origin.x) * scale % wholeScale, 0U) << width << " at " << scale;
            EXPECT_EQ(shown.size.width * scale % wholeScale, 0U) << width << " at " << scale;
            EXPECT_LE(static_cast<std::uint32_t>(shown.origin.x) + shown.size.width, width);
        }
}

TEST(Layout, NothingIsEverEmptyOrOutsideTheWindow) {
    for (const Scale120 scale : {30U, 120U, 133U, 150U, 240U, 1920U})
        for (const Size window : {Size{1, 1}, Size{1, 1000}, Size{16384, 1}, Size{16384, 16384}, Size{7, 5}})
            for (const Size picture : {Size{1, 1}, Size{16384, 1}, Size{1, 16384}, Size{1920, 1080}})
                for (const ScaleMode mode :
                     {ScaleMode::fit, ScaleMode::integer, ScaleMode::stretch, ScaleMode::oneToOne}) {
                    const Layout layout = layOut(window, picture, mode, scale);
                    EXPECT_FALSE(layout.picture.destination.empty());
                    EXPECT_FALSE(layout.picture.source.empty());
                    EXPECT_EQ(intersect(layout.picture.destination, {{0, 0}, window}), layout.picture.destination);
                    EXPECT_EQ(intersect(layout.picture.source, {{0, 0}, picture}), layout.picture.source);
                }
}

TEST(Layout, TheCursorIsScaledWithThePictureAndCutAtItsEdges) {
    const Layout half = layOut({400, 300}, {800, 600}, ScaleMode::fit, wholeScale);
    EXPECT_EQ(placeCursor(half, {100, 50}, {64, 64}), (Placement{{{0, 0}, {64, 64}}, {{50, 25}, {32, 32}}}));
    EXPECT_EQ(placeCursor(half, {-32, 590}, {64, 64}), (Placement{{{32, 0}, {32, 10}}, {{0, 295}, {16, 5}}}));
    EXPECT_FALSE(placeCursor(half, {-64, 0}, {64, 64}));
    EXPECT_FALSE(placeCursor(half, {800, 0}, {64, 64}));
    const Layout barred = layOut({1000, 600}, {800, 600}, ScaleMode::fit, wholeScale);
    EXPECT_EQ(placeCursor(barred, {0, 0}, {64, 64})->destination.origin, (Point{100, 0}));
}

TEST(Layout, EveryPixelIsPointedAtAndGuestsFindItAgain) {
    for (const Size picture : {Size{1, 1}, Size{2, 3}, Size{640, 480}, Size{1920, 1080}, Size{16384, 4}}) {
        const Layout layout = layOut(picture, picture, ScaleMode::fit, wholeScale);
        for (std::uint32_t x = 0; x < picture.width; ++x) {
            const Point pixel = guestPixelAt(layout, x, 0);
            ASSERT_EQ(pixel.x, static_cast<std::int32_t>(x));
            // A tablet's 32768 places, spread over the width as evdev's and HID's users do.
            const auto unit = static_cast<std::uint32_t>(fractionOf(pixel.x, picture.width) * 32767 + 0.5);
            ASSERT_EQ(unit * picture.width / 32768, x) << picture.width;
        }
    }
}

TEST(Layout, PointingKeepsToTheGuestsScreen) {
    const Layout cut = layOut({400, 1000}, {800, 600}, ScaleMode::oneToOne, wholeScale);
    EXPECT_EQ(guestPixelAt(cut, 0, 200), (Point{200, 0})) << "the left of the picture is cut off";
    EXPECT_EQ(guestPixelAt(cut, 399.99, 799.99), (Point{599, 599}));
    EXPECT_EQ(guestPixelAt(cut, -1e6, -1e6), (Point{200, 0}));
    EXPECT_EQ(guestPixelAt(cut, 1e6, 1e6), (Point{599, 599}));
    EXPECT_EQ(fractionOf(-5, 100), 0);
    EXPECT_EQ(fractionOf(200, 100), 1);
    EXPECT_EQ(fractionOf(0, 1), 0);
}

TEST(Layout, TheNaturalWindowShowsPixelByPixel) {
    EXPECT_EQ(naturalWindowSize({1920, 1080}, wholeScale), (Size{1920, 1080}));
    EXPECT_EQ(naturalWindowSize({1920, 1080}, 180), (Size{1280, 720}));
}

} // namespace
} // namespace vgpuview

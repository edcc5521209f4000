// SPDX-License-Identifier: MIT
// The monitor room's decisions: modes, placement, pace, terminal keys.
#include "monitor/console_keys.h"
#include "monitor/mode.h"
#include "monitor/pacer.h"
#include "monitor/placement.h"

#include <gtest/gtest.h>
#include <linux/input-event-codes.h>

#include <array>

namespace vgpuview {
namespace {

constexpr std::array modes{
    MonitorMode{.size = {1920, 1080}, .refreshMilliHz = 60'000, .preferred = true},
    MonitorMode{.size = {1920, 1080}, .refreshMilliHz = 144'000},
    MonitorMode{.size = {1920, 1080}, .refreshMilliHz = 59'940},
    MonitorMode{.size = {1280, 720}, .refreshMilliHz = 50'000},
    MonitorMode{.size = {1280, 720}, .refreshMilliHz = 60'000},
};

TEST(MonitorModes, AModeIsParsedWithAndWithoutRefresh) {
    EXPECT_EQ(parseMode("1920x1080"), (ModeRequest{.size = {1920, 1080}, .refreshMilliHz = {}}));
    EXPECT_EQ(parseMode("1920x1080@59.94"), (ModeRequest{.size = {1920, 1080}, .refreshMilliHz = 59'940}));
    EXPECT_EQ(parseMode("640x480@75"), (ModeRequest{.size = {640, 480}, .refreshMilliHz = 75'000}));
    for (const char* bad : {"", "x", "1920", "1920x", "x1080", "0x480", "640x0", "640x480@", "640x480@0", "640x480@-60",
                            "640x480@nan", "640x480@inf", "640x480@60Hz", "99999x480", "640x480@1e9", "640x480x3",
                            "-640x480", " 640x480", "640x480@0.0001"})
        EXPECT_FALSE(parseMode(bad)) << bad;
}

TEST(MonitorModes, TheNearestRefreshIsFoundElseTheHighest) {
    EXPECT_EQ(findMode(modes, {.size = {1920, 1080}, .refreshMilliHz = 59'950}), 2U);
    EXPECT_EQ(findMode(modes, {.size = {1920, 1080}, .refreshMilliHz = 120'000}), 1U);
    EXPECT_EQ(findMode(modes, {.size = {1920, 1080}, .refreshMilliHz = {}}), 1U);
    EXPECT_FALSE(findMode(modes, {.size = {800, 600}, .refreshMilliHz = {}}));
}

TEST(MonitorModes, AGuestGetsItsOwnSizeElseThePreferredMode) {
    EXPECT_EQ(modeForPicture(modes, Size{1280, 720}), 4U);
    EXPECT_EQ(modeForPicture(modes, Size{1920, 1080}), 0U);
    EXPECT_EQ(modeForPicture(modes, Size{800, 600}), 0U);
    EXPECT_EQ(modeForPicture(modes, std::nullopt), 0U);
    EXPECT_FALSE(modeForPicture({}, Size{800, 600}));
}

TEST(MonitorPlacement, TheWholeMonitorIsUsedAsFarAsTheShapeAllows) {
    EXPECT_EQ(placePicture({1024, 768}, {1920, 1080}, MonitorScale::fit), (Rect{{240, 0}, {1440, 1080}}));
    EXPECT_EQ(placePicture({1920, 800}, {1920, 1080}, MonitorScale::fit), (Rect{{0, 140}, {1920, 800}}));
    EXPECT_EQ(placePicture({640, 480}, {1920, 1080}, MonitorScale::integer), (Rect{{320, 60}, {1280, 960}}));
    EXPECT_EQ(placePicture({2560, 1440}, {1920, 1080}, MonitorScale::integer), (Rect{{0, 0}, {1920, 1080}}));
    EXPECT_EQ(placePicture({2560, 1440}, {1920, 1080}, MonitorScale::original), (Rect{{-320, -180}, {2560, 1440}}));
    EXPECT_EQ(placePicture({16384, 1}, {640, 480}, MonitorScale::fit), (Rect{{0, 239}, {640, 1}}));
}

TEST(MonitorPlacement, ACursorIsScaledWithItsPicture) {
    const Rect place{{240, 0}, {1440, 1080}};
    EXPECT_EQ(placeWithin({{0, 0}, {1024, 768}}, {1024, 768}, place), place);
    EXPECT_EQ(placeWithin({{512, 384}, {64, 64}}, {1024, 768}, place), (Rect{{960, 540}, {90, 90}}));
    EXPECT_EQ(placeWithin({{-64, -64}, {64, 64}}, {1024, 768}, place), (Rect{{150, -90}, {90, 90}}));
}

using namespace std::chrono_literals;
constexpr Nanoseconds refresh = 16ms;
constexpr TimePoint start{100s};

TEST(MonitorPacer, TheGuestIsAskedShortlyBeforeTheNextRefresh) {
    Pacer pacer;
    EXPECT_EQ(pacer.askAt(start, refresh), start) << "nothing is known yet";
    pacer.committed(500us);
    pacer.presented(start - 1ms, start, refresh);
    EXPECT_EQ(pacer.askAt(start, refresh), start + 16ms - 2500us);
    EXPECT_EQ(pacer.askAt(start + 15ms, refresh), start + 15ms) << "too late to wait";
    EXPECT_EQ(pacer.askAt(start + 1h, refresh), start + 1h);
    EXPECT_EQ(pacer.askAt(start - 1h, refresh), start - 1h) << "shown in the future: not to be believed";
    pacer.reset();
    EXPECT_EQ(pacer.askAt(start, refresh), start);
}

TEST(MonitorPacer, ASlowCommitIsAllowedForAndForgottenWithTime) {
    Pacer pacer;
    pacer.committed(20ms);
    pacer.presented(start - 1ms, start, refresh);
    EXPECT_EQ(pacer.askAt(start, refresh), start) << "composing takes longer than a refresh";
    for (int i = 0; i < 1000; ++i)
        pacer.committed(100us);
    EXPECT_GT(pacer.askAt(start, refresh), start + 13ms);
}

TEST(MonitorPacer, APictureThatCameARefreshTooLateMakesItAskEarlier) {
    Pacer pacer;
    pacer.presented(start - 1ms, start, refresh);
    const Nanoseconds before = pacer.askAt(start, refresh) - start;
    TimePoint shown = start;
    const auto soon = [&](int frames) {
        for (int i = 0; i < frames; ++i) {
            pacer.presented(shown + 10ms, shown + 16ms, refresh);
            shown += 16ms;
        }
    };
    for (int i = 0; i < 2; ++i) {
        pacer.presented(shown + 14ms, shown + 32ms, refresh);
        shown += 32ms;
    }
    EXPECT_EQ(pacer.askAt(shown, refresh) - shown, before - 6ms) << "twice the 2 ms that it began with, twice";
    soon(1000);
    EXPECT_LT(pacer.askAt(shown, refresh) - shown, before - 4ms) << "not forgotten soon";
    soon(30000);
    EXPECT_GT(pacer.askAt(shown, refresh) - shown, before - 100us);
}

TEST(MonitorConsoleKeys, CtrlAltFnChangesTheTerminalAndTheGuestNeverSeesTheFunctionKey) {
    ConsoleKeys keys;
    EXPECT_EQ(keys.handle(KEY_F2, true), KeyVerdict(PassOn{}));
    EXPECT_EQ(keys.handle(KEY_F2, false), KeyVerdict(PassOn{}));
    EXPECT_EQ(keys.handle(KEY_LEFTCTRL, true), KeyVerdict(PassOn{}));
    EXPECT_EQ(keys.handle(KEY_F2, true), KeyVerdict(PassOn{}));
    EXPECT_EQ(keys.handle(KEY_F2, false), KeyVerdict(PassOn{}));
    EXPECT_EQ(keys.handle(KEY_RIGHTALT, true), KeyVerdict(PassOn{}));
    EXPECT_EQ(keys.handle(KEY_F2, true), KeyVerdict(ChangeTerminal{2}));
    EXPECT_EQ(keys.handle(KEY_F2, false), KeyVerdict(Swallowed{}));
    EXPECT_EQ(keys.handle(KEY_F10, true), KeyVerdict(ChangeTerminal{10}));
    EXPECT_EQ(keys.handle(KEY_F11, true), KeyVerdict(ChangeTerminal{11}));
    EXPECT_EQ(keys.handle(KEY_F12, true), KeyVerdict(ChangeTerminal{12}));
    EXPECT_EQ(keys.handle(KEY_A, true), KeyVerdict(PassOn{}));
}

TEST(MonitorConsoleKeys, AfterTheKeyboardWasLostNothingIsHeld) {
    ConsoleKeys keys;
    EXPECT_EQ(keys.handle(KEY_RIGHTCTRL, true), KeyVerdict(PassOn{}));
    EXPECT_EQ(keys.handle(KEY_LEFTALT, true), KeyVerdict(PassOn{}));
    keys.releaseAll();
    EXPECT_EQ(keys.handle(KEY_F1, true), KeyVerdict(PassOn{}));
}

} // namespace
} // namespace vgpuview

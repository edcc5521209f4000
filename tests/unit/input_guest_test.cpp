// SPDX-License-Identifier: MIT
// What is pressed is lifted, whatever happens; motion is joined; wheels count in clicks.
#include "doubles/fake_input_backend.h"
#include "input/guest_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>

namespace vgpuview {
namespace {

using doubles::FakeGuest;
using doubles::FakeInputBackend;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto liftedModifiers = {"ctrl-", "shift-", "shift_r-", "alt-", "ctrl_r-", "alt_r-", "meta_l-", "meta_r-"};

class CountingObserver final : public InputObserver {
public:
    void inputChanged() override { ++changes; }
    int changes = 0;
};

class GuestInputTest : public testing::Test {
protected:
    void SetUp() override { guest.told.clear(); }

    FakeGuest guest;
    GuestInput input{std::make_unique<FakeInputBackend>(guest), HeldKeys()};
};

TEST(GuestInputStart, LiftsTheModifiersThatAnEarlierViewerMayHaveLeftDown) {
    FakeGuest guest;
    const GuestInput input(std::make_unique<FakeInputBackend>(guest), HeldKeys());
    EXPECT_THAT(guest.told, testing::ElementsAreArray(liftedModifiers));
}

TEST(GuestInputStart, LiftsThemOnceTheGuestCanBeReached) {
    FakeGuest guest;
    guest.status = {};
    const GuestInput input(std::make_unique<FakeInputBackend>(guest), HeldKeys());
    EXPECT_THAT(guest.told, IsEmpty());
    guest.become({.state = InputState::ready});
    EXPECT_THAT(guest.told, testing::ElementsAreArray(liftedModifiers));
}

TEST_F(GuestInputTest, AKeyIsPressedOnceAndLiftedOnce) {
    input.key(KEY_A, KeyState::pressed);
    input.key(KEY_A, KeyState::pressed);
    input.key(KEY_A, KeyState::released);
    input.key(KEY_A, KeyState::released);
    EXPECT_THAT(guest.told, ElementsAre("a+", "a-"));
}

TEST_F(GuestInputTest, AKeyThatQemuDoesNotKnowIsDropped) {
    input.key(KEY_BRIGHTNESSUP, KeyState::pressed);
    input.key(0xffffffff, KeyState::pressed);
    input.button(KEY_A, ButtonState::pressed);
    input.button(0xffffffff, ButtonState::pressed);
    input.frame();
    EXPECT_THAT(guest.told, IsEmpty());
}

TEST_F(GuestInputTest, ReleaseAllLiftsKeysButtonsAndFingers) {
    input.key(KEY_LEFTALT, KeyState::pressed);
    input.key(KEY_TAB, KeyState::pressed);
    input.button(BTN_LEFT, ButtonState::pressed);
    input.frame();
    input.touchDown(7, 0.5, 0.5);
    guest.told.clear();
    input.releaseAll();
    EXPECT_THAT(guest.told, ElementsAre("touch 0 end 0.500,0.500", "tab-", "alt-", "pointer 110-"));
    guest.told.clear();
    input.releaseAll();
    EXPECT_THAT(guest.told, IsEmpty());
}

TEST(GuestInputEnd, LiftsWhatIsPressedAndWaitsForTheGuest) {
    FakeGuest guest;
    {
        GuestInput input(std::make_unique<FakeInputBackend>(guest), HeldKeys());
        input.key(KEY_W, KeyState::pressed);
        guest.told.clear();
    }
    EXPECT_THAT(guest.told, ElementsAre("w-", "drain"));
}

TEST_F(GuestInputTest, WhatWasHeldWhenTheGuestWasLostIsLiftedWhenItIsBack) {
    input.key(KEY_W, KeyState::pressed);
    input.button(BTN_RIGHT, ButtonState::pressed);
    input.frame();
    guest.become({.state = InputState::off, .reason = "the VM is paused"});
    guest.told.clear();
    input.key(KEY_W, KeyState::released);
    input.key(KEY_X, KeyState::pressed);
    input.releaseAll();
    EXPECT_THAT(guest.told, IsEmpty());
    guest.become({.state = InputState::ready});
    EXPECT_THAT(guest.told, testing::IsSupersetOf({"w-", "pointer 111-"}));
    EXPECT_THAT(guest.told, testing::Not(testing::Contains("x-")));
}

TEST_F(GuestInputTest, AButtonsReleaseThatWasNotSentWhenTheGuestWasLostIsMadeUpFor) {
    input.button(BTN_LEFT, ButtonState::pressed);
    input.frame();
    input.button(BTN_LEFT, ButtonState::released);
    guest.become({.state = InputState::off, .reason = "gone"});
    guest.told.clear();
    guest.become({.state = InputState::ready});
    EXPECT_THAT(guest.told, testing::Contains("pointer 110-"));
}

TEST_F(GuestInputTest, MotionIsJoinedUntilTheFrameEnds) {
    input.moveTo(0.1, 0.1);
    input.moveTo(0.2, 0.3);
    EXPECT_THAT(guest.told, IsEmpty());
    input.frame();
    EXPECT_THAT(guest.take(), ElementsAre("pointer at 0.200,0.300"));
    input.frame();
    EXPECT_THAT(guest.told, IsEmpty());
}

TEST_F(GuestInputTest, MotionWaitsWhileTheGuestIsBehindAndClicksDoNot) {
    guest.takesMotion = false;
    input.moveTo(0.1, 0.1);
    input.frame();
    input.moveTo(0.2, 0.2);
    input.frame();
    EXPECT_THAT(guest.told, IsEmpty());
    input.button(BTN_LEFT, ButtonState::pressed);
    input.frame();
    EXPECT_THAT(guest.take(), ElementsAre("pointer at 0.200,0.200 110+"));
    input.moveTo(0.3, 0.3);
    input.frame();
    EXPECT_THAT(guest.told, IsEmpty());
    guest.observer->motionTaken();
    EXPECT_THAT(guest.take(), ElementsAre("pointer at 0.300,0.300"));
    input.moveTo(0.4, 0.4);
    input.key(KEY_A, KeyState::pressed);
    EXPECT_THAT(guest.take(), ElementsAre("pointer at 0.400,0.400", "a+"));
}

TEST_F(GuestInputTest, PlacesOffTheScreenAreAtItsEdge) {
    input.moveTo(-1, 2);
    input.frame();
    input.moveTo(std::nan(""), std::numeric_limits<double>::infinity());
    input.frame();
    EXPECT_THAT(guest.told, ElementsAre("pointer at 0.000,1.000", "pointer at 0.000,1.000"));
}

TEST_F(GuestInputTest, FractionsOfMotionAddUp) {
    for (int i = 0; i < 10; ++i) {
        input.moveBy(0.25, -0.5);
        input.frame();
    }
    int x = 0;
    int y = 0;
    for (const std::string& line : guest.told) {
        int dx = 0;
        int dy = 0;
        ASSERT_EQ(std::sscanf(line.c_str(), "pointer by %d,%d", &dx, &dy), 2) << line;
        x += dx;
        y += dy;
    }
    EXPECT_EQ(x, 2);
    EXPECT_EQ(y, -5);
    input.moveBy(std::nan(""), std::numeric_limits<double>::infinity());
    input.moveBy(1e300, -1e300);
    input.frame();
    EXPECT_EQ(guest.told.back(), "pointer by 100000,-100000");
}

TEST_F(GuestInputTest, PartsOfAWheelClickAddUpAndTheRestIsKept) {
    input.scroll(ScrollAxis::vertical, 60);
    input.frame();
    EXPECT_THAT(guest.told, IsEmpty());
    input.scroll(ScrollAxis::vertical, 90);
    input.scroll(ScrollAxis::horizontal, -240);
    input.frame();
    EXPECT_THAT(guest.take(), ElementsAre("pointer wheel 1,-2"));
    input.scroll(ScrollAxis::vertical, 90);
    input.frame();
    EXPECT_THAT(guest.take(), ElementsAre("pointer wheel 1,0"));
}

TEST_F(GuestInputTest, TurningTheWheelBackStartsAnew) {
    input.scroll(ScrollAxis::vertical, 119);
    input.scroll(ScrollAxis::vertical, -120);
    input.frame();
    EXPECT_THAT(guest.told, ElementsAre("pointer wheel -1,0"));
}

TEST_F(GuestInputTest, FingersHaveSlots) {
    input.touchDown(100, 0.1, 0.1);
    input.touchDown(-5, 0.2, 0.2);
    input.touchMove(100, 0.3, 0.3);
    input.touchUp(100);
    input.touchDown(3, 0.4, 0.4);
    input.touchMove(100, 0.9, 0.9);
    EXPECT_THAT(guest.told,
                ElementsAre("touch 0 begin 0.100,0.100", "touch 1 begin 0.200,0.200", "touch 0 update 0.300,0.300",
                            "touch 0 end 0.300,0.300", "touch 0 begin 0.400,0.400"));
}

TEST_F(GuestInputTest, WithoutATouchScreenTheFirstFingerIsThePointer) {
    guest.takesTouch = false;
    input.touchDown(1, 0.5, 0.5);
    input.frame();
    input.touchDown(2, 0.9, 0.9);
    input.touchMove(1, 0.6, 0.5);
    input.frame();
    input.touchUp(1);
    input.frame();
    EXPECT_THAT(guest.told, ElementsAre("pointer at 0.500,0.500 110+", "pointer at 0.600,0.500", "pointer 110-"));
}

TEST_F(GuestInputTest, ItsObserverHearsOfChanges) {
    CountingObserver observer;
    input.observe(&observer);
    guest.become({.state = InputState::off, .reason = "gone"});
    EXPECT_EQ(observer.changes, 1);
    EXPECT_EQ(input.status().reason, "gone");
    input.observe(nullptr);
    guest.become({.state = InputState::ready});
    EXPECT_EQ(observer.changes, 1);
}

class HeldKeysFile : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "held-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
        file = heldKeysFile(folder, "QMP /run/vm.sock");
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::filesystem::path folder;
    std::filesystem::path file;
};

TEST_F(HeldKeysFile, RemembersAKeyAcrossTheDeathOfTheProcessWhichTheNextOneLifts) {
    const pid_t child = ::fork();
    if (child == 0) {
        FakeGuest guest;
        GuestInput input(std::make_unique<FakeInputBackend>(guest), HeldKeys(file));
        input.key(KEY_W, KeyState::pressed);
        input.key(KEY_X, KeyState::pressed);
        input.key(KEY_X, KeyState::released);
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    FakeGuest guest;
    const GuestInput input(std::make_unique<FakeInputBackend>(guest), HeldKeys(file));
    EXPECT_THAT(guest.told, testing::Contains("w-"));
    EXPECT_THAT(guest.told, testing::Not(testing::Contains("x-")));
}

TEST_F(HeldKeysFile, BelongsToOneProcessAtATime) {
    HeldKeys first(file);
    first.insert(KEY_A);
    EXPECT_FALSE(HeldKeys(file).contains(KEY_A));
    EXPECT_TRUE(first.contains(KEY_A));
}

TEST_F(HeldKeysFile, WithoutTheFileTheSetIsInMemory) {
    std::filesystem::create_directories(file);
    HeldKeys held(file);
    held.insert(KEY_A);
    held.insert(KEY_MAX);
    held.insert(KEY_MAX + 1);
    EXPECT_TRUE(held.contains(KEY_A));
    EXPECT_TRUE(held.contains(KEY_MAX));
    EXPECT_FALSE(held.contains(KEY_MAX + 1));
    held.erase(KEY_A);
    EXPECT_FALSE(held.contains(KEY_A));
}

TEST_F(HeldKeysFile, ALinkIsNotFollowed) {
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::create_symlink(folder / "elsewhere", file);
    HeldKeys held(file);
    held.insert(KEY_A);
    EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
}

TEST(HeldKeysFileName, TellsBackEndsApartAndStaysInItsFolder) {
    EXPECT_NE(heldKeysFile("/run", "QMP /a/b"), heldKeysFile("/run", "QMP /a_b"));
    EXPECT_EQ(heldKeysFile("/run", "QMP ../../x").parent_path(), "/run/vgpu-view");
    EXPECT_LE(heldKeysFile("/run", std::string(5000, '/')).filename().string().size(), 255U);
}

} // namespace
} // namespace vgpuview

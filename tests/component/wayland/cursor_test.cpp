// SPDX-License-Identifier: MIT
// Who shows the guest's cursor: the host's pointer, or a surface over the picture.
#include "component/wayland/input_fixture.h"

#include <gmock/gmock.h>
#include <linux/input-event-codes.h>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;

class CursorTest : public InputTest {
protected:
    static BufferRef cursorImage(Size size = {64, 64}) { return dmaBuf(size, DRM_FORMAT_ARGB8888); }
    void guestShows(const BufferRef& image, Point position, std::optional<Point> hotSpot) {
        source.current.cursor = Plane{.buffer = image, .position = position, .hotSpot = hotSpot};
    }
    void enter(double x = 100, double y = 100) {
        user([&](TestSeat& seat) { seat.pointerEnter(x, y); });
    }
    TestSeat::Cursor hostCursor() {
        TestSeat::Cursor cursor;
        user([&](TestSeat& seat) { cursor = seat.cursor(); });
        return cursor;
    }
    /// The host's pointer wears that very dma-buf.
    bool worn(const Buffer& image) {
        return until([&] {
            const auto surface = compositor->cursorSurface();
            return surface && surface->inode == inodeOf(image);
        });
    }
    bool hidden() {
        return until([&] {
            const TestSeat::Cursor cursor = hostCursor();
            return cursor.calls > 0 && cursor.surface == nullptr;
        });
    }
    /// Some other picture, in shared memory.
    bool arrow() {
        return until([&] {
            const auto surface = compositor->cursorSurface();
            return surface && surface->mapped && surface->inode == 0;
        });
    }
    bool overPicture(const Buffer& image) {
        return until([&] { return cursorSurface().inode == inodeOf(image); });
    }
};

TEST_F(CursorTest, TheHostsPointerWearsTheGuestsDmaBuf) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480});
    ASSERT_TRUE(overPicture(*image)) << "while the pointer is elsewhere";
    enter();
    ASSERT_TRUE(worn(*image));
    EXPECT_EQ(hostCursor().hotSpot, (Point{7, 5}));
    EXPECT_EQ(compositor->cursorSurface()->destination, (Size{64, 64}));
    EXPECT_EQ(compositor->cursorSurface()->format, static_cast<std::uint32_t>(DRM_FORMAT_ARGB8888));
    EXPECT_TRUE(until([&] { return !cursorSurface().mapped; })) << "not twice";
    user([](TestSeat& seat) { seat.pointerLeave(); });
    EXPECT_TRUE(overPicture(*image));
    enter();
    EXPECT_TRUE(until([&] { return !cursorSurface().mapped; }));
    EXPECT_TRUE(worn(*image)) << "each enter anew";
    EXPECT_EQ(window->report().bytesCopied, 0U);
}

TEST_F(CursorTest, TheGuestsOwnMovesCostNothing) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(worn(*image));
    ASSERT_TRUE(until([&] { return !cursorSurface().mapped; }));
    const unsigned calls = hostCursor().calls;
    const unsigned commits = compositor->cursorSurface()->commits;
    for (std::int32_t i = 0; i < 50; ++i) {
        source.current.cursor->position.x = i;
        runFor(1ms);
    }
    EXPECT_EQ(hostCursor().calls, calls);
    EXPECT_EQ(compositor->cursorSurface()->commits, commits);
}

TEST_F(CursorTest, AnotherShapeOrHotSpotIsWornAtOnce) {
    guestShows(cursorImage(), {93, 95}, Point{7, 5});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(worn(*source.current.cursor->buffer));
    const BufferRef next = cursorImage({32, 32});
    guestShows(next, {93, 95}, Point{16, 16});
    ASSERT_TRUE(worn(*next));
    EXPECT_TRUE(until([&] { return hostCursor().hotSpot == Point{16, 16}; }));
    EXPECT_EQ(compositor->cursorSurface()->destination, (Size{32, 32}));
    source.current.cursor->hotSpot = Point{1, 2};
    EXPECT_TRUE(until([&] { return hostCursor().hotSpot == Point{1, 2}; }));
}

class CursorAtScale : public CursorTest, public testing::WithParamInterface<Size> {};

TEST_P(CursorAtScale, ItIsScaledAsThePictureIs) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480}, {.firstConfigure = GetParam()});
    enter(1, 1);
    ASSERT_TRUE(worn(*image));
    const double factor = GetParam().width / 640.0;
    const auto scaled = [&](double length) { return static_cast<std::uint32_t>(std::lround(length * factor)); };
    ASSERT_TRUE(compositor->cursorSurface()->destination);
    EXPECT_EQ(*compositor->cursorSurface()->destination, (Size{scaled(64), scaled(64)}));
    EXPECT_EQ(hostCursor().hotSpot,
              (Point{static_cast<std::int32_t>(scaled(7)), static_cast<std::int32_t>(scaled(5))}));
}
INSTANTIATE_TEST_SUITE_P(Windows, CursorAtScale,
                         testing::Values(Size{320, 240}, Size{640, 480}, Size{960, 720}, Size{1280, 960},
                                         Size{480, 360}, Size{16, 12}));

TEST_F(CursorTest, WithoutAHotSpotItIsWhereTheGuestHasIt) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, {});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(hidden());
    EXPECT_TRUE(overPicture(*image));
    EXPECT_EQ(cursorSurface().position, (Point{93, 95}));
}

TEST_F(CursorTest, AGuestWithoutCursorHasNone) {
    guestShows(cursorImage(), {93, 95}, Point{7, 5});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(worn(*source.current.cursor->buffer));
    const BufferRef image = source.current.cursor->buffer;
    source.current.cursor.reset();
    EXPECT_TRUE(hidden());
    EXPECT_FALSE(cursorSurface().mapped);
    guestShows(image, {93, 95}, Point{7, 5});
    EXPECT_TRUE(worn(*image)) << "and it comes back";
}

TEST_F(CursorTest, WhereInputIsOffTheHostHasItsOwnPointer) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(worn(*image));
    guest.become({.state = InputState::off, .reason = "the VM is paused"});
    ASSERT_TRUE(arrow());
    EXPECT_TRUE(overPicture(*image)) << "where the guest's pointer stays";
    guest.become({.state = InputState::ready});
    EXPECT_TRUE(worn(*image));
    EXPECT_TRUE(until([&] { return !cursorSurface().mapped; }));
}

TEST_F(CursorTest, ARelativeGuestHidesTheHostsPointerWhileItHasIt) {
    guest.mode = PointerMode::relative;
    guest.become({.state = InputState::ready});
    const BufferRef image = cursorImage();
    guestShows(image, {300, 200}, Point{7, 5});
    openOn({640, 480});
    user([](TestSeat& seat) { seat.keyboardEnter(); });
    enter();
    ASSERT_TRUE(arrow());
    user([](TestSeat& seat) { seat.button(BTN_LEFT, true); });
    ASSERT_TRUE(hidden());
    EXPECT_TRUE(overPicture(*image));
    user([](TestSeat& seat) { seat.keyboardLeave(); });
    EXPECT_TRUE(arrow());
}

TEST_F(CursorTest, AnImageThatTheCompositorRefusesIsCopied) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480}, {.dmabufFormats = {{DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR}}});
    enter();
    ASSERT_TRUE(arrow()) << "shared memory";
    EXPECT_EQ(compositor->cursorSurface()->buffer, (Size{64, 64}));
    EXPECT_EQ(hostCursor().hotSpot, (Point{7, 5}));
    EXPECT_EQ(window->report().bytesCopied, 64U * 64 * 4) << "once";
}

TEST_F(CursorTest, OnWishTheHostWearsItWithoutAHotSpot) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, {});
    openOn({640, 480}, {}, {.cursor = CursorChoice::host});
    enter();
    ASSERT_TRUE(worn(*image));
    EXPECT_EQ(hostCursor().hotSpot, (Point{0, 0}));
    source.current.cursor.reset();
    EXPECT_TRUE(arrow()) << "and has its own where the guest has none";
}

TEST_F(CursorTest, OnWishItStaysWithTheGuest) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480}, {}, {.cursor = CursorChoice::guest});
    enter();
    ASSERT_TRUE(hidden());
    EXPECT_TRUE(overPicture(*image));
}

TEST_F(CursorTest, OnWishThereIsNone) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480}, {}, {.cursor = CursorChoice::none});
    enter();
    ASSERT_TRUE(hidden());
    EXPECT_FALSE(cursorSurface().mapped);
}

TEST_F(CursorTest, ALostSignIsMendedByWhereThePointerIs) {
    const BufferRef image = cursorImage();
    source.about.quirks = {"cursor-sign-dropped"};
    guestShows(image, {93, 95}, {});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(overPicture(*image));
    user([](TestSeat& seat) {
        seat.move(5, 100);
        seat.pointerFrame();
    });
    settle();
    source.current.cursor->position = {20, 95};
    EXPECT_TRUE(until([&] { return cursorSurface().source == Rect{{20, 0}, {44, 64}}; })) << "20 beyond the left edge";
    EXPECT_EQ(cursorSurface().position, (Point{0, 95}));
}

TEST_F(CursorTest, WhenTheSourceEndsNoImageIsHeld) {
    BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(worn(*image));
    const std::weak_ptr<const Buffer> watched = image;
    image.reset();
    source.current = {};
    source.observer()->sourceEnded();
    EXPECT_TRUE(watched.expired());
    EXPECT_TRUE(until([&] { return compositor->counters().alive == 1; })) << "black alone";
}

TEST_F(CursorTest, ManyShapesLeaveNothingBehind) {
    guestShows(cursorImage(), {93, 95}, Point{7, 5});
    openOn({640, 480});
    compositor->recordRequests(false);
    enter();
    ASSERT_TRUE(worn(*source.current.cursor->buffer));
    for (std::uint32_t i = 0; i < 200; ++i) {
        const BufferRef old = source.current.cursor->buffer;
        guestShows(cursorImage({32 + i % 5, 32}), {93, 95}, Point{7, 5});
        source.observer()->bufferRetired(*old);
        ASSERT_TRUE(worn(*source.current.cursor->buffer)) << i;
    }
    const BufferRef last = source.current.cursor->buffer;
    source.current.cursor.reset();
    ASSERT_TRUE(hidden());
    source.observer()->bufferRetired(*last);
    EXPECT_TRUE(until([&] { return compositor->counters().alive == 2; })) << "the picture and black";
}

TEST_F(CursorTest, APointerThatIsUnpluggedTakesNothingAlong) {
    const BufferRef image = cursorImage();
    guestShows(image, {93, 95}, Point{7, 5});
    openOn({640, 480});
    enter();
    ASSERT_TRUE(worn(*image));
    user([](TestSeat& seat) { seat.offer(WL_SEAT_CAPABILITY_KEYBOARD); });
    EXPECT_TRUE(overPicture(*image));
    EXPECT_TRUE(compositor->clientConnected());
}

} // namespace
} // namespace vgpuview

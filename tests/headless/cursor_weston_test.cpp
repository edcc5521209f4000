// SPDX-License-Identifier: MIT
// The guest's cursor on a real compositor: where it is on the screen, at several scales and at the screen's edges.
#include "doubles/fake_input_backend.h"
#include "doubles/fake_source.h"
#include "forward/forwarder.h"
#include "frame/mapped_buffer.h"
#include "input/guest_input.h"
#include "wayland/window_sink.h"
#include "weston_bed.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vgpuview {
namespace {

using namespace headless;

constexpr std::uint32_t pictureColour = 0xff203060;
constexpr std::uint32_t cursorColour = 0xffe04010;
constexpr Size cursorSize{48, 32};

BufferRef filled(Size size, std::uint32_t fourcc, std::uint32_t argb) {
    BufferRef buffer = doubles::makeMemoryBuffer(size, BufferKind::memory, fourcc);
    const auto mapped = MappedBuffer::map(*buffer, MapAccess::readWrite);
    for (std::size_t i = 0; i < std::size_t{size.width} * size.height; ++i)
        std::memcpy(&mapped->bytes()[i * sizeof argb], &argb, sizeof argb);
    return buffer;
}

/// A rectangle on the screen whose edges need not be whole pixels.
struct Region {
    double left = 0;
    double top = 0;
    double right = 0;
    double bottom = 0;

    /// Grown on all sides, or shrunk.
    [[nodiscard]] bool holds(double x, double y, double by) const {
        return x + 0.5 > left - by && x + 0.5 < right + by && y + 0.5 > top - by && y + 0.5 < bottom + by;
    }
};

/// Pixels of the screenshot that are neither the cursor's nor the picture's as they must be. Along the edges, where
/// a scaled pixel may be mixed or an edge rounded, anything goes, but at scale 1.
std::size_t wrongPixels(const Screenshot& shot, const Region& cursor, double scale) {
    const double margin = scale == 1 ? 0 : scale + 1;
    std::size_t wrong = 0;
    for (std::uint32_t y = 0; y < shot.size.height; ++y)
        for (std::uint32_t x = 0; x < shot.size.width; ++x) {
            const std::uint32_t pixel = shot.argb[std::size_t{y} * shot.size.width + x] | 0xff000000U;
            if (cursor.holds(x, y, -margin))
                wrong += pixel != cursorColour;
            else if (!cursor.holds(x, y, margin))
                wrong += pixel != pictureColour;
        }
    return wrong;
}

/// How much larger than the guest's screen weston's is.
class CursorOnWeston : public WestonTest, public testing::WithParamInterface<double> {
protected:
    CursorOnWeston() { screen = {960, 720}; }
    ~CursorOnWeston() override {
        if (window)
            engine.removeSink(*window);
        engine.setSource(nullptr);
        window.reset();
    }

    void open(InputSink* input) {
        guestSize = {static_cast<std::uint32_t>(screen.width / GetParam()),
                     static_cast<std::uint32_t>(screen.height / GetParam())};
        source.flip(filled(guestSize, DRM_FORMAT_XRGB8888, pictureColour));
        window.emplace(loop, log, nullptr, WindowOptions{.start = StartMode::fullScreen, .input = input});
        engine.setSource(&source);
        engine.addSink(*window);
    }
    /// In pixels of the guest's.
    [[nodiscard]] Region regionAt(Point position) const {
        const double scale = GetParam();
        return {.left = position.x * scale,
                .top = position.y * scale,
                .right = (position.x + static_cast<double>(cursorSize.width)) * scale,
                .bottom = (position.y + static_cast<double>(cursorSize.height)) * scale};
    }
    /// The screen comes to show the cursor there and nowhere else. Pixels that are still wrong after a while.
    std::size_t wrongAfterAll(const Region& cursor) {
        std::size_t wrong = SIZE_MAX;
        const TimePoint deadline = loop.now() + 20s;
        while (wrong != 0 && loop.now() < deadline) {
            runFor(50ms);
            const std::optional<Screenshot> shot = shoot();
            if (shot && shot->size == screen)
                wrong = wrongPixels(*shot, cursor, GetParam());
        }
        return wrong;
    }

    Size guestSize;
    doubles::FakeSource source;
    BufferRef image = filled(cursorSize, DRM_FORMAT_ARGB8888, cursorColour);
    Forwarder engine{loop, {}};
    std::optional<WindowSink> window;
};

TEST_P(CursorOnWeston, OverThePictureItIsWhereTheGuestHasIt) {
    const std::optional<Point> hotSpots[] = {std::nullopt, Point{9, 5}};
    for (const std::optional<Point>& hotSpot : hotSpots) {
        source.current.cursor = Plane{.buffer = image, .position = {100, 80}, .hotSpot = hotSpot};
        if (!window)
            open(nullptr);
        const auto width = static_cast<std::int32_t>(guestSize.width);
        const auto height = static_cast<std::int32_t>(guestSize.height);
        for (const Point position : {Point{100, 80}, Point{-20, 80}, Point{100, -13}, Point{width - 20, 80},
                                     Point{100, height - 13}, Point{-20, -13}, Point{width - 20, height - 13}}) {
            source.current.cursor->position = position;
            EXPECT_EQ(wrongAfterAll(regionAt(position)), 0U)
                << position.x << "," << position.y << (hotSpot ? " with" : " without") << " a hot spot";
        }
    }
}
INSTANTIATE_TEST_SUITE_P(Scale, CursorOnWeston, testing::Values(1, 1.5, 2));

/// With a pointer, which weston has where it is itself a window: on an X server without a screen.
class WornOnWeston : public CursorOnWeston {
protected:
    void SetUp() override {
        makeFolder();
        if (!Process({"xdotool", "version"}, folder).started())
            GTEST_SKIP() << "xdotool is not installed";
        server.emplace(std::vector<std::string>{"Xvfb", "-displayfd", "1", "-screen", "0", "960x720x24", "-nolisten",
                                                "tcp", "-noreset"},
                       folder);
        if (!server->started())
            GTEST_SKIP() << "Xvfb is not installed";
        int number = -1;
        for (unsigned tries = 0; tries < 200 && number < 0; ++tries) {
            std::this_thread::sleep_for(50ms);
            std::ifstream(folder / "Xvfb.log") >> number;
        }
        if (number < 0)
            GTEST_SKIP() << "Xvfb does not run here";
        ::setenv("DISPLAY", fmt::format(":{}", number).c_str(), 1);
        startWeston("x11", {});
    }
    ~WornOnWeston() override { weston.reset(); }

    void movePointer(Point to) {
        Process mover({"xdotool", "mousemove", std::to_string(to.x), std::to_string(to.y)}, folder);
        const TimePoint deadline = loop.now() + 10s;
        while (!mover.ended() && loop.now() < deadline)
            loop.iterate(5ms);
    }

    /// Weston adds up the steps of the X server's pointer from where it happens to believe it is, and a busy machine
    /// loses some: led into a corner, it knows.
    void leadIntoCorner() {
        movePointer({static_cast<std::int32_t>(screen.width) - 1, static_cast<std::int32_t>(screen.height) - 1});
        runFor(100ms);
        movePointer({0, 0});
        runFor(100ms);
    }

    doubles::FakeGuest guest;
    GuestInput input{std::make_unique<doubles::FakeInputBackend>(guest), HeldKeys()};
    std::optional<Process> server;
};

TEST_P(WornOnWeston, WornItIsWhereTheHostsPointerIs) {
    constexpr Point hotSpot{9, 5};
    // The guest lags far behind.
    source.current.cursor = Plane{.buffer = image, .position = {200, 200}, .hotSpot = hotSpot};
    open(&input);
    const TimePoint deadline = loop.now() + 5s;
    while (guest.told.empty() && loop.now() < deadline)
        runFor(50ms);
    const auto width = static_cast<std::int32_t>(screen.width);
    const auto height = static_cast<std::int32_t>(screen.height);
    for (const Point pointer :
         {Point{480, 360}, Point{0, 360}, Point{480, 0}, Point{width - 1, 360}, Point{480, height - 1}}) {
        const double scale = GetParam();
        const double left = pointer.x - std::round(hotSpot.x * scale);
        const double top = pointer.y - std::round(hotSpot.y * scale);
        std::size_t wrong = 1;
        for (unsigned tries = 0; tries < 3 && wrong > 0; ++tries) {
            leadIntoCorner();
            movePointer(pointer);
            wrong = wrongAfterAll({.left = left,
                                   .top = top,
                                   .right = left + cursorSize.width * scale,
                                   .bottom = top + cursorSize.height * scale});
        }
        EXPECT_EQ(wrong, 0U) << pointer.x << "," << pointer.y;
    }
    engine.removeSink(*window);
    window.reset(); // before the input that it tells of its end
}
INSTANTIATE_TEST_SUITE_P(Scale, WornOnWeston, testing::Values(1, 1.5, 2));

} // namespace
} // namespace vgpuview

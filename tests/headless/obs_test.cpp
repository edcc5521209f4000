// SPDX-License-Identifier: MIT
// The OBS source in real libobs: what is drawn is, pixel for pixel, what the guest shows.
#include "obs_host.h"
#include "synthetic/pattern.h"

#include <gtest/gtest.h>
#include <util/bmem.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

namespace vgpuview::headless {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto patience = 60s;

enum class CursorSeen { yes, no };

std::uint32_t blendOver(std::uint32_t below, std::uint32_t above) {
    const std::uint32_t alpha = above >> 24;
    std::uint32_t result = 0xff000000U;
    for (const unsigned shift : {0U, 8U, 16U}) {
        const double sum =
            double((above >> shift) & 0xff) + double((below >> shift) & 0xff) * (255.0 - double(alpha)) / 255.0;
        result |= static_cast<std::uint32_t>(sum + 0.5) << shift;
    }
    return result;
}

bool near(std::uint32_t one, std::uint32_t other, int tolerance) {
    for (const unsigned shift : {0U, 8U, 16U, 24U})
        if (std::abs(int((one >> shift) & 0xff) - int((other >> shift) & 0xff)) > tolerance)
            return false;
    return true;
}

bool hasLastRowOf(std::uint32_t number, const Picture& picture) {
    const std::uint32_t y = picture.size.height - 1;
    for (std::uint32_t x = 0; x < picture.size.width; ++x)
        if (picture.argb[std::size_t{y} * picture.size.width + x] != patternPixel(number, x, y))
            return false;
    return true;
}

struct Expected {
    CursorSeen cursor = CursorSeen::yes;
    std::optional<std::uint32_t> number = {}; ///< nothing: the one that stands in the picture
    Size screen = {};                         ///< empty: the picture's
    Rect part = {};                           ///< of the screen; empty: all
    int tolerance = 0;
};

/// Whether every pixel is the frame's, the cursor included. Where the cursor is blended, rounding may differ by one.
testing::AssertionResult isPattern(const Picture& picture, Expected expected) {
    if (expected.screen.empty())
        expected.screen = picture.size;
    if (expected.part.empty())
        expected.part = {{0, 0}, picture.size};
    const Rect& part = expected.part;
    if (picture.size != part.size)
        return testing::AssertionFailure() << "it is " << picture.size.width << "x" << picture.size.height;
    if (!expected.number) {
        expected.number = frameNumberIn(picture.argb, picture.size);
        testing::AssertionResult result = expected.number
                                              ? isPattern(picture, expected)
                                              : testing::AssertionFailure() << "there is no frame number in it";
        // Where the cursor lies over the number, the other rows tell which it may be.
        for (std::uint32_t number = 0; number < 2000 && !result && expected.cursor == CursorSeen::yes; ++number)
            if (hasLastRowOf(number, picture) && isPattern(picture, {.number = number}))
                return testing::AssertionSuccess();
        return result;
    }
    const Point arrow = cursorPosition(*expected.number, expected.screen);
    std::size_t blended = 0;
    for (std::uint32_t y = 0; y < part.size.height; ++y) {
        for (std::uint32_t x = 0; x < part.size.width; ++x) {
            const auto screenX = static_cast<std::int32_t>(x) + part.origin.x;
            const auto screenY = static_cast<std::int32_t>(y) + part.origin.y;
            std::uint32_t pixel = patternPixel(*expected.number, static_cast<std::uint32_t>(screenX),
                                               static_cast<std::uint32_t>(screenY));
            int tolerance = expected.tolerance;
            const std::int32_t inX = screenX - arrow.x;
            const std::int32_t inY = screenY - arrow.y;
            const auto edge = static_cast<std::int32_t>(patternCursorSize.width);
            if (expected.cursor == CursorSeen::yes && inX >= 0 && inY >= 0 && inX < edge && inY < edge) {
                const std::uint32_t above =
                    cursorPixel(static_cast<std::uint32_t>(inX), static_cast<std::uint32_t>(inY));
                if (above != 0) {
                    pixel = blendOver(pixel, above);
                    tolerance = std::max(tolerance, 1);
                    ++blended;
                }
            }
            const std::uint32_t seen = picture.argb[std::size_t{y} * part.size.width + x];
            if (!near(seen, pixel, tolerance))
                return testing::AssertionFailure() << "pixel " << x << "," << y << " of frame " << *expected.number
                                                   << " is " << std::hex << seen << ", not " << pixel;
        }
    }
    if (expected.cursor == CursorSeen::yes && blended == 0)
        return testing::AssertionFailure() << "no cursor was looked at";
    return testing::AssertionSuccess();
}

std::string device(const std::string& test, const std::string& more = "") {
    return R"({"device":"other","address":")" + test + "\"" + (more.empty() ? "" : "," + more) + "}";
}

std::unique_ptr<ObsHost>& host() {
    static std::unique_ptr<ObsHost> one;
    return one;
}

class Obs : public testing::Test {
protected:
    void SetUp() override {
        if (!host())
            host() = std::make_unique<ObsHost>();
        if (!host()->trouble().empty())
            GTEST_SKIP() << host()->trouble();
    }

    /// The next picture that fulfils the condition, or the last one.
    template<typename Condition>
    std::optional<Picture> drawUntil(obs_source_t* source, Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        for (;;) {
            std::optional<Picture> picture = host()->draw(source);
            if ((picture && condition(*picture)) || std::chrono::steady_clock::now() > deadline)
                return picture;
        }
    }
    std::optional<Picture> drawPicture(obs_source_t* source) {
        return drawUntil(source, [](const Picture& picture) { return picture.argb.front() != 0; });
    }
};

TEST_F(Obs, DrawsWhatTheGuestShowsToTheLastPixel) {
    const SourcePtr source = createSource("vgpu_capture", device("test:320x200,memory=memfd"));
    const Showing showing(source.get());
    for (unsigned i = 0; i < 5; ++i) {
        const auto picture = drawPicture(source.get());
        ASSERT_TRUE(picture);
        EXPECT_EQ(picture->size, (Size{320, 200}));
        EXPECT_TRUE(isPattern(*picture, {}));
    }
}

TEST_F(Obs, IsOpaqueWhateverTheAlphaBitsSay) {
    for (const char* format : {"XR24", "AR24", "XB24", "XR30"}) {
        const SourcePtr source =
            createSource("vgpu_capture",
                         device(std::string("test:320x200,cursor=off,memory=memfd,quirk=alpha-zero,format=") + format));
        const Showing showing(source.get());
        const auto picture = drawPicture(source.get());
        ASSERT_TRUE(picture) << format;
        EXPECT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no})) << format;
    }
}

TEST_F(Obs, DecodesIntoLinearLight) {
    const SourcePtr source = createSource("vgpu_capture", device("test:320x200,cursor=off,still,memory=memfd"));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    const auto picture = host()->draw(source.get(), Target::linear);
    ASSERT_TRUE(picture);
    EXPECT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no, .number = 0, .tolerance = 1}));
}

TEST_F(Obs, CropsThePictureAndTheCursorWithIt) {
    const SourcePtr source =
        createSource("vgpu_capture", device("test:320x200,still,memory=memfd",
                                            R"("crop_left":3,"crop_top":5,"crop_right":17,"crop_bottom":60)"));
    const Showing showing(source.get());
    const auto picture = drawPicture(source.get());
    ASSERT_TRUE(picture);
    EXPECT_TRUE(isPattern(*picture, {.number = 0, .screen = {320, 200}, .part = {{3, 5}, {300, 135}}}));
}

TEST_F(Obs, LeavesTheCursorOutWhereTheUserSaysSo) {
    const SourcePtr source = createSource("vgpu_capture", device("test:320x200,memory=memfd", R"("cursor":false)"));
    const Showing showing(source.get());
    const auto picture = drawPicture(source.get());
    ASSERT_TRUE(picture);
    EXPECT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no}));
    updateSource(source.get(), R"({"cursor":true})");
    const auto with = drawUntil(source.get(), [](const Picture& now) { return bool(isPattern(now, {})); });
    ASSERT_TRUE(with);
    EXPECT_TRUE(isPattern(*with, {}));
}

} // namespace
} // namespace vgpuview::headless

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    int result = RUN_ALL_TESTS();
    const bool ran = vgpuview::headless::host() && vgpuview::headless::host()->trouble().empty();
    vgpuview::headless::host().reset();
    if (ran && bnum_allocs() != 0) {
        std::fprintf(stderr, "libobs counts %ld blocks of memory that nobody freed\n", bnum_allocs());
        result = 1;
    }
    return result;
}

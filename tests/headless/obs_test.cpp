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

TEST_F(Obs, GoesThroughScenesAndOutputUnchanged) {
    const SourcePtr source = createSource("vgpu_capture", device("test:640x480,memory=memfd"));
    obs_scene_t* scene = obs_scene_create("scene");
    obs_scene_add(scene, source.get());
    obs_set_output_source(0, obs_scene_get_source(scene));
    Picture picture;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    do
        picture = host()->output();
    while (!isPattern(picture, {}) && std::chrono::steady_clock::now() < deadline);
    EXPECT_TRUE(isPattern(picture, {}));
    obs_set_output_source(0, nullptr);
    obs_scene_release(scene);
}

TEST_F(Obs, FollowsFlipsAndModeChangesOverSixHundredFrames) {
    const SourcePtr source = createSource(
        "vgpu_capture", device("test:320x200,modes=320x200/640x400/272x320,every=7,clock=poll,memory=memfd"));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    for (unsigned i = 0; i < 600; ++i) {
        const auto picture = host()->draw(source.get());
        ASSERT_TRUE(picture);
        ASSERT_TRUE(isPattern(*picture, {})) << "draw " << i;
    }
}

TEST_F(Obs, DoesNotPollWhileHidden) {
    const SourcePtr source = createSource("vgpu_capture", device("test:320x200,cursor=off,clock=poll,memory=memfd"));
    std::optional<std::uint32_t> before;
    {
        const Showing showing(source.get());
        const auto picture = drawPicture(source.get());
        ASSERT_TRUE(picture);
        before = frameNumberIn(picture->argb, picture->size);
    }
    host()->waitFrames(100);
    const Showing showing(source.get());
    host()->waitFrames(2);
    const auto picture = host()->draw(source.get());
    ASSERT_TRUE(picture);
    const auto after = frameNumberIn(picture->argb, picture->size);
    ASSERT_TRUE(before && after);
    EXPECT_GT(*after, *before);
    EXPECT_LT(*after, *before + 50);
    EXPECT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no}));
}

TEST_F(Obs, OpensNothingBeforeItIsShown) {
    const auto opened = [] { return host()->logLines("opened test:304x200").size(); };
    const SourcePtr source = createSource("vgpu_capture", device("test:304x200,memory=memfd"));
    host()->waitFrames(30);
    EXPECT_EQ(opened(), 0U);
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    EXPECT_EQ(opened(), 1U);
}

TEST_F(Obs, KeepsTheLastPictureWhileTheGuestShowsNone) {
    const SourcePtr source =
        createSource("vgpu_capture", device("test:320x200,cursor=off,clock=poll,blank=20/10,memory=memfd"));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    unsigned kept = 0;
    unsigned live = 0;
    std::uint32_t last = 0;
    for (unsigned i = 0; i < 100; ++i) {
        const auto picture = host()->draw(source.get());
        ASSERT_TRUE(picture);
        ASSERT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no})) << "draw " << i;
        const std::uint32_t number = *frameNumberIn(picture->argb, picture->size);
        ASSERT_LT(number % 20, 10U);
        if (number == last) {
            ++kept;
            EXPECT_EQ(number % 20, 9U);
        } else {
            ++live;
        }
        last = number;
    }
    EXPECT_GT(kept, 10U);
    EXPECT_GT(live, 10U);
}

TEST_F(Obs, ShowsNothingWhileTheGuestDoesIfTheUserSaysSo) {
    const SourcePtr source =
        createSource("vgpu_capture",
                     device("test:320x200,cursor=off,clock=poll,blank=20/10,memory=memfd", R"("blanking":"nothing")"));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    unsigned empty = 0;
    unsigned live = 0;
    for (unsigned i = 0; i < 100; ++i) {
        const auto picture = host()->draw(source.get());
        ASSERT_TRUE(picture);
        if (picture->argb == std::vector<std::uint32_t>(picture->argb.size(), 0)) {
            ++empty;
        } else {
            ASSERT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no}));
            ++live;
        }
    }
    EXPECT_GT(empty, 10U);
    EXPECT_GT(live, 10U);
}

TEST_F(Obs, ComesBackWhenTheGuestDoes) {
    const std::string address = "test:312x200,cursor=off,clock=poll,frames=20,memory=memfd";
    const auto opened = [&] { return host()->logLines("opened " + address).size(); };
    const SourcePtr source = createSource("vgpu_capture", device(address));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    const auto ended = drawUntil(
        source.get(), [](const Picture& picture) { return frameNumberIn(picture.argb, picture.size) == 19U; });
    ASSERT_TRUE(ended);
    // The device is closed; what it showed last stays.
    host()->waitFrames(10);
    const auto kept = host()->draw(source.get());
    ASSERT_TRUE(kept);
    EXPECT_TRUE(isPattern(*kept, {.cursor = CursorSeen::no, .number = 19}));
    EXPECT_EQ(opened(), 1U);
    const auto again = drawUntil(source.get(), [](const Picture& picture) {
        return frameNumberIn(picture.argb, picture.size).value_or(19) < 15;
    });
    ASSERT_TRUE(again);
    EXPECT_TRUE(isPattern(*again, {.cursor = CursorSeen::no}));
    EXPECT_GE(opened(), 2U);
    EXPECT_FALSE(host()->logLines("the source ended: the test vGPU has shown its 20 frames").empty());
}

std::string statusOf(obs_source_t* source) {
    obs_properties_t* page = obs_source_properties(source);
    const std::string text = obs_property_description(obs_properties_get(page, "status"));
    obs_properties_destroy(page);
    return text;
}

TEST_F(Obs, SaysOnceWhyItShowsNothingAndRecovers) {
    const std::string missing = "mdev:3f7ab3b6-0000-4000-8000-000000000001";
    const SourcePtr source = createSource("vgpu_capture", device(missing));
    const auto lines = [] { return host()->logLines("3f7ab3b6-0000-4000-8000-000000000001"); };
    const Showing showing(source.get());
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (lines().empty() && std::chrono::steady_clock::now() < deadline)
        host()->waitFrames(1);
    // Long enough for more attempts, which have nothing new to say.
    host()->waitFrames(ObsHost::framesPerSecond * 5 / 2);
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_NE(lines().front().find("[vgpu-capture] 'vgpu_capture': cannot "), std::string::npos) << lines().front();
    EXPECT_NE(lines().front().find("hint: "), std::string::npos) << lines().front();
    EXPECT_EQ(lines().front().find('\n'), std::string::npos) << lines().front();
    EXPECT_NE(statusOf(source.get()).find("3f7ab3b6"), std::string::npos);
    EXPECT_FALSE(host()->draw(source.get()));

    updateSource(source.get(), device("test:320x200,memory=memfd"));
    const auto picture = drawPicture(source.get());
    ASSERT_TRUE(picture);
    EXPECT_TRUE(isPattern(*picture, {}));
    EXPECT_NE(statusOf(source.get()).find("320x200"), std::string::npos) << statusOf(source.get());
}

TEST_F(Obs, SeveralInstancesShowTheirOwn) {
    std::vector<SourcePtr> sources;
    std::vector<std::unique_ptr<Showing>> shown;
    for (const char* address :
         {"test:320x200,memory=memfd", "test:400x300,memory=memfd", "test:256x256,memory=memfd"}) {
        sources.push_back(createSource("vgpu_capture", device(address)));
        shown.push_back(std::make_unique<Showing>(sources.back().get()));
    }
    for (unsigned round = 0; round < 3; ++round) {
        for (const SourcePtr& source : sources) {
            const auto picture = drawPicture(source.get());
            ASSERT_TRUE(picture);
            EXPECT_TRUE(isPattern(*picture, {}));
        }
    }
}

std::size_t openDescriptors() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

std::size_t threads() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

TEST_F(Obs, LeavesNothingBehind) {
    const auto round = [&](bool whole) {
        const SourcePtr source =
            createSource("vgpu_capture", device("test:320x200,modes=320x200/640x400,every=2,clock=poll,memory=memfd"));
        const Showing showing(source.get());
        if (whole) {
            EXPECT_TRUE(drawPicture(source.get()));
        } else {
            host()->waitFrames(1); // goes while it is being opened
        }
    };
    const auto settle = [] {
        obs_wait_for_destroy_queue();
        host()->waitFrames(2);
    };
    round(true);
    settle();
    const std::size_t descriptors = openDescriptors();
    const std::size_t threadsBefore = threads();
    const long blocks = bnum_allocs();
    for (unsigned i = 0; i < 20; ++i)
        round(i % 2 == 0);
    settle();
    EXPECT_EQ(openDescriptors(), descriptors);
    EXPECT_EQ(threads(), threadsBefore);
    // libobs keeps some queues of its own that grow by doubling.
    EXPECT_LE(bnum_allocs(), blocks + 3);
}

TEST_F(Obs, ThePropertiesListWhatThereIs) {
    const SourcePtr source = createSource("vgpu_capture", R"({"device":"mdev:3f7ab3b6-0000-4000-8000-000000000002"})");
    obs_properties_t* page = obs_source_properties(source.get());
    obs_data_t* settings = obs_source_get_settings(source.get());
    obs_properties_apply_settings(page, settings);
    obs_property_t* devices = obs_properties_get(page, "device");
    const auto values = [&] {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < obs_property_list_item_count(devices); ++i)
            all.emplace_back(obs_property_list_item_string(devices, i));
        return all;
    };
    const auto has = [&](const std::string& value) {
        const auto all = values();
        return std::count(all.begin(), all.end(), value) == 1;
    };
    EXPECT_TRUE(has(""));
    EXPECT_TRUE(has("test"));
    EXPECT_TRUE(has("other"));
    EXPECT_TRUE(has("mdev:3f7ab3b6-0000-4000-8000-000000000002")) << "what is set stays in the list";
    EXPECT_STREQ(obs_property_list_item_name(devices, 0), "The only vGPU of this host") << "no locale";
    EXPECT_FALSE(obs_property_visible(obs_properties_get(page, "address")));
    obs_property_button_clicked(obs_properties_get(page, "refresh"), source.get());
    EXPECT_TRUE(has("test"));
    obs_data_set_string(settings, "device", "other");
    obs_property_modified(devices, settings);
    EXPECT_TRUE(obs_property_visible(obs_properties_get(page, "address")));
    obs_data_release(settings);
    obs_properties_destroy(page);
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

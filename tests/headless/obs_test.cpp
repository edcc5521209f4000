// SPDX-License-Identifier: MIT
// The OBS source in real libobs: what is drawn is, pixel for pixel, what the guest shows.
#include "obs_fixture.h"
#include "synthetic/pattern.h"

#include <util/bmem.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace vgpuview::headless {
namespace {

namespace fs = std::filesystem;

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
        if (std::all_of(picture->argb.begin(), picture->argb.end(), [](std::uint32_t pixel) { return pixel == 0; })) {
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
    // libobs destroys in the background, and a machine may be slow: until nothing moves any more.
    const auto settle = [] {
        obs_wait_for_destroy_queue();
        const auto deadline = std::chrono::steady_clock::now() + patience;
        for (unsigned still = 0; still < 20 && std::chrono::steady_clock::now() < deadline;) {
            const std::size_t descriptors = openDescriptors();
            const std::size_t tasks = threads();
            host()->waitFrames(3);
            still = descriptors == openDescriptors() && tasks == threads() ? still + 1 : 0;
        }
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

/// On dma-bufs the test vGPU draws where the guest's pictures lie: what OBS samples.
TEST_F(Obs, SamplesDmaBufsWithoutACopy) {
    if (!fs::exists("/dev/udmabuf"))
        GTEST_SKIP() << "no /dev/udmabuf";
    const SourcePtr source = createSource(
        "vgpu_capture", device("test:320x200,modes=320x200/640x400/256x320,every=7,clock=poll,memory=udmabuf"));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    if (statusOf(source.get()).find("does not take") != std::string::npos)
        GTEST_SKIP() << statusOf(source.get());
    const std::size_t before = host()->logLines("pictures are copied").size();
    for (unsigned i = 0; i < 600; ++i) {
        const auto picture = host()->draw(source.get());
        ASSERT_TRUE(picture);
        ASSERT_TRUE(isPattern(*picture, {})) << "draw " << i;
    }
    EXPECT_NE(statusOf(source.get()).find("drawn from the guest's own memory"), std::string::npos)
        << statusOf(source.get());
    EXPECT_EQ(host()->logLines("pictures are copied").size(), before);
}

} // namespace
} // namespace vgpuview::headless

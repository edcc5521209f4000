// SPDX-License-Identifier: MIT
// The OBS source on the PipeWire node of a running `vgpu-view stream`: a real daemon, session manager and libobs.
#include "obs_fixture.h"
#include "pipewire_bed.h"
#include "synthetic/pattern.h"

#include <algorithm>
#include <vector>

namespace vgpuview::headless {
namespace {

using component::Bed;
using component::Child;
using component::SessionManager;

constexpr const char* settings = R"({"origin":"node","node":"vgpu-view.test"})";

class ObsNode : public Obs {
protected:
    static std::unique_ptr<Child> startStream(const std::string& source) {
        return std::make_unique<Child>(
            std::vector<std::string>{VGPUVIEW_PROGRAM, "stream", source, "--log-level", "error"}, -1);
    }
    /// What the properties list.
    static std::vector<std::string> nodes(obs_source_t* source) {
        obs_properties_t* page = obs_source_properties(source);
        obs_property_t* list = obs_properties_get(page, "node");
        std::vector<std::string> all;
        for (std::size_t i = 0; i < obs_property_list_item_count(list); ++i)
            all.emplace_back(obs_property_list_item_string(list, i));
        obs_properties_destroy(page);
        return all;
    }
    static bool awaitNode(obs_source_t* source) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < deadline) {
            const auto all = nodes(source);
            if (std::count(all.begin(), all.end(), "vgpu-view.test") == 1)
                return true;
            host()->waitFrames(5);
        }
        return false;
    }

    Bed bed_{SessionManager::wirePlumber};
};

TEST_F(ObsNode, DrawsWhatTheStreamGives) {
    const auto stream = startStream("test:320x200,memory=memfd");
    const SourcePtr source = createSource("vgpu_capture", settings);
    ASSERT_TRUE(awaitNode(source.get()));
    const Showing showing(source.get());
    for (unsigned i = 0; i < 50; ++i) {
        const auto picture = drawPicture(source.get());
        ASSERT_TRUE(picture) << statusOf(source.get());
        EXPECT_EQ(picture->size, (Size{320, 200}));
        ASSERT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no}) || isPattern(*picture, {}));
        host()->waitFrames(2);
    }
    const auto later = drawUntil(source.get(), [](const Picture& picture) { return bool(isPattern(picture, {})); });
    ASSERT_TRUE(later);
    EXPECT_TRUE(isPattern(*later, {})) << "no cursor";
}

TEST_F(ObsNode, FollowsModeChanges) {
    const auto stream = startStream("test:320x200,modes=320x200/640x400,every=30,cursor=off,memory=memfd");
    const SourcePtr source = createSource("vgpu_capture", settings);
    ASSERT_TRUE(awaitNode(source.get()));
    const Showing showing(source.get());
    unsigned changes = 0;
    Size last;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (changes < 5 && std::chrono::steady_clock::now() < deadline) {
        const auto picture = drawPicture(source.get());
        ASSERT_TRUE(picture);
        ASSERT_TRUE(isPattern(*picture, {.cursor = CursorSeen::no}));
        changes += picture->size != last ? 1 : 0;
        last = picture->size;
    }
    EXPECT_EQ(changes, 5U);
}

TEST_F(ObsNode, TakesNoFramesWhileHiddenAndComesBack) {
    const auto stream = startStream("test:320x200,cursor=off,clock=poll,memory=memfd");
    const SourcePtr source = createSource("vgpu_capture", settings);
    ASSERT_TRUE(awaitNode(source.get()));
    std::optional<std::uint32_t> before;
    {
        const Showing showing(source.get());
        const auto picture = drawPicture(source.get());
        ASSERT_TRUE(picture);
        before = frameNumberIn(picture->argb, picture->size);
    }
    // Four seconds of a stream that polls sixty times a second while somebody takes frames.
    host()->waitFrames(4 * ObsHost::framesPerSecond);
    const Showing showing(source.get());
    const auto picture = drawUntil(source.get(), [&](const Picture& now) {
        const auto number = frameNumberIn(now.argb, now.size);
        return number && *number > *before;
    });
    ASSERT_TRUE(picture);
    const auto after = frameNumberIn(picture->argb, picture->size);
    ASSERT_TRUE(before && after);
    EXPECT_GT(*after, *before);
    EXPECT_LT(*after, *before + 120);
}

TEST_F(ObsNode, ComesBackWithTheStream) {
    auto stream = startStream("test:320x200,cursor=off,memory=memfd");
    const SourcePtr source = createSource("vgpu_capture", settings);
    ASSERT_TRUE(awaitNode(source.get()));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    stream.reset();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (host()->logLines("the source ended: its PipeWire node is gone").empty() &&
           std::chrono::steady_clock::now() < deadline)
        host()->waitFrames(1);
    EXPECT_EQ(host()->logLines("the source ended: its PipeWire node is gone").size(), 1U);
    const auto kept = host()->draw(source.get());
    ASSERT_TRUE(kept);
    EXPECT_TRUE(isPattern(*kept, {.cursor = CursorSeen::no}));
    stream = startStream("test:400x240,cursor=off,memory=memfd");
    const auto again = drawUntil(source.get(), [](const Picture& picture) { return picture.size == Size{400, 240}; });
    ASSERT_TRUE(again);
    EXPECT_TRUE(isPattern(*again, {.cursor = CursorSeen::no}));
}

TEST_F(ObsNode, SurvivesTheDaemon) {
    auto stream = startStream("test:320x200,cursor=off,memory=memfd");
    const SourcePtr source = createSource("vgpu_capture", settings);
    ASSERT_TRUE(awaitNode(source.get()));
    const Showing showing(source.get());
    ASSERT_TRUE(drawPicture(source.get()));
    bed_.killDaemon();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (host()->logLines("no daemon is listening").empty() && std::chrono::steady_clock::now() < deadline)
        host()->waitFrames(1);
    EXPECT_FALSE(host()->logLines("no daemon is listening").empty());
}

} // namespace
} // namespace vgpuview::headless

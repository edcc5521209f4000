// SPDX-License-Identifier: MIT
// The window against a compositor that records every request and misbehaves on demand.
#include "component/wayland/window_fixture.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/input-event-codes.h>
#include <malloc.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;
using doubles::makeMemoryBuffer;
using testing::Contains;
using testing::HasSubstr;

constexpr std::uint32_t stateMaximized = 1;
constexpr std::uint32_t stateFullScreen = 2;
constexpr std::uint32_t stateSuspended = 9;

// Connecting ---------------------------------------------------------------------------------------------------------

TEST(WindowConnection, WithoutACompositorItSaysSoAndWhatToDo) {
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::debug};
    WindowOptions options;
    options.display = std::string("/nowhere/wayland-7");
    try {
        const WindowSink window(loop, log, nullptr, std::move(options));
        FAIL() << "connected to nothing";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notFound);
        EXPECT_STREQ(error.what(), "cannot connect to Wayland display /nowhere/wayland-7: No such file or directory");
        EXPECT_THAT(error.hint(), HasSubstr("WAYLAND_DISPLAY"));
    }
}

TEST_F(WindowTest, AMissingProtocolIsNamed) {
    try {
        open({.viewporter = false});
        FAIL() << "needs wp_viewporter";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notSupported);
        EXPECT_STREQ(error.what(), "cannot open a window on this compositor: it lacks wp_viewporter");
    }
}

TEST_F(WindowTest, ACompositorThatDoesNotAnswerIsGivenUp) {
    try {
        open({.answers = false});
        FAIL() << "nobody answered";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::failed);
        EXPECT_STREQ(error.what(), "cannot talk to the compositor: it does not answer");
    }
}

// The picture --------------------------------------------------------------------------------------------------------

class WindowOnEveryVersion : public WindowTest, public testing::WithParamInterface<std::uint32_t> {};

TEST_P(WindowOnEveryVersion, TheVeryDmaBufReachesTheCompositorOnceAndIsShownUnscaled) {
    const BufferRef buffer = dmaBuf({800, 600});
    source.flip(buffer);
    open({.dmabufVersion = GetParam()});
    start();
    ASSERT_TRUE(shows(*buffer));
    const SurfaceState shown = mainSurface();
    EXPECT_EQ(shown.buffer, (Size{800, 600}));
    EXPECT_EQ(shown.destination, (Size{800, 600}));
    EXPECT_FALSE(shown.source);
    EXPECT_FALSE(videoSurface().mapped) << "nothing else is needed";
    EXPECT_FALSE(cursorSurface().mapped);
    EXPECT_THAT(compositor->requests("zwp_linux_buffer_params_v1.add"),
                testing::ElementsAre(
                    fmt::format("zwp_linux_buffer_params_v1.add(inode {}, 0, 0, 3200, 0, 0)", inodeOf(*buffer))));
    EXPECT_THAT(compositor->requests("zwp_linux_buffer_params_v1.create_immed"), testing::IsEmpty());
    EXPECT_EQ(window->report().bytesCopied, 0U);
    EXPECT_EQ(window->report().imports, 1U);
    EXPECT_THAT(log.lines, Contains(HasSubstr("dma-bufs themselves")));
}
INSTANTIATE_TEST_SUITE_P(Dmabuf, WindowOnEveryVersion, testing::Values(3U, 4U, 5U));

TEST_F(WindowTest, FlippingBetweenBuffersImportsEachOnce) {
    const std::vector<BufferRef> buffers{dmaBuf({320, 200}), dmaBuf({320, 200}), dmaBuf({320, 200})};
    source.flip(buffers[0]);
    open();
    start();
    for (unsigned i = 0; i < 30; ++i) {
        source.flip(buffers[i % 3]);
        ASSERT_TRUE(shows(*buffers[i % 3])) << i;
    }
    EXPECT_EQ(compositor->requests("zwp_linux_buffer_params_v1.create").size(), 3U);
    EXPECT_EQ(window->report().imports, 3U);
}

TEST_F(WindowTest, AGuestThatDrawsInPlaceIsAttachedAnewWithItsDamage) {
    const BufferRef buffer = dmaBuf({320, 200});
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(shows(*buffer));
    const unsigned before = mainSurface().attaches;
    source.next = {.status = PollStatus::ok, .primary = PrimaryChange::certain, .damage = {}};
    source.next.damage.add({{10, 20}, {30, 40}});
    ASSERT_TRUE(until([&] { return mainSurface().attaches == before + 1; }));
    EXPECT_THAT(mainSurface().damage, testing::ElementsAre(Rect{{10, 20}, {30, 40}}));
    EXPECT_EQ(compositor->requests("zwp_linux_buffer_params_v1.create").size(), 1U);
}

TEST_F(WindowTest, TheAlphaOfAPrimaryPlaneIsIgnored) {
    const BufferRef buffer = dmaBuf({320, 200}, DRM_FORMAT_ARGB8888);
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(shows(*buffer));
    EXPECT_EQ(mainSurface().format, static_cast<std::uint32_t>(DRM_FORMAT_XRGB8888));
}

TEST_F(WindowTest, ALinearBufferGoesUnderAnImplicitModifierWhereNoOtherIsOffered) {
    const BufferRef buffer = dmaBuf({320, 200});
    source.flip(buffer);
    open({.dmabufVersion = 3, .dmabufFormats = {{DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_INVALID}}});
    start();
    ASSERT_TRUE(shows(*buffer));
    EXPECT_THAT(compositor->requests("zwp_linux_buffer_params_v1.add"),
                Contains(HasSubstr(fmt::format(", {}, {})", 0xffffffU, 0xffffffffU))));
}

TEST_F(WindowTest, MemoryGoesAsASharedPoolOnTheVeryMemfdAndIsLockedWhileItIsRead) {
    const BufferRef first = makeMemoryBuffer({320, 200});
    const BufferRef second = makeMemoryBuffer({320, 200});
    source.flip(first);
    open({.dmabufVersion = 0});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().buffer == Size{320, 200}; }));
    EXPECT_THAT(compositor->requests("wl_shm.create_pool"),
                Contains(HasSubstr(fmt::format("inode {}, 256000)", inodeOf(*first)))));
    EXPECT_TRUE(first->beingRead());
    source.flip(second);
    ASSERT_TRUE(until([&] { return !first->beingRead(); })) << "the compositor released it";
    EXPECT_TRUE(second->beingRead());
    EXPECT_EQ(window->report().bytesCopied, 0U);
}

// Imports that take their time, or fail ------------------------------------------------------------------------------

TEST_F(WindowTest, TheOldPictureStaysUntilTheNewBufferIsThere) {
    const BufferRef old = dmaBuf({320, 200});
    const BufferRef next = dmaBuf({640, 480});
    source.flip(old);
    open();
    start();
    ASSERT_TRUE(shows(*old));
    compositor->answerImports(ImportAnswer::none);
    source.flip(next);
    ASSERT_TRUE(until([&] { return compositor->requests("zwp_linux_buffer_params_v1.create").size() == 2; }));
    runFor(50ms);
    EXPECT_EQ(mainSurface().inode, inodeOf(*old));
    compositor->settleImports(ImportAnswer::created);
    ASSERT_TRUE(shows(*next));
    EXPECT_EQ(mainSurface().destination, (Size{640, 480})) << "the window follows the guest's mode";
}

TEST_F(WindowTest, AGuestThatGoesBackToAKnownBufferIsShownThoughAnImportHangs) {
    const BufferRef known = dmaBuf({320, 200});
    const BufferRef hanging = dmaBuf({320, 200});
    source.flip(known);
    open();
    start();
    ASSERT_TRUE(shows(*known));
    compositor->answerImports(ImportAnswer::none);
    source.flip(hanging);
    ASSERT_TRUE(until([&] { return compositor->requests("zwp_linux_buffer_params_v1.create").size() == 2; }));
    const unsigned before = mainSurface().attaches;
    source.flip(known);
    EXPECT_TRUE(until([&] { return mainSurface().attaches > before; }));
    EXPECT_EQ(mainSurface().inode, inodeOf(*known));
}

TEST_F(WindowTest, ARefusedBufferIsCopiedAndTheLogSaysWhyOnce) {
    const BufferRef buffer = dmaBuf({64, 32});
    source.flip(buffer);
    open();
    compositor->answerImports(ImportAnswer::failed);
    start();
    ASSERT_TRUE(until([&] { return mainSurface().buffer == Size{64, 32}; }));
    EXPECT_EQ(mainSurface().inode, 0U) << "shared memory, not the dma-buf";
    EXPECT_EQ(window->report().importFailures, 1U);
    EXPECT_EQ(window->report().bytesCopied, 64U * 32 * 4);
    for (unsigned i = 0; i < 5; ++i) {
        const unsigned before = mainSurface().attaches;
        source.flip(buffer);
        ASSERT_TRUE(until([&] { return mainSurface().attaches > before; }));
    }
    EXPECT_EQ(std::count_if(log.lines.begin(), log.lines.end(),
                            [](const std::string& line) { return line.find("copies") != std::string::npos; }),
              1);
    EXPECT_EQ(compositor->requests("zwp_linux_buffer_params_v1.create").size(), 1U) << "asked once, not per frame";
}

/// What a GPU would do, as far as the window can tell.
class FakeGpu final : public Gpu {
public:
    struct Record {
        std::vector<BufferRef> allocated;
        std::vector<std::pair<BufferId, BufferId>> blits;
        std::vector<BufferId> forgotten;
        bool blitSucceeds = true;
    };
    explicit FakeGpu(Record& record)
        : record_(record) {}
    bool canImport(const PixelFormat&) const override { return true; }
    std::vector<std::uint64_t> renderableModifiers(std::uint32_t) const override {
        return {DRM_FORMAT_MOD_LINEAR, I915_FORMAT_MOD_X_TILED};
    }
    BufferRef allocate(Size size, std::uint32_t fourcc, std::span<const std::uint64_t> modifiers) override {
        EXPECT_THAT(modifiers, testing::ElementsAre(static_cast<std::uint64_t>(DRM_FORMAT_MOD_LINEAR)))
            << "what both know";
        return record_.allocated.emplace_back(makeMemoryBuffer(size, BufferKind::dmaBuf, fourcc));
    }
    bool blit(const Buffer& from, const Buffer& to, const std::optional<OverlayPicture>&) override {
        record_.blits.emplace_back(from.id(), to.id());
        return record_.blitSucceeds;
    }
    bool read(const Buffer&, std::span<std::uint32_t>) override { return false; }
    void forget(const Buffer& buffer) override { record_.forgotten.push_back(buffer.id()); }

private:
    Record& record_;
};

TEST_F(WindowTest, WhatTheCompositorCannotImportIsCopiedByTheGpuIntoWhatItCan) {
    FakeGpu::Record gpu;
    makeGpu = [&] { return std::make_unique<FakeGpu>(gpu); };
    const BufferRef buffer = dmaBuf({64, 32}, DRM_FORMAT_XRGB2101010);
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().inode != 0; }));
    ASSERT_FALSE(gpu.allocated.empty());
    ASSERT_EQ(gpu.blits.size(), 1U);
    EXPECT_EQ(gpu.blits[0].first, buffer->id());
    EXPECT_EQ(mainSurface().inode, inodeOf(*gpu.allocated[0]));
    source.flip(buffer);
    ASSERT_TRUE(until([&] { return gpu.blits.size() == 2; }));
    EXPECT_NE(gpu.blits[1].second, gpu.blits[0].second) << "never into what is on screen";
    EXPECT_EQ(window->report().blits, 2U);
    EXPECT_EQ(window->report().bytesCopied, 0U);
    EXPECT_THAT(log.lines, Contains(HasSubstr("made by the GPU")));
}

TEST_F(WindowTest, WhereTheGpuFailsTooTheCpuCopies) {
    FakeGpu::Record gpu{.allocated = {}, .blits = {}, .forgotten = {}, .blitSucceeds = false};
    makeGpu = [&] { return std::make_unique<FakeGpu>(gpu); };
    source.flip(dmaBuf({64, 32}, DRM_FORMAT_XRGB2101010));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().buffer == Size{64, 32}; }));
    EXPECT_EQ(mainSurface().inode, 0U);
    EXPECT_EQ(window->report().bytesCopied, 64U * 32 * 4);
}

TEST_F(WindowTest, AHostWithoutGpuCopiesAndSaysSoOnce) {
    unsigned asked = 0;
    makeGpu = [&]() -> std::unique_ptr<Gpu> {
        ++asked;
        throw Error(EOPNOTSUPP, {.operation = "use", .object = "a GPU"});
    };
    const BufferRef buffer = dmaBuf({64, 32}, DRM_FORMAT_XRGB2101010);
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().buffer == Size{64, 32}; }));
    const unsigned before = mainSurface().attaches;
    source.flip(buffer);
    ASSERT_TRUE(until([&] { return mainSurface().attaches > before; }));
    EXPECT_EQ(asked, 1U);
}

TEST_F(WindowTest, NoGpuIsMadeWhileNoneIsNeeded) {
    unsigned asked = 0;
    makeGpu = [&]() -> std::unique_ptr<Gpu> {
        ++asked;
        return nullptr;
    };
    const BufferRef buffer = dmaBuf({64, 32});
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(shows(*buffer));
    EXPECT_EQ(asked, 0U);
}

TEST_F(WindowTest, AFormatThatIsNotOfferedIsNeverAskedFor) {
    source.flip(dmaBuf({64, 32}, DRM_FORMAT_XRGB2101010));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().buffer == Size{64, 32}; }));
    EXPECT_THAT(compositor->requests("zwp_linux_buffer_params_v1.create"), testing::IsEmpty());
    EXPECT_TRUE(compositor->clientConnected());
}

TEST_F(WindowTest, RequiredZeroCopyEndsWithExitCodeSixWhereTheCompositorRefuses) {
    source.flip(dmaBuf({64, 32}));
    open({}, {.zeroCopy = ZeroCopy::required});
    compositor->answerImports(ImportAnswer::failed);
    start();
    try {
        until([] { return false; });
        FAIL() << "it went on";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notSupported);
        EXPECT_STREQ(error.what(), "cannot show the guest's XR24 linear picture without a copy: the compositor could "
                                   "not import the dma-buf, though it offers the format");
    }
}

class WindowWithLyingTable : public WindowTest, public testing::WithParamInterface<FormatTable> {};

TEST_P(WindowWithLyingTable, ATableThatMakesNoSenseOffersNothingAndHarmsNothing) {
    source.flip(dmaBuf({64, 32}));
    open({.table = GetParam()});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().buffer == Size{64, 32}; }));
    EXPECT_THAT(compositor->requests("zwp_linux_buffer_params_v1.create"), testing::IsEmpty());
    EXPECT_TRUE(compositor->clientConnected());
}
INSTANTIATE_TEST_SUITE_P(Feedback, WindowWithLyingTable,
                         testing::Values(FormatTable::noFile, FormatTable::sizeZero, FormatTable::sizeBeyondFile,
                                         FormatTable::wildIndices));

// Size, scale, cursor ------------------------------------------------------------------------------------------------

TEST_F(WindowTest, AWiderWindowShowsThePictureBetweenBlackBars) {
    const BufferRef buffer = dmaBuf({800, 600});
    source.flip(buffer);
    open({.firstConfigure = {1000, 600}});
    start();
    ASSERT_TRUE(until([&] { return videoSurface().inode == inodeOf(*buffer); }));
    EXPECT_EQ(videoSurface().position, (Point{100, 0}));
    EXPECT_EQ(videoSurface().destination, (Size{800, 600}));
    EXPECT_EQ(mainSurface().buffer, (Size{1, 1}));
    EXPECT_EQ(mainSurface().destination, (Size{1000, 600}));
    compositor->configure({800, 600}, {stateMaximized});
    ASSERT_TRUE(shows(*buffer)) << "no bars, no second surface";
    EXPECT_TRUE(until([&] { return !videoSurface().mapped; }));
}

TEST_F(WindowTest, OfSeveralConfiguresTheNewestCounts) {
    source.flip(dmaBuf({800, 600}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->configure({400, 300}, {stateMaximized});
    compositor->configure({500, 300}, {stateMaximized});
    compositor->configure({640, 480}, {stateMaximized});
    ASSERT_TRUE(until([&] { return mainSurface().destination == Size{640, 480}; }));
    EXPECT_THAT(compositor->requests("xdg_surface.ack_configure"), Contains("xdg_surface.ack_configure(4)"));
}

TEST_F(WindowTest, UnderAFractionalScaleAGuestPixelIsADevicePixel) {
    source.flip(dmaBuf({1920, 1080}));
    open({.fractionalScale = 150});
    start();
    EXPECT_TRUE(until([&] { return mainSurface().destination == Size{1536, 864}; }));
    compositor->preferScale(180);
    EXPECT_TRUE(until([&] { return mainSurface().destination == Size{1280, 720}; }));
}

TEST_F(WindowTest, TheCursorIsASurfaceOfItsOwnThatMovesWithoutTouchingThePicture) {
    const BufferRef picture = dmaBuf({320, 200});
    const BufferRef cursor = dmaBuf({64, 64}, DRM_FORMAT_ARGB8888);
    source.flip(picture);
    source.current.cursor = Plane{.buffer = cursor, .position = {100, 50}, .hotSpot = {}};
    open();
    start();
    ASSERT_TRUE(until([&] { return cursorSurface().inode == inodeOf(*cursor); }));
    EXPECT_EQ(cursorSurface().position, (Point{100, 50}));
    EXPECT_EQ(cursorSurface().format, static_cast<std::uint32_t>(DRM_FORMAT_ARGB8888)) << "its alpha counts";
    runFor(50ms);
    const unsigned pictureAttaches = mainSurface().attaches;
    const unsigned cursorAttaches = cursorSurface().attaches;
    source.current.cursor->position = {-10, 190};
    ASSERT_TRUE(until([&] { return cursorSurface().position == Point{0, 190}; }));
    EXPECT_EQ(cursorSurface().source, (Rect{{10, 0}, {54, 10}})) << "cut at the picture's edges";
    EXPECT_EQ(cursorSurface().destination, (Size{54, 10}));
    EXPECT_EQ(mainSurface().attaches, pictureAttaches);
    EXPECT_EQ(cursorSurface().attaches, cursorAttaches);
    source.current.cursor.reset();
    EXPECT_TRUE(until([&] { return !cursorSurface().mapped; }));
}

TEST_F(WindowTest, AGuestWithoutPictureIsABlackWindowThatSaysSoAndComesAlive) {
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_EQ(mainSurface().buffer, (Size{1, 1}));
    EXPECT_EQ(compositor->title(), "fake - no picture");
    const BufferRef buffer = dmaBuf({1024, 768});
    source.flip(buffer);
    ASSERT_TRUE(shows(*buffer));
    EXPECT_EQ(compositor->title(), "fake - 1024x768");
    source.blank();
    EXPECT_TRUE(until([&] { return compositor->title() == "fake - no picture"; }));
    EXPECT_TRUE(until([&] { return mainSurface().buffer == Size{1, 1}; }));
}

TEST_F(WindowTest, ATitleBeyondAllMeasureIsCutBetweenCharacters) {
    std::string title = "x";
    for (unsigned i = 0; i < 5000; ++i)
        title += "\u00e9";
    open({}, {.title = title});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_EQ(compositor->title(), title.substr(0, 199) + " - no picture");
}

TEST_F(WindowTest, WithoutSinglePixelBuffersBlackIsSharedMemory) {
    open({.singlePixel = false});
    start();
    EXPECT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_THAT(compositor->requests("wl_shm_pool.create_buffer"), Contains(HasSubstr(", 0, 1, 1, 4, ")));
}

TEST_F(WindowTest, F11TogglesFullScreen) {
    source.flip(dmaBuf({320, 200}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->pressKey(KEY_F11);
    ASSERT_TRUE(until([&] { return !compositor->requests("xdg_toplevel.set_fullscreen").empty(); }));
    compositor->configure({320, 200}, {stateFullScreen});
    compositor->pressKey(KEY_F11);
    EXPECT_TRUE(until([&] { return !compositor->requests("xdg_toplevel.unset_fullscreen").empty(); }));
}

// Pacing -------------------------------------------------------------------------------------------------------------

TEST_F(WindowTest, TheVgpuIsPolledOnlyWhenTheCompositorTakesAFrame) {
    const BufferRef buffer = dmaBuf({320, 200});
    source.flip(buffer);
    open();
    compositor->setFrameCallbacks(FrameCallbacks::held);
    start();
    ASSERT_TRUE(shows(*buffer));
    const unsigned polls = source.polls;
    for (unsigned i = 0; i < 10; ++i) {
        source.flip(buffer);
        runFor(5ms);
    }
    EXPECT_EQ(source.polls, polls);
    compositor->repaint();
    EXPECT_TRUE(until([&] { return source.polls == polls + 1; }));
}

TEST_F(WindowTest, AHiddenWindowOfAStillGuestPollsNoMoreAndResumes) {
    const BufferRef buffer = dmaBuf({320, 200});
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(shows(*buffer));
    compositor->setFrameCallbacks(FrameCallbacks::held);
    // The window notices by a callback that it asks for now and then.
    runFor(2200ms);
    const unsigned polls = source.polls;
    runFor(300ms);
    EXPECT_EQ(source.polls, polls);
    compositor->setFrameCallbacks(FrameCallbacks::atOnce);
    compositor->repaint();
    EXPECT_TRUE(until([&] { return source.polls > polls + 3; }));
}

TEST_F(WindowTest, ASuspendedWindowPollsNoMore) {
    source.flip(dmaBuf({320, 200}));
    open({.shellVersion = 6});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->configure({}, {stateSuspended});
    runFor(100ms);
    const unsigned polls = source.polls;
    runFor(200ms);
    EXPECT_EQ(source.polls, polls);
    compositor->configure({}, {});
    EXPECT_TRUE(until([&] { return source.polls > polls; }));
}

TEST_F(WindowTest, PollsFollowTheOutputsRefreshRate) {
    open();
    EXPECT_EQ(window->pollInterval(), 13333333ns) << "75 Hz";
}

TEST_F(WindowTest, PresentationFeedbackIsCountedOnItsOwnClock) {
    source.flip(dmaBuf({320, 200}));
    open({.presentationClock = CLOCK_MONOTONIC_RAW});
    compositor->setZeroCopy(true);
    source.current.queriedAt = loop.now();
    start();
    ASSERT_TRUE(until([&] { return window->report().presented.value_or(0) >= 1; }));
    const SinkReport report = window->report();
    EXPECT_EQ(report.presentedZeroCopy, report.presented);
    ASSERT_TRUE(report.latency.percentiles());
    EXPECT_LT(report.latency.percentiles()->max, 1s) << "the raw clock is far from the monotonic one";
}

TEST_F(WindowTest, WithoutPresentationTimeNothingIsGuessed) {
    source.flip(dmaBuf({320, 200}));
    open({.presentation = false});
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    EXPECT_FALSE(window->report().presented);
    EXPECT_FALSE(window->report().presentedZeroCopy);
    EXPECT_EQ(window->report().commits, 1U);
}

// Ends ---------------------------------------------------------------------------------------------------------------

TEST_F(WindowTest, AForgottenBufferIsDestroyedOnceItLeftTheScreen) {
    const BufferRef old = dmaBuf({320, 200});
    const BufferRef next = dmaBuf({320, 200});
    source.flip(old);
    open();
    start();
    ASSERT_TRUE(shows(*old));
    source.observer()->bufferRetired(*old);
    runFor(20ms);
    EXPECT_EQ(mainSurface().inode, inodeOf(*old)) << "still on screen";
    source.flip(next);
    ASSERT_TRUE(shows(*next));
    EXPECT_TRUE(until([&] { return compositor->counters().alive == 2; })) << "the new one and black";
}

TEST_F(WindowTest, ACompositorThatNeverReleasesLosesForgottenBuffersAllTheSame) {
    const BufferRef old = dmaBuf({320, 200});
    const BufferRef next = dmaBuf({320, 200});
    source.flip(old);
    open();
    compositor->setReleases(Releases::never);
    start();
    ASSERT_TRUE(shows(*old));
    source.observer()->bufferRetired(*old);
    source.flip(next);
    ASSERT_TRUE(shows(*next));
    EXPECT_TRUE(until([&] { return compositor->counters().alive == 2; }));
}

TEST_F(WindowTest, AnImportForgottenWhileItIsMadeIsDestroyedWhenItComes) {
    const BufferRef old = dmaBuf({320, 200});
    BufferRef pending = dmaBuf({320, 200});
    source.flip(old);
    open();
    start();
    ASSERT_TRUE(shows(*old));
    compositor->answerImports(ImportAnswer::none);
    source.flip(pending);
    ASSERT_TRUE(until([&] { return compositor->requests("zwp_linux_buffer_params_v1.create").size() == 2; }));
    source.observer()->bufferRetired(*pending);
    source.flip(old);
    const unsigned before = mainSurface().attaches;
    ASSERT_TRUE(until([&] { return mainSurface().attaches > before; }));
    compositor->settleImports(ImportAnswer::created);
    EXPECT_TRUE(until([&] { return compositor->counters().created == 2 && compositor->counters().alive == 2; }));
}

TEST_F(WindowTest, WhenTheSourceEndsEveryBufferIsLetGoAndTheWindowIsBlack) {
    BufferRef buffer = dmaBuf({320, 200});
    const std::weak_ptr<const Buffer> watched = buffer;
    source.flip(buffer);
    open();
    start();
    ASSERT_TRUE(shows(*buffer));
    source.current = {};
    buffer.reset();
    source.observer()->sourceEnded();
    EXPECT_TRUE(watched.expired()) << "let go of at once";
    EXPECT_TRUE(until([&] { return mainSurface().buffer == Size{1, 1}; }));
    EXPECT_TRUE(until([&] { return compositor->counters().alive == 1; })) << "black alone";
}

TEST_F(WindowTest, AWindowThatTheUserClosesTellsTheEngine) {
    source.flip(dmaBuf({320, 200}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->close();
    EXPECT_TRUE(until([&] { return !closed.empty(); }));
}

TEST_F(WindowTest, ACompositorThatDiesEndsTheLoopWithAClearLine) {
    source.flip(dmaBuf({320, 200}));
    open();
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    compositor->die();
    try {
        until([] { return false; });
        FAIL() << "it went on";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::failed);
        EXPECT_STREQ(error.what(), "cannot talk to the compositor: it closed the connection");
    }
}

// Endurance ----------------------------------------------------------------------------------------------------------

std::size_t openDescriptors() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator{}));
}

TEST_F(WindowTest, AThousandModeChangesLeaveNothingBehind) {
    source.flip(dmaBuf({320, 200}));
    open();
    compositor->recordRequests(false);
    start();
    ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
    std::size_t descriptors = 0;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const BufferRef old = source.current.primary->buffer;
        const BufferRef next = dmaBuf({320 + i % 7, 200 + i % 5});
        source.flip(next);
        source.observer()->bufferRetired(*old);
        ASSERT_TRUE(shows(*next)) << i;
        if (i == 50)
            descriptors = openDescriptors();
    }
    EXPECT_TRUE(until([&] { return compositor->counters().alive == 2; }));
    EXPECT_LE(openDescriptors(), descriptors + 2);
    EXPECT_EQ(window->report().imports, 1001U);
}

/// Another of three buffers with each poll.
class RestlessSource final : public FrameSource {
public:
    RestlessSource() { frame_.primary = Plane{.buffer = buffers_[0], .position = {}, .hotSpot = {}}; }
    [[nodiscard]] const SourceDescription& description() const noexcept override { return description_; }
    void observe(FrameSourceObserver*) noexcept override {}
    PollResult poll() override {
        ++frame_.sequence;
        frame_.primary->buffer = buffers_[frame_.sequence % buffers_.size()];
        return {.status = PollStatus::ok, .primary = PrimaryChange::certain, .damage = Damage::all({64, 64})};
    }
    [[nodiscard]] const Frame& frame() const noexcept override { return frame_; }
    [[nodiscard]] SourceCounters counters() const noexcept override { return {}; }
    [[nodiscard]] std::string endReason() const override { return {}; }

private:
    SourceDescription description_{.address = "restless:", .name = "restless", .vmName = "", .type = "", .quirks = {}};
    std::array<BufferRef, 3> buffers_{makeMemoryBuffer({64, 64}, BufferKind::dmaBuf),
                                      makeMemoryBuffer({64, 64}, BufferKind::dmaBuf),
                                      makeMemoryBuffer({64, 64}, BufferKind::dmaBuf)};
    Frame frame_;
};

TEST_F(WindowTest, AHundredThousandFramesLeaveDescriptorsAndMemoryFlat) {
    RestlessSource restless;
    open();
    compositor->recordRequests(false);
    engine.setSource(&restless);
    engine.addSink(*window);
    const auto runTo = [&](std::uint64_t commits) {
        while (window->report().commits < commits)
            for (unsigned i = 0; i < 100; ++i)
                loop.iterate(100ms);
    };
    runTo(2000);
    const std::size_t descriptors = openDescriptors();
    const std::size_t bytes = ::mallinfo2().uordblks;
    runTo(100'000);
    EXPECT_EQ(openDescriptors(), descriptors);
    // The compositor lives in this process too and may be amid a message.
    EXPECT_LT(::mallinfo2().uordblks, bytes + 64 * 1024);
    EXPECT_EQ(window->report().imports, 3U);
    EXPECT_EQ(compositor->counters().alive, 4U) << "three buffers and black";
    engine.removeSink(*window);
    engine.setSource(nullptr);
    window.reset();
}

} // namespace
} // namespace vgpuview

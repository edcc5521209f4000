// SPDX-License-Identifier: MIT
// The window on a real compositor: what weston itself says is on its screen is, pixel for pixel, what was drawn.
#include "base/unique_fd.h"
#include "doubles/fake_source.h"
#include "forward/forwarder.h"
#include "loop/event_loop.h"
#include "synthetic/pattern.h"
#include "synthetic/test_source.h"
#include "wayland/window_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <png.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class Process {
public:
    /// Its output goes to a file; it starts in that folder.
    Process(const std::vector<std::string>& command, const fs::path& folder) {
        std::vector<char*> arguments;
        for (const std::string& part : command)
            arguments.push_back(const_cast<char*>(part.c_str()));
        arguments.push_back(nullptr);
        const std::string log = folder / (command.front() + ".log");
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
        posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        if (::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
            pid_ = -1;
        posix_spawn_file_actions_destroy(&actions);
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (pid_ > 0 && !ended()) {
            ::kill(pid_, SIGTERM);
            ::waitpid(pid_, nullptr, 0);
        }
    }
    [[nodiscard]] bool started() const { return pid_ > 0; }
    bool ended() {
        if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
            pid_ = -1;
        return pid_ <= 0;
    }

private:
    pid_t pid_ = -1;
};

struct Screenshot {
    Size size;
    std::vector<std::uint32_t> argb;
};

std::optional<Screenshot> readPng(const fs::path& file) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_file(&image, file.c_str()) == 0)
        return {};
    image.format = PNG_FORMAT_BGRA;
    Screenshot shot{.size = {image.width, image.height},
                    .argb = std::vector<std::uint32_t>(std::size_t{image.width} * image.height)};
    if (png_image_finish_read(&image, nullptr, shot.argb.data(), 0, nullptr) == 0)
        return {};
    return shot;
}

class QuietLog final : public Log {
public:
    QuietLog()
        : Log(LogLevel::error) {}

protected:
    void write(LogLevel, std::string_view) override {}
};

constexpr Size screen{800, 600};

class WestonTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "vgpu-view-weston-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
        ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
        ::setenv("WAYLAND_DISPLAY", "test", 1);
        std::vector<std::string> command{"weston",
                                         "--socket=test",
                                         "--debug",
                                         "--no-config",
                                         "--idle-time=0",
                                         fmt::format("--width={}", screen.width),
                                         fmt::format("--height={}", screen.height)};
        const bool old = fs::exists("/usr/bin/weston") && oldWeston();
        command.emplace_back(old ? "--backend=headless-backend.so" : "--backend=headless");
        command.emplace_back(old ? "--use-pixman" : "--renderer=pixman");
        weston = std::make_unique<Process>(command, folder);
        if (!weston->started())
            GTEST_SKIP() << "weston is not installed";
        for (unsigned tries = 0; tries < 100 && !fs::exists(folder / "test"); ++tries)
            std::this_thread::sleep_for(100ms);
        if (weston->ended())
            GTEST_SKIP() << "weston does not run headless here: " << folder / "weston.log";
    }
    ~WestonTest() override {
        weston.reset();
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }

    /// Options changed their names in weston 12.
    bool oldWeston() {
        Process version({"weston", "--version"}, folder);
        for (unsigned tries = 0; tries < 100 && !version.ended(); ++tries)
            std::this_thread::sleep_for(50ms);
        std::string word;
        int number = 0;
        std::ifstream output(folder / "weston.log");
        output >> word >> number;
        return number < 12;
    }

    void runFor(Nanoseconds duration) {
        const TimePoint end = loop.now() + duration;
        while (loop.now() < end)
            loop.iterate(5ms);
    }
    /// What weston says is on its screen; the window goes on meanwhile.
    std::optional<Screenshot> shoot() {
        Process shooter({"weston-screenshooter"}, folder);
        const TimePoint deadline = loop.now() + 10s;
        while (!shooter.ended() && loop.now() < deadline)
            loop.iterate(5ms);
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.path().extension() == ".png") {
                std::optional<Screenshot> shot = readPng(entry.path());
                fs::remove(entry.path());
                return shot;
            }
        return {};
    }
    /// Pixels of the screenshot that differ from the picture with that number, outside the number itself.
    static std::size_t differences(const Screenshot& shot, std::uint64_t number) {
        std::size_t count = 0;
        for (std::uint32_t y = 0; y < shot.size.height; ++y)
            for (std::uint32_t x = 0; x < shot.size.width; ++x)
                if ((shot.argb[std::size_t{y} * shot.size.width + x] | 0xff000000U) != patternPixel(number, x, y))
                    ++count;
        return count;
    }

    fs::path folder;
    std::unique_ptr<Process> weston;
    EventLoop loop;
    QuietLog log;
};

TEST_F(WestonTest, ShowsEveryPixelOfTheGuestsMemory) {
    TestSource source(parseTestOptions("800x600,buffers=3,cursor=off,memory=memfd"), loop, log);
    WindowSink window(loop, log, nullptr, {.start = StartMode::fullScreen});
    Forwarder engine(loop, {});
    engine.setSource(&source);
    engine.addSink(window);
    runFor(1s);
    unsigned compared = 0;
    // The shell fades in; the first screenshots may show that.
    for (unsigned tries = 0; tries < 10 && compared < 3; ++tries) {
        const std::optional<Screenshot> shot = shoot();
        ASSERT_TRUE(shot) << "weston-screenshooter made no picture";
        ASSERT_EQ(shot->size, screen);
        const std::optional<std::uint32_t> number = frameNumberIn(shot->argb, shot->size);
        if (!number && compared == 0)
            continue;
        ASSERT_TRUE(number) << "no frame number in the picture";
        EXPECT_EQ(differences(*shot, *number), 0U) << "frame " << *number;
        ++compared;
    }
    EXPECT_EQ(compared, 3U);
    const SinkReport report = window.report();
    EXPECT_EQ(report.bytesCopied, 0U);
    EXPECT_GT(report.presented.value_or(0), 20U);
    ASSERT_TRUE(report.latency.percentiles());
    EXPECT_LT(report.latency.percentiles()->p50, 1s) << "weston's clock is CLOCK_MONOTONIC_RAW";
    engine.removeSink(window);
    engine.setSource(nullptr);
}

TEST_F(WestonTest, FollowsTheGuestsModeChangesAndScalesThemToTheScreen) {
    TestSource source(
        parseTestOptions("400x300,buffers=2,cursor=off,memory=memfd,still,edid=off,modes=400x300/800x600,every=90"),
        loop, log);
    WindowSink window(loop, log, nullptr, {.scale = ScaleMode::stretch, .start = StartMode::fullScreen});
    Forwarder engine(loop, {});
    engine.setSource(&source);
    engine.addSink(window);
    runFor(1s);
    bool exact = false;
    const TimePoint deadline = loop.now() + 15s;
    while (!exact && loop.now() < deadline) {
        const std::optional<Screenshot> shot = shoot();
        ASSERT_TRUE(shot);
        ASSERT_EQ(shot->size, screen) << "the screen is covered in either mode";
        const std::optional<std::uint32_t> number = frameNumberIn(shot->argb, shot->size);
        exact = number && differences(*shot, *number) == 0;
    }
    EXPECT_TRUE(exact) << "the mode of the screen's size was never seen unscaled";
    EXPECT_GE(source.counters().reallocations, 1U);
    engine.removeSink(window);
    engine.setSource(nullptr);
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A real weston, and what it says is on its screen.
#pragma once

#include "base/geometry.h"
#include "base/log.h"
#include "loop/event_loop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <png.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vgpuview::headless {

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

inline std::optional<Screenshot> readPng(const fs::path& file) {
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

/// A weston of its own for each test, in a private runtime folder. Tests are skipped where there is none.
class WestonTest : public testing::Test {
protected:
    void SetUp() override {
        makeFolder();
        startWeston("headless", {});
    }
    void makeFolder() {
        std::string name = (fs::temp_directory_path() / "vgpu-view-weston-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
        ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
        ::setenv("WAYLAND_DISPLAY", "test", 1);
    }
    void startWeston(const std::string& backend, const std::vector<std::string>& more) {
        std::vector<std::string> command{"weston",
                                         "--socket=test",
                                         "--debug",
                                         "--no-config",
                                         "--idle-time=0",
                                         fmt::format("--width={}", screen.width),
                                         fmt::format("--height={}", screen.height)};
        const bool old = fs::exists("/usr/bin/weston") && oldWeston();
        command.push_back(fmt::format("--backend={}{}", backend, old ? "-backend.so" : ""));
        command.emplace_back(old ? "--use-pixman" : "--renderer=pixman");
        // The desktop of newer ones shows no window in full screen where there is no seat; the kiosk of older ones does
        // not.
        if (!old)
            command.emplace_back("--shell=kiosk");
        command.insert(command.end(), more.begin(), more.end());
        weston = std::make_unique<Process>(command, folder);
        if (!weston->started())
            GTEST_SKIP() << "weston is not installed";
        for (unsigned tries = 0; tries < 100 && !fs::exists(folder / "test"); ++tries)
            std::this_thread::sleep_for(100ms);
        if (weston->ended())
            GTEST_SKIP() << "weston does not run here: " << folder / "weston.log";
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
    Size screen{800, 600};
    fs::path folder;
    std::unique_ptr<Process> weston;
    EventLoop loop;
    QuietLog log;
};

} // namespace vgpuview::headless

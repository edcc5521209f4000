// SPDX-License-Identifier: MIT
// The monitor sink nested in a real compositor: weston draws what the guest shows.
#include "doubles/fake_source.h"
#include "doubles/picture.h"
#include "forward/forwarder.h"
#include "monitor/monitor_sink.h"

#include <cairo.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using doubles::FakeSource;
using doubles::showsPattern;

constexpr Size screenSize{640, 400};

class Process {
public:
    Process(std::vector<std::string> arguments, const std::filesystem::path& folder) {
        // A shell for the folder and the log; exec, so that the id is the program's own.
        std::string line = "cd " + folder.string() + " && exec";
        for (const std::string& argument : arguments)
            line += " '" + argument + "'";
        line += " >>log 2>&1";
        const std::array<char*, 4> shell{const_cast<char*>("sh"), const_cast<char*>("-c"), line.data(), nullptr};
        if (::posix_spawnp(&pid_, "sh", nullptr, nullptr, shell.data(), environ) != 0)
            pid_ = -1;
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() { end(); }

    void end() {
        if (pid_ <= 0)
            return;
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    [[nodiscard]] bool ended() {
        if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
            pid_ = -1;
        return pid_ <= 0;
    }

private:
    pid_t pid_ = -1;
};

int westonMajorVersion() {
    std::array<char, 128> line{};
    std::FILE* pipe = ::popen("weston --version 2>/dev/null", "r");
    if (!pipe)
        return 0;
    const bool read = std::fgets(line.data(), line.size(), pipe) != nullptr;
    ::pclose(pipe);
    return read && std::string_view(line.data()).starts_with("weston ") ? std::atoi(line.data() + 7) : 0;
}

std::vector<std::uint32_t> readPng(const std::filesystem::path& file) {
    cairo_surface_t* const surface = cairo_image_surface_create_from_png(file.c_str());
    std::vector<std::uint32_t> argb;
    if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS &&
        cairo_image_surface_get_width(surface) == static_cast<int>(screenSize.width) &&
        cairo_image_surface_get_height(surface) == static_cast<int>(screenSize.height)) {
        const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface));
        argb.resize(std::size_t{screenSize.width} * screenSize.height);
        for (std::size_t y = 0; y < screenSize.height; ++y)
            std::memcpy(argb.data() + y * screenSize.width, cairo_image_surface_get_data(surface) + y * stride,
                        std::size_t{screenSize.width} * 4);
    }
    cairo_surface_destroy(surface);
    return argb;
}

class NestedMonitor : public testing::Test {
protected:
    void SetUp() override {
        const int version = westonMajorVersion();
        if (version == 0)
            GTEST_SKIP() << "weston is not installed";
        std::string pattern = std::filesystem::temp_directory_path() / "monitor-nested-XXXXXX";
        ASSERT_TRUE(::mkdtemp(pattern.data()));
        folder = pattern;
        ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
        ::unsetenv("DISPLAY");
        ::unsetenv("WLR_RENDERER");
        // Weston before 12 has other names, and its kiosk shell shows nothing without a seat.
        const bool longNames = version < 12;
        kiosk = !longNames;
        weston.emplace(std::vector<std::string>{"weston",
                                                longNames ? "--backend=headless-backend.so" : "--backend=headless",
                                                longNames ? "--use-pixman" : "--renderer=pixman",
                                                longNames ? "--shell=desktop-shell.so" : "--shell=kiosk", "--debug",
                                                "--no-config", "--width=" + std::to_string(screenSize.width),
                                                "--height=" + std::to_string(screenSize.height), "--socket=nested-test",
                                                "--idle-time=0"},
                       folder);
        const TimePoint end = loop.now() + 10s;
        while (!std::filesystem::exists(folder / "nested-test") && loop.now() < end)
            std::this_thread::sleep_for(20ms);
        ASSERT_TRUE(std::filesystem::exists(folder / "nested-test")) << westonLog();
        ::setenv("WAYLAND_DISPLAY", "nested-test", 1);
        ::setenv("WLR_BACKENDS", "wayland", 1);
        ::setenv("WLR_RENDERER", "pixman", 1);
        ::setenv("WLR_LIBINPUT_NO_DEVICES", "1", 1);
    }
    void TearDown() override {
        if (sink) {
            engine.removeSink(*sink);
            sink.reset();
        }
        engine.setSource(nullptr);
        weston.reset();
        if (!folder.empty())
            std::filesystem::remove_all(folder);
    }

    [[nodiscard]] std::string westonLog() const {
        std::ifstream file(folder / "log");
        return {std::istreambuf_iterator<char>(file), {}};
    }
    bool until(auto&& condition) {
        const TimePoint end = loop.now() + 10s;
        while (!condition() && loop.now() < end)
            loop.iterate(20ms);
        return condition();
    }
    /// What weston shows; its own capture of it. The loop runs meanwhile.
    std::vector<std::uint32_t> screen() {
        const auto pictures = [this] {
            std::vector<std::filesystem::path> found;
            for (const auto& entry : std::filesystem::directory_iterator(folder))
                if (entry.path().extension() == ".png")
                    found.push_back(entry.path());
            return found;
        };
        for (const auto& old : pictures())
            std::filesystem::remove(old);
        Process shooter({"weston-screenshooter"}, folder);
        until([&] { return shooter.ended(); });
        const auto found = pictures();
        return found.empty() ? std::vector<std::uint32_t>() : readPng(found.front());
    }
    [[nodiscard]] std::uint64_t detail(std::string_view name) const {
        for (const auto& [key, value] : sink->report().details)
            if (key == name)
                return std::stoull(value);
        return 0;
    }
    [[nodiscard]] Size guestSize() const { return kiosk ? screenSize : Size{320, 200}; }
    void startSink() {
        sink = std::make_unique<MonitorSink>(
            loop, log, MonitorOptions{.mode = ModeRequest{.size = guestSize(), .refreshMilliHz = {}}});
        engine.setSource(&source);
        engine.addSink(*sink);
    }
    /// The whole screen in the kiosk; else the window, wherever it is.
    testing::AssertionResult showsGuest(std::uint64_t number) {
        const std::vector<std::uint32_t> argb = screen();
        const Size size = guestSize();
        if (argb.empty())
            return testing::AssertionFailure() << "no capture";
        std::vector<std::uint32_t> part(std::size_t{size.width} * size.height);
        testing::AssertionResult result = testing::AssertionFailure() << "nowhere on the screen";
        for (std::size_t top = 0; top + size.height <= screenSize.height; ++top) {
            for (std::size_t left = 0; left + size.width <= screenSize.width; ++left) {
                const auto at = [&](std::size_t x, std::size_t y) {
                    return argb[(top + y) * screenSize.width + left + x];
                };
                bool likely = true;
                for (std::size_t i = 0; i < 64 && likely; ++i)
                    likely = ((at(i, i) ^
                               patternPixel(number, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i))) &
                              0xffffffU) == 0;
                if (!likely)
                    continue;
                for (std::size_t y = 0; y < size.height; ++y)
                    for (std::size_t x = 0; x < size.width; ++x)
                        part[y * size.width + x] = at(x, y);
                result = showsPattern(part, size, number);
                if (result)
                    return result;
            }
        }
        return result;
    }
    [[nodiscard]] BufferRef patternBuffer(std::uint64_t number) const {
        const Size size = guestSize();
        BufferRef buffer = doubles::makeMemoryBuffer(size);
        const auto mapped = MappedBuffer::map(*buffer, MapAccess::readWrite);
        for (std::uint32_t y = 0; y < size.height; ++y)
            for (std::uint32_t x = 0; x < size.width; ++x) {
                const std::uint32_t colour = patternPixel(number, x, y);
                std::memcpy(mapped->row(y).data() + std::size_t{x} * 4, &colour, 4);
            }
        return buffer;
    }

    std::filesystem::path folder;
    bool kiosk = false;
    std::optional<Process> weston;
    StreamLog log{stderr, LogLevel::info};
    EventLoop loop;
    FakeSource source;
    Forwarder engine{loop, {}};
    std::unique_ptr<MonitorSink> sink;
};

TEST_F(NestedMonitor, TheParentShowsTheGuestPixelForPixel) {
    startSink();
    for (const std::uint64_t number : {1U, 2U, 3U}) {
        source.flip(patternBuffer(number));
        testing::AssertionResult shown = testing::AssertionFailure();
        until([&] { return shown = showsGuest(number); });
        ASSERT_TRUE(shown) << westonLog();
    }
    EXPECT_GE(detail("scanned_out") + detail("composed"), 3U);
    EXPECT_GE(*sink->report().presented, 1U);
}

TEST_F(NestedMonitor, TheParentsEndIsOneClearErrorAndNoCrash) {
    startSink();
    source.flip(patternBuffer(1));
    ASSERT_TRUE(until([&] { return detail("scanned_out") + detail("composed") >= 1; }));
    weston->end();
    try {
        until([] { return false; });
        FAIL() << "the parent's end went unnoticed";
    } catch (const std::exception& error) {
        EXPECT_STREQ(error.what(), "cannot go on with the monitor output: its device or parent compositor is gone");
    }
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// How old a frame is when it reaches the screen, polled at once and polled late, in one run: on outputs that refresh by
// the clock, and on headless weston where there is one. The guest draws all the time, so that a frame's age is the time
// since it was asked for. With --strict exit code 1 where late polling misses its goal, a median below half a refresh,
// on an output that takes frames no earlier than that.
#include "bench/flipping_source.h"
#include "component/wayland/test_compositor.h"
#include "forward/forwarder.h"
#include "loop/event_loop.h"
#include "wayland/window_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;
using namespace testing_wayland;
namespace fs = std::filesystem;

double milliseconds(Nanoseconds duration) {
    return static_cast<double>(duration.count()) / 1e6;
}

class Silence final : public Log {
public:
    Silence()
        : Log(LogLevel::error) {}

protected:
    void write(LogLevel, std::string_view) override {}
};

struct Ages {
    Percentiles age{};
    std::uint64_t shown = 0;
};

Ages measure(WaylandDisplay display, Latency latency, BufferKind kind, Nanoseconds duration) {
    EventLoop loop;
    Silence log;
    bench::FlippingSource source({640, 480}, kind);
    WindowOptions options;
    options.latency = latency;
    options.display = std::move(display);
    WindowSink window(loop, log, nullptr, std::move(options));
    Forwarder engine(loop, {});
    engine.setSource(&source);
    engine.addSink(window);
    const TimePoint end = loop.now() + duration;
    while (loop.now() < end)
        loop.iterate(100ms);
    const SinkReport report = window.report();
    engine.removeSink(window);
    engine.setSource(nullptr);
    return {.age = report.latency.percentiles().value_or(Percentiles{}), .shown = report.presented.value_or(0)};
}

void print(std::string_view output, std::string_view polling, const Ages& ages, Nanoseconds duration) {
    fmt::print("{:<34} {:>8} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.1f}\n", output, polling, milliseconds(ages.age.p50),
               milliseconds(ages.age.p95), milliseconds(ages.age.max),
               static_cast<double>(ages.shown) * 1000 / milliseconds(duration));
}

/// A headless weston in a runtime folder of its own; ends with this.
class Weston {
public:
    Weston() {
        std::string name = (fs::temp_directory_path() / "vgpu-view-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            return;
        folder_ = name;
        ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
        for (const char* backend : {"headless", "headless-backend.so"}) {
            start(backend);
            for (unsigned tries = 0; tries < 100 && running() && !fs::exists(folder_ / "bench"); ++tries)
                std::this_thread::sleep_for(100ms);
            if (running() && fs::exists(folder_ / "bench"))
                return;
            stop();
        }
    }
    Weston(const Weston&) = delete;
    Weston& operator=(const Weston&) = delete;
    ~Weston() {
        stop();
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    [[nodiscard]] bool running() {
        if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
            pid_ = -1;
        return pid_ > 0;
    }

private:
    void start(const std::string& backend) {
        std::vector<std::string> words{"weston",      "--socket=bench", "--no-config",         "--idle-time=0",
                                       "--width=640", "--height=480",   "--backend=" + backend};
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        if (::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
            pid_ = -1;
        posix_spawn_file_actions_destroy(&actions);
    }
    void stop() {
        if (!running())
            return;
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

    fs::path folder_;
    pid_t pid_ = -1;
};

} // namespace
} // namespace vgpuview

int main(int argc, char** argv) {
    using namespace vgpuview;
    bool strict = false;
    Nanoseconds duration = 10s;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) == "--strict")
            strict = true;
        else
            duration = std::chrono::seconds(std::strtoul(argv[i], nullptr, 10));
    }
    fmt::print("{:<34} {:>8} {:>9} {:>9} {:>9} {:>9}\n", "output", "polled", "p50 ms", "p95 ms", "max ms", "shown/s");
    bool good = true;
    struct Output {
        std::string_view name;
        ScriptedRefresh refresh;
    };
    for (const Output& output : {Output{"60 Hz, takes frames 2 ms before", {16'666'667ns, 2ms}},
                                 Output{"60 Hz, takes frames 5 ms before", {16'666'667ns, 5ms}},
                                 Output{"144 Hz, takes frames 1 ms before", {6'944'444ns, 1ms}}}) {
        for (const Latency latency : {Latency::normal, Latency::low}) {
            TestCompositor compositor({.refresh = output.refresh});
            compositor.recordRequests(false);
            const Ages ages = measure(compositor.takeClientSocket(), latency, BufferKind::dmaBuf, duration);
            print(output.name, latency == Latency::low ? "late" : "at once", ages, duration);
            if (latency == Latency::low)
                good = good && ages.age.p50 < output.refresh.interval / 2;
        }
    }
    Weston weston;
    if (weston.running()) {
        for (const Latency latency : {Latency::normal, Latency::low})
            print("headless weston", latency == Latency::low ? "late" : "at once",
                  measure(std::string("bench"), latency, BufferKind::memory, duration), duration);
    } else {
        fmt::print("headless weston does not run here\n");
    }
    return strict && !good ? 1 : 0;
}

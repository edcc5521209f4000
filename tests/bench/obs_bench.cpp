// SPDX-License-Identifier: MIT
// What a frame costs OBS' graphics thread, from the tick to the end of the drawing: this source beside OBS' own, in one
// libobs. CPU time of that thread alone; a software renderer's own threads are not counted.
//
// usage: obs_bench WIDTH HEIGHT FRAMES
#include "headless/obs_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview::headless {
namespace {

double threadMicroseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

/// Brackets each frame: libobs calls the tick callbacks right before it ticks the sources.
class FrameTimes {
public:
    FrameTimes(obs_source_t* source, std::size_t frames)
        : source_(source)
        , frames_(frames) {
        times_.reserve(frames_);
        obs_add_tick_callback(tick, this);
        obs_add_main_render_callback(render, this);
    }
    FrameTimes(const FrameTimes&) = delete;
    FrameTimes& operator=(const FrameTimes&) = delete;
    ~FrameTimes() {
        obs_remove_main_render_callback(render, this);
        obs_remove_tick_callback(tick, this);
        const ObsGraphics graphics;
        gs_texrender_destroy(target_);
    }

    /// Waits for all frames; the first tenth, in which textures are made, does not count. Sorted; empty where the
    /// source shows nothing for a while.
    [[nodiscard]] std::vector<double> wait() {
        std::unique_lock lock(mutex_);
        if (!done_.wait_for(lock, std::chrono::seconds(120), [&] { return times_.size() >= frames_; }))
            return {};
        std::vector<double> counted(times_.begin() + static_cast<std::ptrdiff_t>(frames_ / 10), times_.end());
        std::sort(counted.begin(), counted.end());
        return counted;
    }

private:
    struct ObsGraphics {
        ObsGraphics() { obs_enter_graphics(); }
        ~ObsGraphics() { obs_leave_graphics(); }
    };

    static void tick(void* data, float) { static_cast<FrameTimes*>(data)->begun_ = threadMicroseconds(); }
    static void render(void* data, std::uint32_t, std::uint32_t) { static_cast<FrameTimes*>(data)->render(); }

    void render() {
        const std::uint32_t width = source_ ? obs_source_get_width(source_) : 0;
        if (source_ && width == 0)
            return;
        if (!target_)
            target_ = gs_texrender_create(GS_BGRA, GS_ZS_NONE);
        if (source_) {
            const std::uint32_t height = obs_source_get_height(source_);
            gs_texrender_reset(target_);
            gs_texrender_begin_with_color_space(target_, width, height, GS_CS_SRGB);
            gs_ortho(0.0F, static_cast<float>(width), 0.0F, static_cast<float>(height), -100.0F, 100.0F);
            obs_source_video_render(source_);
            gs_texrender_end(target_);
        }
        const double time = threadMicroseconds() - begun_;
        const std::lock_guard lock(mutex_);
        if (times_.size() < frames_)
            times_.push_back(time);
        if (times_.size() >= frames_)
            done_.notify_all();
    }

    obs_source_t* source_;
    std::size_t frames_;
    gs_texrender_t* target_ = nullptr;
    double begun_ = 0;
    std::mutex mutex_;
    std::condition_variable done_;
    std::vector<double> times_;
};

struct Contender {
    const char* name;
    const char* id;
    std::string settings;
};

int measure(Size size, std::size_t frames) {
    ObsHost host(LogLines::kept, size);
    if (!host.trouble().empty()) {
        std::printf("%s\n", host.trouble().c_str());
        return 77;
    }
    for (const char* module : {"image-source", "linux-capture"})
        if (!host.loadSystemModule(module))
            std::printf("OBS' module %s is not there\n", module);
    const std::string mode = fmt::format("{}x{}", size.width, size.height);
    const auto test = [&](const std::string& options) {
        return R"({"device":"other","address":"test:)" + mode + options + "\"}";
    };
    const std::vector<Contender> contenders{
        {"no source", "", ""},
        {"OBS' colour source", "color_source_v3",
         fmt::format(R"({{"width":{},"height":{}}})", size.width, size.height)},
        {"OBS' screen capture (XSHM)", "xshm_input", R"({"show_cursor":false})"},
        {"vGPU, dma-bufs, a flip a frame", "vgpu_capture", test(",clock=poll,period=3,buffers=3,memory=udmabuf")},
        {"vGPU, memory, still", "vgpu_capture", test(",clock=poll,still,memory=memfd")},
        {"vGPU, memory, all of it changes", "vgpu_capture", test(",clock=poll,period=3,buffers=3,memory=memfd")},
    };
    std::printf("%s, CPU of the graphics thread per frame, microseconds: median and 95th percentile over %zu frames\n",
                mode.c_str(), frames);
    for (const Contender& contender : contenders) {
        const bool needsUdmabuf = contender.settings.find("udmabuf") != std::string::npos;
        if (needsUdmabuf && std::system("test -e /dev/udmabuf") != 0) {
            std::printf("%-34s no /dev/udmabuf\n", contender.name);
            continue;
        }
        if (std::string(contender.id) == "xshm_input" && std::getenv("WAYLAND_DISPLAY"))
            continue; // it captures X servers
        const SourcePtr source = *contender.id ? createSource(contender.id, contender.settings) : nullptr;
        if (*contender.id && !source)
            continue;
        std::optional<Showing> showing;
        if (source)
            showing.emplace(source.get());
        const std::vector<double> times = FrameTimes(source.get(), frames).wait();
        if (times.empty()) {
            std::printf("%-34s shows nothing\n", contender.name);
            continue;
        }
        std::printf("%-34s %8.1f %8.1f\n", contender.name, times[times.size() / 2], times[times.size() * 95 / 100]);
        std::fflush(stdout);
    }
    return 0;
}

} // namespace
} // namespace vgpuview::headless

int main(int argc, char** argv) {
    if (argc != 4)
        return 2;
    return vgpuview::headless::measure({static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10)),
                                        static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10))},
                                       std::strtoul(argv[3], nullptr, 10));
}

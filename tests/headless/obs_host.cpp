// SPDX-License-Identifier: MIT
// libobs as OBS runs it, without its window: the module is loaded from its file, sources are drawn on the graphics
// thread.
#include "obs_host.h"

#include <X11/Xlib.h>
#include <fcntl.h>
#include <graphics/vec4.h>
#include <obs-nix-platform.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#if VGPUVIEW_TEST_WAYLAND
#include <wayland-client.h>
#endif

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <queue>
#include <thread>
#include <utility>

namespace vgpuview::headless {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

struct DisplayPipe {
    std::array<int, 2> ends{-1, -1};
    DisplayPipe() {
        if (::pipe(ends.data()) != 0)
            ends = {-1, -1};
    }
    DisplayPipe(const DisplayPipe&) = delete;
    DisplayPipe& operator=(const DisplayPipe&) = delete;
    ~DisplayPipe() {
        closeWriter();
        if (ends[0] >= 0)
            ::close(ends[0]);
    }
    void closeWriter() {
        if (ends[1] >= 0)
            ::close(std::exchange(ends[1], -1));
    }
};

/// Tasks that wait for the graphics thread.
struct Tasks {
    std::mutex mutex;
    std::condition_variable drawn;
    std::queue<std::function<void()>> waiting;
    unsigned frames = 0;
};

Tasks& tasks() {
    static Tasks all;
    return all;
}

void runTasks(void*, std::uint32_t, std::uint32_t) {
    Tasks& all = tasks();
    std::unique_lock lock(all.mutex);
    // What comes in meanwhile is for the next frame.
    auto now = std::exchange(all.waiting, {});
    lock.unlock();
    for (; !now.empty(); now.pop())
        now.front()();
    lock.lock();
    ++all.frames;
    lock.unlock();
    all.drawn.notify_all();
}

std::uint32_t argbOf(const std::uint8_t* bgra) {
    std::uint32_t pixel = 0;
    std::memcpy(&pixel, bgra, sizeof(pixel));
    return pixel;
}

} // namespace

Screen::Screen(Size size) {
    if (std::getenv("WAYLAND_DISPLAY"))
        openWayland();
    else
        startXServer(size);
}

Screen::~Screen() {
    if (display_)
        close_(display_);
    if (server_ > 0) {
        ::kill(server_, SIGTERM);
        ::waitpid(server_, nullptr, 0);
    }
}

void Screen::openWayland() {
#if VGPUVIEW_TEST_WAYLAND
    display_ = wl_display_connect(nullptr);
    if (!display_) {
        trouble_ = "no Wayland compositor answers";
        return;
    }
    close_ = [](void* display) { wl_display_disconnect(static_cast<wl_display*>(display)); };
    obs_set_nix_platform(OBS_NIX_PLATFORM_WAYLAND);
    obs_set_nix_platform_display(display_);
#else
    trouble_ = "this libobs has no Wayland";
#endif
}

void Screen::startXServer(Size size) {
    DisplayPipe pipe;
    const std::string descriptor = std::to_string(pipe.ends[1]);
    const std::string mode = std::to_string(size.width) + "x" + std::to_string(size.height) + "x24";
    const std::array<const char*, 10> command{"Xvfb",       "-displayfd", descriptor.c_str(), "-screen",
                                              "0",          mode.c_str(), "-nolisten",        "tcp",
                                              "-terminate", nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int failure =
        ::posix_spawnp(&server_, "Xvfb", &actions, nullptr, const_cast<char**>(command.data()), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        server_ = -1;
        trouble_ = "Xvfb is not installed";
        return;
    }
    pipe.closeWriter();
    std::string number;
    for (char character = 0; ::read(pipe.ends[0], &character, 1) == 1 && character != '\n';)
        number += character;
    ::setenv("DISPLAY", (":" + number).c_str(), 1);
    XInitThreads();
    display_ = number.empty() ? nullptr : XOpenDisplay(nullptr);
    if (!display_) {
        trouble_ = "Xvfb does not start here";
        return;
    }
    close_ = [](void* display) { XCloseDisplay(static_cast<Display*>(display)); };
    obs_set_nix_platform(OBS_NIX_PLATFORM_X11_EGL);
    obs_set_nix_platform_display(display_);
}

ObsHost::ObsHost(LogLines logLines, Size screen)
    : logLines_(logLines)
    , screen_(screen) {
    if (!screen_.trouble().empty()) {
        trouble_ = screen_.trouble();
        return;
    }
    base_set_log_handler(
        [](int, const char* format, std::va_list arguments, void* self) {
            std::array<char, 4096> line{};
            std::vsnprintf(line.data(), line.size(), format, arguments);
            auto& host = *static_cast<ObsHost*>(self);
            const std::lock_guard lock(host.logMutex_);
            if (host.logLines_ == LogLines::printed)
                std::fprintf(stderr, "%s\n", line.data());
            host.log_.emplace_back(line.data());
        },
        this);
    trouble_ = start();
}

std::string ObsHost::start() {
    if (!obs_startup("en-US", nullptr, nullptr))
        return "obs_startup failed";
    obs_video_info video{};
    video.graphics_module = "libobs-opengl";
    video.fps_num = ObsHost::framesPerSecond;
    video.fps_den = 1;
    video.base_width = video.output_width = canvasSize.width;
    video.base_height = video.output_height = canvasSize.height;
    video.output_format = VIDEO_FORMAT_BGRA;
    video.gpu_conversion = true;
    video.colorspace = VIDEO_CS_SRGB;
    video.range = VIDEO_RANGE_FULL;
    video.scale_type = OBS_SCALE_BICUBIC;
    if (const int result = obs_reset_video(&video); result != OBS_VIDEO_SUCCESS)
        return "obs_reset_video answers " + std::to_string(result);
    obs_module_t* module = nullptr;
    if (const int result = obs_open_module(&module, VGPUVIEW_OBS_MODULE, VGPUVIEW_OBS_DATA); result != MODULE_SUCCESS)
        return "obs_open_module answers " + std::to_string(result);
    if (!obs_init_module(module))
        return "obs_init_module failed";
    obs_post_load_modules();
    obs_add_main_render_callback(runTasks, nullptr);
    return {};
}

bool ObsHost::loadSystemModule(const std::string& name) {
    obs_module_t* module = nullptr;
    return obs_open_module(&module, (VGPUVIEW_OBS_PLUGINS "/" + name + ".so").c_str(),
                           ("/usr/share/obs/obs-plugins/" + name).c_str()) == MODULE_SUCCESS &&
           obs_init_module(module);
}

ObsHost::~ObsHost() {
    if (screen_.trouble().empty()) {
        obs_remove_main_render_callback(runTasks, nullptr);
        obs_shutdown();
    }
    base_set_log_handler(nullptr, nullptr);
}

void ObsHost::onGraphicsThread(std::function<void()> task) {
    Tasks& all = tasks();
    std::promise<void> done;
    {
        const std::lock_guard lock(all.mutex);
        all.waiting.push([&] {
            task();
            done.set_value();
        });
    }
    if (done.get_future().wait_for(patience) != std::future_status::ready)
        std::abort(); // the task refers to this frame of the stack
}

void ObsHost::waitFrames(unsigned count) {
    Tasks& all = tasks();
    std::unique_lock lock(all.mutex);
    const unsigned goal = all.frames + count;
    all.drawn.wait_for(lock, patience, [&] { return static_cast<int>(all.frames - goal) >= 0; });
}

std::optional<Picture> ObsHost::draw(obs_source_t* source, Target target) {
    std::optional<Picture> picture;
    onGraphicsThread([&] {
        const std::uint32_t width = obs_source_get_width(source);
        const std::uint32_t height = obs_source_get_height(source);
        if (width == 0 || height == 0)
            return;
        const bool linear = target == Target::linear;
        gs_texrender_t* render = gs_texrender_create(linear ? GS_RGBA32F : GS_BGRA, GS_ZS_NONE);
        gs_texrender_begin_with_color_space(render, width, height, linear ? GS_CS_SRGB_16F : GS_CS_SRGB);
        vec4 transparent{};
        gs_clear(GS_CLEAR_COLOR, &transparent, 0.0F, 0);
        gs_ortho(0.0F, static_cast<float>(width), 0.0F, static_cast<float>(height), -100.0F, 100.0F);
        gs_blend_state_push();
        gs_reset_blend_state();
        const bool before = gs_set_linear_srgb(true);
        obs_source_video_render(source);
        gs_set_linear_srgb(before);
        gs_blend_state_pop();
        gs_texrender_end(render);
        gs_stagesurf_t* stage = gs_stagesurface_create(width, height, linear ? GS_RGBA32F : GS_BGRA);
        gs_stage_texture(stage, gs_texrender_get_texture(render));
        std::uint8_t* data = nullptr;
        std::uint32_t stride = 0;
        if (gs_stagesurface_map(stage, &data, &stride)) {
            picture = Picture{{width, height}, {}};
            picture->argb.reserve(std::size_t{width} * height);
            const auto encode = [](float value) {
                const float encoded = gs_srgb_linear_to_nonlinear(value);
                return static_cast<std::uint32_t>(encoded * 255.0F + 0.5F);
            };
            for (std::uint32_t y = 0; y < height; ++y) {
                for (std::uint32_t x = 0; x < width; ++x) {
                    const std::uint8_t* at = data + std::size_t{y} * stride;
                    if (!linear) {
                        picture->argb.push_back(argbOf(at + std::size_t{x} * 4));
                        continue;
                    }
                    std::array<float, 4> rgba{};
                    std::memcpy(rgba.data(), at + std::size_t{x} * 16, 16);
                    picture->argb.push_back(static_cast<std::uint32_t>(rgba[3] * 255.0F + 0.5F) << 24 |
                                            encode(rgba[0]) << 16 | encode(rgba[1]) << 8 | encode(rgba[2]));
                }
            }
            gs_stagesurface_unmap(stage);
        }
        gs_stagesurface_destroy(stage);
        gs_texrender_destroy(render);
    });
    return picture;
}

Picture ObsHost::output() {
    struct Taken {
        std::promise<Picture> picture;
        std::atomic<bool> done = false;
    } taken;
    const auto take = [](void* data, video_data* frame) {
        auto& into = *static_cast<Taken*>(data);
        if (into.done.exchange(true))
            return;
        Picture picture{canvasSize, {}};
        for (std::uint32_t y = 0; y < canvasSize.height; ++y)
            for (std::uint32_t x = 0; x < canvasSize.width; ++x)
                picture.argb.push_back(
                    argbOf(frame->data[0] + std::size_t{y} * frame->linesize[0] + std::size_t{x} * 4));
        into.picture.set_value(std::move(picture));
    };
    obs_add_raw_video_callback(nullptr, take, &taken);
    auto future = taken.picture.get_future();
    const bool ready = future.wait_for(patience) == std::future_status::ready;
    obs_remove_raw_video_callback(take, &taken);
    return ready ? future.get() : Picture{};
}

std::vector<std::string> ObsHost::logLines(const std::string& text) const {
    const std::lock_guard lock(logMutex_);
    std::vector<std::string> found;
    for (const std::string& line : log_)
        if (line.find(text) != std::string::npos)
            found.push_back(line);
    return found;
}

SourcePtr createSource(const char* id, const std::string& settings) {
    obs_data_t* data = obs_data_create_from_json(settings.c_str());
    SourcePtr source(obs_source_create(id, id, data, nullptr));
    obs_data_release(data);
    return source;
}

void updateSource(obs_source_t* source, const std::string& settings) {
    obs_data_t* data = obs_data_create_from_json(settings.c_str());
    obs_source_update(source, data);
    obs_data_release(data);
}

std::string statusOf(obs_source_t* source) {
    obs_properties_t* page = obs_source_properties(source);
    const char* described = obs_property_description(obs_properties_get(page, "status"));
    const std::string text = described ? described : "";
    obs_properties_destroy(page);
    return text;
}

} // namespace vgpuview::headless

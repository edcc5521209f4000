// SPDX-License-Identifier: MIT
// libobs as OBS runs it, without its window: the module is loaded from its file, sources are drawn on the graphics
// thread.
#pragma once

#include "obs_picture.h"

#include <obs.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview::headless {

/// What libobs shows itself on: the Wayland compositor that the environment names, else an X server of its own.
class Screen {
public:
    explicit Screen(Size size = {640, 480});
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    ~Screen();

    /// Empty, or why there is none.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

private:
    void openWayland();
    void startXServer(Size size);

    std::string trouble_;
    pid_t server_ = -1;
    void* display_ = nullptr;
    void (*close_)(void*) = nullptr;
};

/// How a source is drawn.
enum class Target { sRgb, linear };

enum class LogLines { kept, printed };

/// One per process.
class ObsHost {
public:
    static constexpr Size canvasSize{640, 480};
    static constexpr unsigned framesPerSecond = 120;

    explicit ObsHost(LogLines logLines = LogLines::kept, Size screen = {640, 480});
    ObsHost(const ObsHost&) = delete;
    ObsHost& operator=(const ObsHost&) = delete;
    /// Shuts libobs down.
    ~ObsHost();

    /// Empty, or why libobs does not run here.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

    /// Loads one of OBS' own, such as "image-source", from where OBS has them. False where it is not installed.
    [[nodiscard]] bool loadSystemModule(const std::string& name);

    /// Runs it once on the graphics thread inside the graphics context, after the sources of a frame were ticked:
    /// each time for another frame.
    void onGraphicsThread(std::function<void()> task);
    /// Waits until that many more frames were drawn.
    void waitFrames(unsigned count);
    /// The source as OBS draws it, in its own size, over transparent black. Nothing while its size is zero.
    [[nodiscard]] std::optional<Picture> draw(obs_source_t* source, Target target = Target::sRgb);
    /// The next whole frame of OBS' output.
    [[nodiscard]] Picture output();

    /// Lines of the log that hold the text.
    [[nodiscard]] std::vector<std::string> logLines(const std::string& text) const;

private:
    static std::string start();

    LogLines logLines_;
    Screen screen_;
    std::string trouble_;
    mutable std::mutex logMutex_;
    std::vector<std::string> log_;
};

struct SourceRelease {
    void operator()(obs_source_t* source) const noexcept { obs_source_release(source); }
};
using SourcePtr = std::unique_ptr<obs_source_t, SourceRelease>;

/// Some text of the settings, as OBS stores them: JSON.
[[nodiscard]] SourcePtr createSource(const char* id, const std::string& settings);
void updateSource(obs_source_t* source, const std::string& settings);
/// What the source's page of properties says of its state.
[[nodiscard]] std::string statusOf(obs_source_t* source);

/// Shown as in a scene, as long as it lives.
class Showing {
public:
    explicit Showing(obs_source_t* source)
        : source_(source) {
        obs_source_inc_showing(source_);
    }
    Showing(const Showing&) = delete;
    Showing& operator=(const Showing&) = delete;
    ~Showing() { obs_source_dec_showing(source_); }

private:
    obs_source_t* source_;
};

} // namespace vgpuview::headless

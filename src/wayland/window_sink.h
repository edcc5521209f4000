// SPDX-License-Identifier: MIT
// A Wayland window as a sink: the guest's buffers go to the compositor as they are.
#pragma once

#include "base/log.h"
#include "base/mode_request.h"
#include "base/unique_fd.h"
#include "frame/frame_sink.h"
#include "gpu/gpu.h"
#include "input/hot_keys.h"
#include "input/input_sink.h"
#include "loop/event_loop.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace vgpuview {

/// How the guest's picture fills the window.
enum class ScaleMode {
    fit,      ///< as large as fits, aspect kept, black bars
    integer,  ///< a whole multiple of the guest's pixels; as fit where the window is smaller than the picture
    stretch,  ///< all of the window
    oneToOne, ///< a guest pixel is a screen pixel; what does not fit is cut off at the edges
};

enum class StartMode { windowed, fullScreen };

/// Whether the guest's resolution is that of its picture's place on the screen, where its vGPU takes an EDID.
enum class GuestResize {
    follow, ///< with each size that the user or the desktop gives the window
    fixed,  ///< the guest's own
};

/// Figures in a corner of the window, at the start; a hot key toggles them.
enum class StatisticsOverlay { hidden, shown };

enum class Latency {
    normal, ///< the vGPU is polled as soon as the compositor can take a frame
    low,    ///< as late as the compositor still takes it for its next refresh, where that can be learned
};

/// Whether the screen may change in the middle of a refresh, in full screen and where the compositor's user lets it.
enum class ScreenTearing { avoided, allowed };

enum class ZeroCopy {
    preferred, ///< a picture that the compositor cannot take as it is is copied
    required,  ///< such a picture ends the program with exit code 6
};

/// Who shows the guest's cursor.
enum class CursorChoice {
    automatic, ///< the host's pointer where it can stand for the guest's: that follows it, and the hot spot is known
    host,      ///< the host's pointer wherever the guest's follows it
    guest,     ///< a surface over the picture, where the guest has it
    none,      ///< nobody; the host's pointer is hidden too
};

/// The compositor: by name, as in $WAYLAND_DISPLAY; nothing: what the environment says; or a connected socket.
using WaylandDisplay = std::variant<std::monostate, std::string, UniqueFd>;

struct WindowOptions {
    ScaleMode scale = ScaleMode::fit;
    StartMode start = StartMode::windowed;
    CursorChoice cursor = CursorChoice::automatic;
    ZeroCopy zeroCopy = ZeroCopy::preferred;
    StatisticsOverlay overlay = StatisticsOverlay::hidden;
    Latency latency = Latency::normal;
    ScreenTearing tearing = ScreenTearing::avoided;
    GuestResize resize = GuestResize::follow;
    std::optional<ModeRequest> size = {}; ///< the guest's and the window's at the start, in device pixels
    std::string appId = "vgpu-view";      ///< the name of its desktop entry and icon
    std::string title = {};               ///< empty: the VM's name, else the source's
    WaylandDisplay display = {};
    InputSink* input = nullptr; ///< where events go; outlives the window. Null: nowhere
    HotKeys hotKeys = {};
    /// The screenshot key was pressed while the guest shows this; name is the VM's or the source's. May be empty.
    std::function<void(const Frame& frame, const std::string& name)> saveScreenshot = {};
};

/// One window with one guest's screen. F11 toggles full screen.
///
/// Asks for a frame whenever the compositor can take one, and for none while the window is hidden. What goes wrong
/// later (the compositor dies, zero copy is required and refused) ends the event loop with an Error; a window that the
/// user closes is told by FrameDemand::sinkClosed().
class WindowSink final : public FrameSink {
public:
    /// Connects and creates the window, which appears once the engine has asked the source for its first frame. Waits
    /// for the compositor's answers, at most a few seconds. Throws Error: exit code notFound where there is no
    /// compositor, notSupported where it lacks a protocol. The loop and the log outlive the sink.
    WindowSink(EventLoop& loop, Log& log, GpuFactory makeGpu, WindowOptions options);
    ~WindowSink() override;
    WindowSink(const WindowSink&) = delete;
    WindowSink& operator=(const WindowSink&) = delete;

    [[nodiscard]] std::string_view kind() const noexcept override { return "window"; }
    void attach(FrameDemand& demand) override;
    void show(const FrameUpdate& update) override;
    void forget(const Buffer& buffer) override;
    void sourceGone() override;
    [[nodiscard]] Nanoseconds pollInterval() const noexcept override;
    [[nodiscard]] SinkReport report() const override;

private:
    class Window;

    std::unique_ptr<Window> window_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What the user asked for on the command line.
#pragma once

#include "app/input_options.h"
#include "base/log.h"

#include <cstdint>
#include <optional>
#include <string>

#if VGPUVIEW_MONITOR
#include "monitor/monitor_options.h"
#endif
#if VGPUVIEW_STREAM
#include "pipewire/stream_sink.h"
#endif
#if VGPUVIEW_WINDOW
#include "wayland/window_sink.h"
#endif

namespace vgpuview {

enum class Command { list, probe, window, stream, monitor, shot, doctor };

enum class OutputFormat { text, json };
enum class AbsentSource { fail, waitFor };

/// One struct for all commands; a command reads what concerns it.
struct Options {
    Command command = Command::window;
    std::string source; ///< SOURCE as written, or empty: the only vGPU there is
    LogLevel logLevel = LogLevel::info;
    OutputFormat format = OutputFormat::text;

    std::optional<double> seconds;
    std::optional<std::uint64_t> frames;
    bool stats = false;
    std::string reportPath;
    AbsentSource absentSource = AbsentSource::fail;

    std::string picturePath; ///< shot
    bool pictureWithCursor = false;

    InputOptions input;      ///< window, monitor
    bool alsoStream = false; ///< a stream beside the command's own sink
#if VGPUVIEW_MONITOR
    MonitorOptions monitor;
#endif
#if VGPUVIEW_STREAM
    StreamOptions stream;
    bool alsoCamera = false; ///< a second node beside the stream's, as a camera
#endif
#if VGPUVIEW_WINDOW
    ScaleMode scale = ScaleMode::fit;
    StartMode start = StartMode::windowed;
    CursorChoice cursor = CursorChoice::automatic;
    ZeroCopy zeroCopy = ZeroCopy::preferred;
    StatisticsOverlay overlay = StatisticsOverlay::hidden;
    Latency latency = Latency::normal;
    ScreenTearing tearing = ScreenTearing::avoided;
    GuestResize resize = GuestResize::follow;
    std::optional<ModeRequest> size;
#endif
};

} // namespace vgpuview

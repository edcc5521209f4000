// SPDX-License-Identifier: MIT
// The sinks that a command line asks for.
#pragma once

#include "app/options.h"
#include "frame/frame_sink.h"
#include "input/input_sink.h"
#include "loop/event_loop.h"

#include <memory>
#include <vector>

namespace vgpuview {

/// The command's own sink first; it hands the user's events to input, which outlives it and may be null. Throws Error,
/// also for a sink that this build does not have.
[[nodiscard]] std::vector<std::unique_ptr<FrameSink>> makeSinks(const Options& options, EventLoop& loop, Log& log,
                                                                InputSink* input);

} // namespace vgpuview

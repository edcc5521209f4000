// SPDX-License-Identifier: MIT
// The report of a run, as JSON (design: times in microseconds, a key that a run can't know is null).
#pragma once

#include "forward/forwarder.h"
#include "frame/frame_sink.h"
#include "frame/frame_source.h"

#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace vgpuview {

/// Facts of a run that outlive its source.
struct RunFacts {
    SourceDescription source;
    SourceCounters sourceCounters;
    Nanoseconds duration{};
    ForwardCounters forward;
};

/// User plus system CPU time of the process so far.
[[nodiscard]] Nanoseconds processCpuTime() noexcept;

[[nodiscard]] nlohmann::ordered_json makeReport(const RunFacts& facts, std::span<const FrameSink* const> sinks);

} // namespace vgpuview

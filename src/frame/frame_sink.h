// SPDX-License-Identifier: MIT
// Where frames go: the contract of a window, a stream, a monitor.
#pragma once

#include "base/histogram.h"
#include "frame/frame.h"
#include "frame/frame_source.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vgpuview {

class FrameSink;

/// What a sink tells the engine about when it wants frames. Given to the sink by attach().
class FrameDemand {
public:
    virtual ~FrameDemand() = default;
    /// The sink takes one frame, not before notBefore (a past time: now). The engine polls then, and again at the
    /// sink's pollInterval() until there is something new, and calls show() once. Calling again moves notBefore.
    /// Where notBefore has passed, and unless it is called from within show(), show() may be called before it returns.
    virtual void frameWanted(FrameSink& sink, TimePoint notBefore) = 0;
    /// Hidden, suspended or paused: nothing is polled for this sink until it asks again.
    virtual void frameNotWanted(FrameSink& sink) = 0;
    /// The next wanted frame is to be shown whole, even if nothing changed since the last one (a resize, a new
    /// consumer).
    virtual void refreshWanted(FrameSink& sink) = 0;
    /// The sink is done for good, as when the user closed the window. The engine tells its owner.
    virtual void sinkClosed(FrameSink& sink) = 0;
    /// The guest should see this monitor. Kept for sources to come. With several sinks the first one to ask decides:
    /// a monitor has one EDID.
    virtual void setGuestMonitor(FrameSink& sink, const GuestMonitor& monitor) = 0;
};

/// A frame and what is new in it since the last one that this sink was shown.
struct FrameUpdate {
    const Frame& frame;
    const SourceDescription& source;
    std::span<const BufferRef> primaryBuffers; ///< as the source knows them
    Damage primaryDamage;       ///< pixels of the picture that differ from the last one shown, in whichever buffer
    bool primaryChanged = true; ///< false: only the cursor changed
    bool cursorChanged = true;  ///< image, position, hot spot, or came or went
    Nanoseconds pollDuration{}; ///< how long the source took to answer
};

/// A sink's part of the report. Times on CLOCK_MONOTONIC. A count that a sink can't know is empty, never guessed.
struct SinkReport {
    std::uint64_t commits = 0; ///< frames handed on
    std::optional<std::uint64_t> presented;
    std::optional<std::uint64_t> presentedZeroCopy;
    std::optional<std::uint64_t> dropped; ///< handed on but never seen: superseded, discarded, no free slot
    std::uint64_t bytesCopied = 0;        ///< by the CPU in this process
    std::uint64_t blits = 0;              ///< copies by the GPU
    std::uint64_t imports = 0;            ///< buffers that the receiver took
    std::uint64_t importFailures = 0;
    std::uint64_t reallocations = 0;
    DurationHistogram latency; ///< from queriedAt to presented, or to handed on where that is all that is known
    /// More facts, in order: name in snake_case and text or number.
    std::vector<std::pair<std::string, std::string>> details;
};

/// One output. All calls on the loop's thread; none blocks. The engine owns no sink; a sink is detached before it is
/// destroyed, and destroyed before the source whose buffers it holds.
class FrameSink {
public:
    virtual ~FrameSink() = default;

    /// "window", "stream", "monitor": the section's name in the report.
    [[nodiscard]] virtual std::string_view kind() const noexcept = 0;
    /// Called once, before anything else. The demand outlives the sink's use of it.
    virtual void attach(FrameDemand& demand) = 0;
    /// Shows the frame. It asks for the next one by frameWanted() when it can take it. An update without primary plane
    /// is "no picture". BufferRefs in the frame may be kept.
    virtual void show(const FrameUpdate& update) = 0;
    /// Free whatever belongs to this buffer as soon as it is no longer on screen.
    virtual void forget(const Buffer& buffer) = 0;
    /// The source ended: let go of every buffer before this returns; show "no picture" until the next show().
    virtual void sourceGone() = 0;
    /// How long to wait from now until the next poll, where the last one brought nothing new: the output's refresh
    /// interval, or until the time at which the sink can take a frame. Positive.
    [[nodiscard]] virtual Nanoseconds pollInterval() const noexcept = 0;
    [[nodiscard]] virtual SinkReport report() const = 0;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The engine: asks the source when a sink can take a frame, finds what changed, feeds the sinks, counts.
#pragma once

#include "base/histogram.h"
#include "frame/frame_sink.h"
#include "frame/frame_source.h"
#include "loop/scheduler.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace vgpuview {

struct ForwardCounters {
    std::uint64_t polls = 0;
    std::uint64_t guestFrames = 0; ///< changes of the primary plane seen
    DurationHistogram pollDuration;
};

/// What the owner of the engine hears. Each is called from the loop, never from within a source or a sink.
struct ForwardEvents {
    std::function<void()> sourceEnded = {};          ///< the sinks have already let go of it
    std::function<void(FrameSink&)> sinkClosed = {}; ///< the sink may be removed and destroyed
    std::function<void(FrameSink&)> frameShown = {};
};

/// Polls no more often than a sink can show, never while no sink wants a frame, once for all that want one at a time.
class Forwarder final : public FrameDemand, private FrameSourceObserver {
public:
    /// The scheduler outlives the engine.
    Forwarder(Scheduler& scheduler, ForwardEvents events);
    ~Forwarder() override;
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    /// The source is the caller's, who takes it away (nullptr) before it dies. Sinks let go of the old one's buffers
    /// first.
    void setSource(FrameSource* source);
    /// Sinks are the caller's, who removes them before they die.
    void addSink(FrameSink& sink);
    void removeSink(FrameSink& sink);

    void frameWanted(FrameSink& sink, TimePoint notBefore) override;
    void frameNotWanted(FrameSink& sink) override;
    void refreshWanted(FrameSink& sink) override;
    void sinkClosed(FrameSink& sink) override;
    void setGuestMonitor(FrameSink& sink, const GuestMonitor& monitor) override;

    [[nodiscard]] const ForwardCounters& counters() const noexcept { return counters_; }

private:
    /// What a sink was last shown of the cursor, without keeping its buffer alive.
    struct CursorState {
        BufferId buffer = 0; ///< 0: none
        Point position;
        std::optional<Point> hotSpot;
        friend bool operator==(const CursorState&, const CursorState&) = default;
    };
    struct Feed {
        FrameSink* sink;
        std::optional<TimePoint> wantedAt; ///< nothing: it wants no frame now
        bool refresh = true;
        bool primaryDirty = false;
        BufferId shownBuffer = 0;
        CursorState shownCursor;
        Damage damage;             ///< since the frame that was shown last
        bool damageUnknown = true; ///< more may have changed
    };

    void bufferRetired(const Buffer& buffer) override;
    void sourceEnded() override;

    [[nodiscard]] Feed* feedOf(const FrameSink& sink) noexcept;
    [[nodiscard]] bool anyDue(TimePoint now) const noexcept;
    void serve();
    void pollSource(TimePoint now);
    void showIfNew(Feed& feed, TimePoint now);
    void armTimer();
    void endSource();
    void announce();

    Scheduler& scheduler_;
    ForwardEvents events_;
    FrameSource* source_ = nullptr;
    std::vector<Feed> feeds_;
    std::unique_ptr<Timer> pollTimer_;
    std::unique_ptr<Timer> announceTimer_;
    std::vector<FrameSink*> closedSinks_;
    const FrameSink* monitorSink_ = nullptr; ///< which decides on the guest's monitor
    std::optional<GuestMonitor> monitor_;
    bool sourceHasEnded_ = false;
    bool serving_ = false;
    std::optional<TimePoint> lastFlip_;
    Size polledSize_; ///< of the last picture; empty: none
    Nanoseconds lastPollDuration_{};
    ForwardCounters counters_;
};

} // namespace vgpuview

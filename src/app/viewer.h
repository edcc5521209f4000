// SPDX-License-Identifier: MIT
// A run: one source, its sinks, the loop, until the user, the VM or a limit ends it.
#pragma once

#include "app/attached_input.h"
#include "app/options.h"
#include "app/report.h"
#include "app/report_file.h"
#include "base/error.h"
#include "base/log.h"
#include "forward/forwarder.h"
#include "loop/event_loop.h"
#include "sources/source_opener.h"

#include <memory>
#include <optional>
#include <vector>

namespace vgpuview {

class Viewer {
public:
    /// The log and the options outlive it. Throws Error where a source or a sink cannot be had.
    Viewer(const Options& options, Log& log);
    ~Viewer();
    Viewer(const Viewer&) = delete;
    Viewer& operator=(const Viewer&) = delete;

    /// Returns when the run is over; rethrows what ended it otherwise. The report is written either way.
    ExitCode run();

private:
    /// Opens it, or, where the user said so, arms the timer that tries again.
    void openSource();
    void sourceEnded();
    void sinkClosed(const FrameSink& sink);
    void frameShown(const FrameSink& sink);
    void printStatistics();
    void writeReport();
    /// Takes down what the report will say of the source, before it goes.
    void noteSource();

    struct Tally {
        std::uint64_t guestFrames = 0;
        std::uint64_t commits = 0;
        Nanoseconds cpu{};
    };

    const Options& options_;
    Log& log_;
    ReportFile report_;
    EventLoop loop_;
    SourceOpener opener_;
    std::unique_ptr<FrameSource> source_;
    Forwarder forwarder_;
    std::unique_ptr<AttachedInput> input_; ///< null where nothing is to be sent
    std::vector<std::unique_ptr<FrameSink>> sinks_;
    Watch interrupt_;
    Watch terminate_;
    std::unique_ptr<Timer> limitTimer_;
    std::unique_ptr<Timer> statisticsTimer_;
    std::unique_ptr<Timer> retryTimer_;
    TimePoint start_;
    std::uint64_t framesShown_ = 0;
    RunFacts facts_;
    SourceCounters endedSources_;
    Tally lastTally_;
    bool waitingSaid_ = false;
};

} // namespace vgpuview

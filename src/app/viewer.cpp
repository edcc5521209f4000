// SPDX-License-Identifier: MIT
// A run: one source, its sinks, the loop, until the user, the VM or a limit ends it.
#include "app/viewer.h"

#include "app/sink_factory.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace vgpuview {

using namespace std::chrono_literals;

namespace {

// How often an absent source is looked for; there is no event for a QEMU that opens its device.
constexpr Nanoseconds retryInterval = 500ms;

std::unique_ptr<AttachedInput> makeInput(const Options& options, EventLoop& loop, Log& log) {
    if (options.command == Command::stream || options.input.interaction == Interaction::viewOnly)
        return nullptr;
    return std::make_unique<AttachedInput>(options.input, HostPaths(), loop, log);
}

} // namespace

Viewer::Viewer(const Options& options, Log& log)
    : options_(options)
    , log_(log)
    , report_(options.reportPath)
    , opener_(loop_, log)
    , forwarder_(loop_, {.sourceEnded = [this] { sourceEnded(); },
                         .sinkClosed = [this](FrameSink& sink) { sinkClosed(sink); },
                         .frameShown = [this](FrameSink& sink) { frameShown(sink); }})
    , input_(makeInput(options, loop_, log))
    , interrupt_(loop_.watchSignal(SIGINT, [this] { loop_.quit(); }))
    , terminate_(loop_.watchSignal(SIGTERM, [this] { loop_.quit(); }))
    , limitTimer_(loop_.makeTimer([this] { loop_.quit(); }))
    , statisticsTimer_(loop_.makeTimer([this] { printStatistics(); }))
    , retryTimer_(loop_.makeTimer([this] { openSource(); })) {
    openSource();
    sinks_ = makeSinks(options_, loop_, log_, input_.get());
    for (const auto& sink : sinks_)
        forwarder_.addSink(*sink);
}

Viewer::~Viewer() {
    for (const auto& sink : sinks_)
        forwarder_.removeSink(*sink);
    sinks_.clear();
    forwarder_.setSource(nullptr);
}

ExitCode Viewer::run() {
    start_ = loop_.now();
    if (options_.seconds)
        limitTimer_->arm(start_ +
                         std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(*options_.seconds)));
    if (options_.stats)
        statisticsTimer_->arm(start_ + 1s);
    std::exception_ptr failure;
    try {
        loop_.run();
    } catch (...) {
        failure = std::current_exception();
    }
    noteSource();
    if (report_)
        writeReport();
    if (failure)
        std::rethrow_exception(failure);
    return ExitCode::done;
}

void Viewer::openSource() {
    try {
        source_ = opener_.open(options_.source);
    } catch (const Error& error) {
        const ExitCode code = error.exitCode();
        const bool mayCome = code == ExitCode::notFound || code == ExitCode::held;
        if (options_.absentSource == AbsentSource::fail || !mayCome)
            throw;
        if (!waitingSaid_)
            log_.info("waiting: {}", error.what());
        waitingSaid_ = true;
        retryTimer_->arm(loop_.now() + retryInterval);
        return;
    }
    waitingSaid_ = false;
    facts_.source = source_->description();
    forwarder_.setSource(source_.get());
    if (input_)
        input_->attach(facts_.source);
}

void Viewer::sourceEnded() {
    noteSource();
    endedSources_ = facts_.sourceCounters;
    log_.info("{}", source_->endReason());
    source_.reset();
    if (input_)
        input_->detach();
    if (options_.absentSource == AbsentSource::fail)
        loop_.quit();
    else
        retryTimer_->arm(loop_.now() + retryInterval);
}

void Viewer::sinkClosed(const FrameSink& sink) {
    // The first sink is the command's own; others only go along.
    if (!sinks_.empty() && &sink == sinks_.front().get())
        loop_.quit();
}

void Viewer::frameShown(const FrameSink& sink) {
    if (options_.frames && !sinks_.empty() && &sink == sinks_.front().get() && ++framesShown_ >= *options_.frames)
        loop_.quit();
}

void Viewer::noteSource() {
    if (!source_)
        return;
    const SourceCounters counters = source_->counters();
    facts_.sourceCounters.bytesCopied = endedSources_.bytesCopied + counters.bytesCopied;
    facts_.sourceCounters.reallocations = endedSources_.reallocations + counters.reallocations;
    facts_.sourceCounters.planesRejected = endedSources_.planesRejected + counters.planesRejected;
    facts_.source = source_->description();
}

void Viewer::printStatistics() {
    Tally tally{.guestFrames = forwarder_.counters().guestFrames, .cpu = processCpuTime()};
    DurationHistogram latency;
    for (const auto& sink : sinks_) {
        const SinkReport report = sink->report();
        tally.commits += report.commits;
        latency.merge(report.latency);
    }
    const auto percentiles = latency.percentiles();
    const std::string latencyText = percentiles ? fmt::format(", latency p50 {:.1f} ms p95 {:.1f} ms",
                                                              static_cast<double>(percentiles->p50.count()) / 1e6,
                                                              static_cast<double>(percentiles->p95.count()) / 1e6)
                                                : std::string();
    fmt::print(stderr, "guest {} frames/s, shown {}/s, CPU {:.2f} %{}\n", tally.guestFrames - lastTally_.guestFrames,
               tally.commits - lastTally_.commits, static_cast<double>((tally.cpu - lastTally_.cpu).count()) / 1e7,
               latencyText);
    lastTally_ = tally;
    statisticsTimer_->arm(loop_.now() + 1s);
}

void Viewer::writeReport() {
    facts_.duration = loop_.now() - start_;
    facts_.forward = forwarder_.counters();
    std::vector<const FrameSink*> sinks;
    sinks.reserve(sinks_.size());
    for (const auto& sink : sinks_)
        sinks.push_back(sink.get());
    report_.write(makeReport(facts_, sinks).dump(2) + "\n");
}

} // namespace vgpuview

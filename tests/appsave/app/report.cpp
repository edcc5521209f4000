// SPDX-License-Identifier: MIT
// The report of a run, as JSON.
#include "app/report.h"

#include <optional>
#include <sys/resource.h>
#include <utility>

namespace vgpuview {

using Json = nlohmann::ordered_json;

namespace {

double microseconds(Nanoseconds duration) noexcept {
    return static_cast<double>(duration.count()) / 1000.0;
}

Json percentilesOf(const DurationHistogram& histogram) {
    const std::optional<Percentiles> p = histogram.percentiles();
    if (!p)
        return nullptr;
    return {{"p50", microseconds(p->p50)},
            {"p95", microseconds(p->p95)},
            {"p99", microseconds(p->p99)},
            {"max", microseconds(p->max)}};
}

Json numberOrNull(const std::optional<std::uint64_t>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// A sum is known only if each part is.
void addKnown(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& part) {
    if (sum && part)
        *sum += *part;
    else
        sum.reset();
}

Json sectionOf(const SinkReport& report) {
    Json section = {{"commits", report.commits},
                    {"presented", numberOrNull(report.presented)},
                    {"presented_zero_copy", numberOrNull(report.presentedZeroCopy)},
                    {"dropped", numberOrNull(report.dropped)},
                    {"bytes_copied", report.bytesCopied},
                    {"blits", report.blits},
                    {"imports", report.imports},
                    {"import_failures", report.importFailures},
                    {"reallocations", report.reallocations},
                    {"latency_us", percentilesOf(report.latency)}};
    for (const auto& [name, value] : report.details)
        section[name] = value;
    return section;
}

} // namespace

Nanoseconds processCpuTime() noexcept {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto nanoseconds = [](const timeval& time) {
        return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    };
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

Json makeReport(const RunFacts& facts, std::span<const FrameSink* const> sinks) {
    SinkReport sum;
    sum.presented = sum.presentedZeroCopy = sum.dropped = 0;
    Json kinds = Json::array();
    Json sections = Json::object();
    for (const FrameSink* sink : sinks) {
        const SinkReport report = sink->report();
        kinds.push_back(sink->kind());
        sections[std::string(sink->kind())] = sectionOf(report);
        sum.commits += report.commits;
        addKnown(sum.presented, report.presented);
        addKnown(sum.presentedZeroCopy, report.presentedZeroCopy);
        addKnown(sum.dropped, report.dropped);
        sum.bytesCopied += report.bytesCopied;
        sum.blits += report.blits;
        sum.imports += report.imports;
        sum.importFailures += report.importFailures;
        sum.reallocations += report.reallocations;
        sum.latency.merge(report.latency);
    }
    Json report = {{"source",
                    {{"address", facts.source.address},
                     {"name", facts.source.name},
                     {"vm", facts.source.vmName.empty() ? Json(nullptr) : Json(facts.source.vmName)},
                     {"type", facts.source.type},
                     {"display", nameOf(facts.source.display)},
                     {"quirks", facts.source.quirks},
                     {"planes_rejected", facts.sourceCounters.planesRejected}}},
                   {"sinks", kinds},
                   {"seconds", static_cast<double>(facts.duration.count()) / 1e9},
                   {"polls", facts.forward.polls},
                   {"guest_frames", facts.forward.guestFrames},
                   {"commits", sum.commits},
                   {"presented", numberOrNull(sum.presented)},
                   {"presented_zero_copy", numberOrNull(sum.presentedZeroCopy)},
                   {"dropped", numberOrNull(sum.dropped)},
                   {"bytes_copied", facts.sourceCounters.bytesCopied + sum.bytesCopied},
                   {"blits", sum.blits},
                   {"cpu_us", microseconds(processCpuTime())},
                   {"poll_us", percentilesOf(facts.forward.pollDuration)},
                   {"latency_us", percentilesOf(sum.latency)},
                   {"imports", sum.imports},
                   {"import_failures", sum.importFailures},
                   {"reallocations", facts.sourceCounters.reallocations + sum.reallocations}};
    report.update(sections);
    return report;
}

} // namespace vgpuview

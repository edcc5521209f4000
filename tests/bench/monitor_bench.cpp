// SPDX-License-Identifier: MIT
// What a scanned-out frame costs at four sizes, on wlroots' headless backend: CPU time of the process, heap
// allocations of ours, bytes copied. Exit code 1 where a count is not 0, and with --strict where the time grows with
// the size.
#include "allocations.h"
#include "doubles/fake_source.h"
#include "doubles/recording_log.h"
#include "forward/forwarder.h"
#include "loop/event_loop.h"
#include "monitor/monitor_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace vgpuview {
namespace {

/// Three buffers in turn, one with each poll; the cursor stays away, since headless monitors may lack its plane.
class FlippingSource final : public FrameSource {
public:
    explicit FlippingSource(Size size) {
        for (BufferRef& buffer : buffers_)
            buffer = doubles::makeMemoryBuffer(size, BufferKind::dmaBuf);
        frame_.primary = Plane{.buffer = buffers_[0], .position = {}, .hotSpot = {}};
    }
    [[nodiscard]] const SourceDescription& description() const noexcept override { return description_; }
    void observe(FrameSourceObserver*) noexcept override {}
    PollResult poll() override {
        ++frame_.sequence;
        frame_.queriedAt = MonotonicClock().now();
        frame_.primary->buffer = buffers_[frame_.sequence % buffers_.size()];
        return {.status = PollStatus::ok,
                .primary = PrimaryChange::certain,
                .damage = Damage::all(buffers_[0]->layout().size)};
    }
    [[nodiscard]] const Frame& frame() const noexcept override { return frame_; }
    [[nodiscard]] SourceCounters counters() const noexcept override { return {}; }
    [[nodiscard]] std::string endReason() const override { return {}; }

private:
    SourceDescription description_{.address = "bench:", .name = "bench", .vmName = "", .type = "bench", .quirks = {}};
    std::array<BufferRef, 3> buffers_;
    Frame frame_;
};

double processMicroseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

struct Result {
    double microseconds = 0;
    double own = 0;
    double library = 0;
    bool untouched = false; ///< all scanned out, nothing copied
};

std::uint64_t detail(const SinkReport& report, std::string_view name) {
    for (const auto& [key, value] : report.details)
        if (key == name)
            return std::stoull(value);
    return 0;
}

Result measure(Size size, std::uint64_t frames) {
    EventLoop loop;
    doubles::RecordingLog log(LogLevel::error);
    FlippingSource source(size);
    // As fast as a headless monitor goes.
    MonitorSink sink(loop, log, {.mode = ModeRequest{.size = size, .refreshMilliHz = 1'000'000}});
    Forwarder engine(loop, {});
    engine.setSource(&source);
    engine.addSink(sink);
    const auto runFor = [&](std::uint64_t turns) {
        for (std::uint64_t i = 0; i < turns; ++i)
            loop.iterate(std::chrono::milliseconds(100));
    };
    // Imports, and the tables of the libraries, are made in the first frames.
    while (sink.report().commits < 100)
        runFor(1);
    const std::uint64_t before = sink.report().commits;
    double spent = 0;
    bench::Allocations allocations;
    std::uint64_t done = before;
    while (done < before + frames) {
        // The report itself is no part of a frame.
        const double start = processMicroseconds();
        bench::countAllocations(true);
        runFor(64);
        bench::countAllocations(false);
        spent += processMicroseconds() - start;
        const bench::Allocations added = bench::takeAllocations();
        allocations.own += added.own;
        allocations.library += added.library;
        done = sink.report().commits;
    }
    const SinkReport report = sink.report();
    const auto shown = static_cast<double>(done - before);
    const Result result{.microseconds = spent / shown,
                        .own = static_cast<double>(allocations.own) / shown,
                        .library = static_cast<double>(allocations.library) / shown,
                        .untouched = report.bytesCopied == 0 && report.blits == 0 && detail(report, "composed") == 0 &&
                                     detail(report, "scanned_out") == report.commits && report.imports == 3};
    engine.removeSink(sink);
    engine.setSource(nullptr);
    return result;
}

} // namespace
} // namespace vgpuview

int main(int argc, char** argv) {
    using namespace vgpuview;
    std::uint64_t frames = 3000;
    bool strict = false;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) == "--strict")
            strict = true;
        else
            frames = std::strtoull(argv[i], nullptr, 10);
    }
    ::setenv("WLR_BACKENDS", "headless", 1);
    ::setenv("WLR_HEADLESS_OUTPUTS", "1", 1);
    ::setenv("WLR_RENDERER", "pixman", 1);
    bool good = true;
    double least = 1e9;
    double most = 0;
    bench::setLibraries({"libwlroots", "libwayland", "libpixman", "libffi"});
    fmt::print("{:>11} {:>12} {:>16} {:>22} {:>12}\n", "size", "us/frame", "own allocations", "wlroots' allocations",
               "untouched");
    for (const Size size : {Size{640, 480}, Size{1280, 800}, Size{1920, 1080}, Size{3840, 2160}}) {
        // The least of three: what else runs on the machine only ever adds.
        Result result = measure(size, frames);
        for (unsigned again = 0; again < 2; ++again) {
            const Result other = measure(size, frames);
            result.microseconds = std::min(result.microseconds, other.microseconds);
            result.own = std::max(result.own, other.own);
            result.untouched = result.untouched && other.untouched;
        }
        fmt::print("{:>11} {:>12.2f} {:>16.4f} {:>22.2f} {:>12}\n", fmt::format("{}x{}", size.width, size.height),
                   result.microseconds, result.own, result.library, result.untouched ? "yes" : "NO");
        good = good && result.own == 0 && result.untouched;
        least = std::min(least, result.microseconds);
        most = std::max(most, result.microseconds);
    }
    fmt::print("largest / smallest: {:.3f} (goal 1.25)\n", most / least);
    if (strict)
        good = good && most / least <= 1.25;
    return good ? 0 : 1;
}

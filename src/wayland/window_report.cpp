// SPDX-License-Identifier: MIT
// What the window tells about itself: in the report, in the overlay, in the log.
#include "wayland/window.h"

#include <fmt/format.h>

namespace vgpuview {

SinkReport WindowSink::Window::report() const {
    const PresentationCounters& presentation = presentation_.counters();
    const ImportCounters& imports = imports_.counters();
    SinkReport report{.commits = commits_,
                      .presented = {},
                      .presentedZeroCopy = {},
                      .dropped = {},
                      .bytesCopied = bytesCopied_ + cursor_.bytesCopied(),
                      .blits = blits_.count(),
                      .imports = imports.imports,
                      .importFailures = imports.failures,
                      .latency = presentation.latency,
                      .details = {}};
    if (presentation_.known()) {
        report.presented = presentation.presented;
        report.presentedZeroCopy = presentation.zeroCopy;
        report.dropped = presentation.discarded;
    }
    report.details.emplace_back("route", nameOf(route_));
    report.details.emplace_back("latency_mode", options_.latency == Latency::low ? "low" : "normal");
    if (const auto lead = latePolling_.lead(loop_.now()))
        report.details.emplace_back("poll_lead_us", fmt::format("{}", lead->count() / 1000));
    return report;
}

OverlayFacts WindowSink::Window::overlayFacts() const {
    OverlayFacts facts{.picture = "no picture", .way = nameOf(route_), .input = "none"};
    if (frame_.primary) {
        const BufferLayout& layout = frame_.primary->buffer->layout();
        facts.picture =
            fmt::format("{}x{} {}, screen {:.0f} Hz", layout.size.width, layout.size.height,
                        vgpuview::nameOf(layout.format), 1e9 / static_cast<double>(outputs_.refreshInterval().count()));
    }
    if (route_ == Route::dmaBuf)
        facts.way = "the guest's dma-bufs";
    else if (!routeReason_.empty())
        facts.way += ": " + routeReason_;
    if (options_.input != nullptr && !options_.input->description().empty()) {
        const InputStatus& status = options_.input->status();
        facts.input = options_.input->description();
        if (status.state != InputState::ready)
            facts.input += status.reason.empty() ? " (connecting)" : " (off: " + status.reason + ")";
    }
    return facts;
}

void WindowSink::Window::takeRoute(Route route, const std::string& why) {
    if (route == route_)
        return;
    route_ = route;
    routeReason_ = why;
    const std::string format = vgpuview::nameOf(frame_.primary->buffer->layout().format);
    switch (route) {
    case Route::none:
        break;
    case Route::dmaBuf:
        log_.info("the window shows the guest's {} dma-bufs themselves", format);
        break;
    case Route::sharedMemory:
        log_.info("the window shows the guest's {} memory as it is", format);
        break;
    case Route::blit:
        log_.warning("the window shows copies of the guest's {} pictures made by the GPU: {}", format, why);
        break;
    case Route::copy:
        log_.warning("the window shows copies of the guest's {} pictures made by the CPU: {}", format, why);
        break;
    }
}

const char* WindowSink::Window::nameOf(Route route) noexcept {
    switch (route) {
    case Route::none:
        return "none";
    case Route::dmaBuf:
        return "dma-buf";
    case Route::sharedMemory:
        return "shared memory";
    case Route::blit:
        return "GPU copy";
    case Route::copy:
        return "copy";
    }
    return "none";
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The guest full screen on monitors, without a desktop.
#include "monitor/monitor_sink.h"

#include "base/error.h"
#include "monitor/notice.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vgpuview {

namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds pollIntervalWithoutMonitor = 1s;
constexpr Nanoseconds retryInterval = 50ms;
// How long monitors may take to ask for a picture after the session came back; some never would.
constexpr Nanoseconds frameWatchInterval = 2s;

// Calls a member function from a C callback: nothing may be thrown through wlroots.
template<typename Function>
void guarded(EventLoop& loop, Function&& function) noexcept {
    try {
        function();
    } catch (...) {
        loop.fail(std::current_exception());
    }
}

Error startFailure(const char* step) {
    return Error(ENODEV, {.operation = "start",
                          .object = "the monitor output",
                          .cause = fmt::format("wlroots can't make {}", step),
                          .hint = "run it on a text console with logind or seatd; for other places see wlroots' "
                                  "variable WLR_BACKENDS",
                          .exit = ExitCode::notSupported});
}

} // namespace

MonitorSink::MonitorSink(EventLoop& loop, Log& log, MonitorOptions options)
    : loop_(loop)
    , log_(log)
    , options_(std::move(options))
    , pollInterval_(pollIntervalWithoutMonitor)
    , failureLimit_(10s)
    , input_(options_.input, options_.hotKeys, static_cast<MonitorInputObserver&>(*this),
             [this](std::exception_ptr failure) { loop_.fail(std::move(failure)); })
    , retryTimer_(loop.makeTimer([this] { presentStale(); }))
    , frameWatchTimer_(loop.makeTimer([this] { watchFrames(); })) {
    if (!options_.waitingText.empty())
        noticeBuffer_ = makeNotice(options_.waitingText);
    if (noticeBuffer_)
        notice_ = std::make_unique<GuestBuffer>(noticeBuffer_);
    const monitor_host_events events{
        .data = this,
        .output_added =
            [](void* data, monitor_output* output) {
                auto* self = static_cast<MonitorSink*>(data);
                guarded(self->loop_, [&] { self->outputAdded(output); });
            },
        .session_changed =
            [](void* data, bool active) {
                auto* self = static_cast<MonitorSink*>(data);
                guarded(self->loop_, [&] { self->sessionChanged(active); });
            },
        .backend_gone =
            [](void* data) {
                auto* self = static_cast<MonitorSink*>(data);
                self->loop_.fail(
                    std::make_exception_ptr(Error(ENODEV, {.operation = "go on with",
                                                           .object = "the monitor output",
                                                           .cause = "its device or parent compositor is gone"})));
            },
        .input = input_.events(),
    };
    const char* failedStep = nullptr;
    host_.reset(monitor_host_create(
        &events, log_.enabled(LogLevel::debug) ? MONITOR_LOG_EVERYTHING : MONITOR_LOG_ERRORS, &failedStep));
    if (!host_)
        throw startFailure(failedStep);
    dispatch_ = loop_.watchFd(monitor_host_fd(host_.get()), EPOLLIN,
                              [this](std::uint32_t) { monitor_host_dispatch(host_.get()); });
    idle_ = loop_.beforeSleep([this] {
        monitor_host_run_idle(host_.get());
        goneOutputs_.clear();
    });
    if (!monitor_host_start(host_.get()))
        throw startFailure("use of the devices");
    if (outputs_.empty())
        log_.info("{}; waiting for {}",
                  options_.output.empty() ? "no monitor is connected"
                                          : fmt::format("no monitor {} is connected", options_.output),
                  options_.output.empty() ? "one" : "it");
}

MonitorSink::~MonitorSink() {
    demand_ = nullptr;
}

void MonitorSink::attach(FrameDemand& demand) {
    demand_ = &demand;
    monitorsChanged();
    for (const auto& output : outputs_)
        output->scheduleFrame();
}

void MonitorSink::outputAdded(monitor_output* handle) {
    const std::string_view name = monitor_output_name(handle);
    if (!monitor_output_is_desktop(handle))
        return;
    if (!options_.output.empty() && options_.output != name) {
        log_.info("monitor {} is not used", name);
        return;
    }
    auto output =
        std::make_unique<MonitorOutput>(handle, monitor_host_renders_by_cpu(host_.get()), options_, loop_, log_,
                                        static_cast<MonitorOutputObserver&>(*this),
                                        [this](std::exception_ptr failure) { loop_.fail(std::move(failure)); });
    // A buffer that one device could not import is never tried again by wlroots: give this one fresh ones.
    guestBuffers_.clear();
    outputs_.push_back(std::move(output));
    outputs_.back()->enable(guestSize());
    monitorsChanged();
}

void MonitorSink::outputResized(MonitorOutput&) {
    monitorsChanged();
}

void MonitorSink::outputGone(MonitorOutput& output) {
    const auto found = std::find_if(outputs_.begin(), outputs_.end(),
                                    [&](const auto& candidate) { return candidate.get() == &output; });
    if (found == outputs_.end())
        return;
    goneCounters_.add(output.counters());
    goneOutputs_.push_back(std::move(*found));
    outputs_.erase(found);
    if (!demand_)
        return;
    log_.info("monitor {} is gone{}", output.name(), outputs_.empty() ? "; waiting for another one" : "");
    monitorsChanged();
    if (outputs_.empty())
        demand_->frameNotWanted(*this);
}

void MonitorSink::monitorsChanged() {
    pollInterval_ = pollIntervalWithoutMonitor;
    for (const auto& output : outputs_) {
        pollInterval_ = std::min(pollInterval_, output->refreshInterval());
        // Monitors share what forbids scan-out, such as memory bandwidth.
        output->retryScanOut();
    }
    if (!demand_ || outputs_.empty() || options_.edid == MonitorEdid::fixed)
        return;
    if (const auto monitor = outputs_.front()->guestMonitor())
        demand_->setGuestMonitor(*this, *monitor);
}

void MonitorSink::sessionChanged(bool active) {
    active_ = active;
    input_.releaseAll();
    if (!active) {
        log_.info("the session is inactive: nothing is shown");
        frameWatchTimer_->disarm();
        if (demand_)
            demand_->frameNotWanted(*this);
        return;
    }
    log_.info("the session is active again");
    for (const auto& output : outputs_) {
        output->retryScanOut();
        output->markStale();
        output->markBusy();
        output->scheduleFrame();
    }
    frameWatchTimer_->arm(loop_.now() + frameWatchInterval);
}

void MonitorSink::watchFrames() {
    // By index: enabling a monitor may be what makes wlroots announce or drop another.
    for (std::size_t i = 0; i < outputs_.size(); ++i)
        if (outputs_[i]->isStale() && !outputs_[i]->isReady())
            outputs_[i]->enable(guestSize());
}

void MonitorSink::changeTerminal(unsigned number) {
    if (!monitor_host_change_terminal(host_.get(), number))
        log_.debug("there is no virtual terminal {} to change to", number);
}

void MonitorSink::hotKeyPressed(HotKeyAction action) {
    if (action == HotKeyAction::quit && demand_)
        demand_->sinkClosed(*this);
    else if (action == HotKeyAction::screenshot && options_.saveScreenshot)
        options_.saveScreenshot(current_, guestName_);
}

std::optional<GuestView> MonitorSink::guestView(std::string_view monitor) const {
    const MonitorOutput* found = nullptr;
    for (const auto& output : outputs_)
        if (!output->picturePlace().empty() && (!found || output->name() == monitor))
            found = output.get();
    if (!found)
        return std::nullopt;
    return GuestView{.monitor = found->size(), .place = found->picturePlace()};
}

void MonitorSink::outputReady(MonitorOutput& output) {
    if (!demand_ || !active_)
        return;
    // The guest first: what it shows now is better than what it showed before. Each monitor has its own time; the
    // earliest one decides.
    const TimePoint now = loop_.now();
    const TimePoint wanted = output.askAt();
    askedFor_ = askedFor_ && *askedFor_ > now ? std::min(*askedFor_, wanted) : wanted;
    demand_->frameWanted(*this, *askedFor_);
    if (output.isReady() && output.isStale())
        presentOn(output, {});
}

void MonitorSink::show(const FrameUpdate& update) {
    askedFor_.reset();
    current_ = update.frame;
    const std::string& name = update.source.vmName.empty() ? update.source.name : update.source.vmName;
    if (guestName_ != name)
        guestName_ = name;
    dropUnusedBuffers();
    const Rect damage = update.primaryDamage.bounds();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        MonitorOutput& output = *outputs_[i];
        // What a monitor missed is not in this frame's damage.
        const bool upToDate = !output.isStale();
        output.markStale();
        if (output.isReady() && active_)
            presentOn(output, upToDate ? damage : Rect{});
    }
}

void MonitorSink::presentOn(MonitorOutput& output, const Rect& damage) {
    MonitorPicture picture{.notice = notice_.get(), .damage = damage, .queriedAt = current_.queriedAt};
    picture.primary = guestBuffer(current_.primary);
    if (picture.primary)
        picture.cursor = guestBuffer(current_.cursor);
    if (picture.cursor)
        picture.cursorPosition = current_.cursor->position;
    if (output.present(picture) || output.isGone())
        return;
    if (const auto heldBack = failureLimit_.pass(loop_.now()))
        log_.warning("monitor {} did not take a picture; trying again ({} more such failures)", output.name(),
                     *heldBack);
    retryTimer_->arm(loop_.now() + retryInterval);
}

void MonitorSink::presentStale() {
    for (std::size_t i = 0; i < outputs_.size(); ++i)
        if (outputs_[i]->isReady() && outputs_[i]->isStale())
            outputReady(*outputs_[i]);
}

GuestBuffer* MonitorSink::guestBuffer(const std::optional<Plane>& plane) {
    if (!plane)
        return nullptr;
    std::unique_ptr<GuestBuffer>& slot = guestBuffers_[plane->buffer->id()];
    if (!slot) {
        slot = std::make_unique<GuestBuffer>(plane->buffer);
        ++imports_;
    }
    return slot.get();
}

std::optional<Size> MonitorSink::guestSize() const noexcept {
    return current_.primary ? std::optional(current_.primary->buffer->layout().size) : std::nullopt;
}

void MonitorSink::forget(const Buffer& buffer) {
    retiredBuffers_.push_back(buffer.id());
    dropUnusedBuffers();
}

void MonitorSink::dropUnusedBuffers() {
    const auto isCurrent = [this](BufferId id) {
        return (current_.primary && current_.primary->buffer->id() == id) ||
               (current_.cursor && current_.cursor->buffer->id() == id);
    };
    std::erase_if(retiredBuffers_, [&](BufferId id) {
        if (isCurrent(id))
            return false;
        guestBuffers_.erase(id);
        return true;
    });
}

void MonitorSink::sourceGone() {
    current_ = {};
    retiredBuffers_.clear();
    guestBuffers_.clear();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        outputs_[i]->markStale();
        if (outputs_[i]->isReady() && active_)
            presentOn(*outputs_[i], {});
    }
}

SinkReport MonitorSink::report() const {
    MonitorCounters sum = goneCounters_;
    std::string names;
    std::size_t variableRefresh = 0; // monitors
    for (const auto& output : outputs_) {
        variableRefresh += output->hasVariableRefresh() ? 1 : 0;
        sum.add(output->counters());
        names += fmt::format("{}{} {}x{}", names.empty() ? "" : ", ", output->name(), output->size().width,
                             output->size().height);
    }
    SinkReport report;
    report.commits = sum.scannedOut + sum.composed;
    report.presented = sum.presented;
    report.presentedZeroCopy = sum.presentedZeroCopy;
    report.dropped = sum.dropped;
    report.bytesCopied = sum.bytesCopied;
    report.blits = sum.blits;
    report.imports = imports_;
    report.importFailures = sum.refusedImports;
    report.latency = sum.latency;
    report.details = {{"wlroots", monitor_wlroots_version()},
                      {"monitors", names},
                      {"scanned_out", std::to_string(sum.scannedOut)},
                      {"composed", std::to_string(sum.composed)},
                      {"scan_out_refused", std::to_string(sum.refusedScanOuts)},
                      {"commit_failures", std::to_string(sum.failedCommits)},
                      {"cursor_plane", std::to_string(sum.cursorOnPlane)},
                      {"cursor_plane_rendered", std::to_string(sum.cursorRendered)},
                      {"mode_changes", std::to_string(sum.modeChanges)},
                      {"variable_refresh", std::to_string(variableRefresh)}};
    return report;
}

} // namespace vgpuview

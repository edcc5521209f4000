// SPDX-License-Identifier: MIT
// The guest full screen on monitors, without a desktop.
#pragma once

#include "base/log.h"
#include "frame/frame_sink.h"
#include "loop/event_loop.h"
#include "monitor/monitor_input.h"
#include "monitor/monitor_options.h"
#include "monitor/monitor_output.h"
#include "monitor/wlroots.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace vgpuview {

/// Shows the guest on every monitor, or on a chosen one, by wlroots: on a text console through DRM, or nested in
/// another compositor, or headless, as wlroots' own variables say (WLR_BACKENDS and others). No monitor is no error: it
/// waits. The guest's buffer is scanned out where the monitor takes it; else wlroots' renderer composes the picture.
class MonitorSink final : public FrameSink, private MonitorOutputObserver, private MonitorInputObserver {
public:
    /// Opens session, devices and monitors. Loop and log outlive it. Throws Error.
    MonitorSink(EventLoop& loop, Log& log, MonitorOptions options);
    MonitorSink(const MonitorSink&) = delete;
    MonitorSink& operator=(const MonitorSink&) = delete;
    ~MonitorSink() override;

    [[nodiscard]] std::string_view kind() const noexcept override { return "monitor"; }
    void attach(FrameDemand& demand) override;
    void show(const FrameUpdate& update) override;
    void forget(const Buffer& buffer) override;
    void sourceGone() override;
    [[nodiscard]] Nanoseconds pollInterval() const noexcept override { return pollInterval_; }
    [[nodiscard]] SinkReport report() const override;

    /// Monitors in use.
    [[nodiscard]] std::size_t outputCount() const noexcept { return outputs_.size(); }

private:
    struct HostDeleter {
        void operator()(monitor_host* host) const noexcept { monitor_host_destroy(host); }
    };

    void outputReady(MonitorOutput& output) override;
    void outputResized(MonitorOutput& output) override;
    void outputGone(MonitorOutput& output) override;
    void changeTerminal(unsigned number) override;
    void hotKeyPressed(HotKeyAction action) override;
    [[nodiscard]] std::optional<GuestView> guestView(std::string_view monitor) const override;

    void outputAdded(monitor_output* handle);
    void sessionChanged(bool active);
    void monitorsChanged();
    void presentOn(MonitorOutput& output, const Rect& damage);
    void presentStale();
    void watchFrames();
    [[nodiscard]] GuestBuffer* guestBuffer(const std::optional<Plane>& plane);
    [[nodiscard]] std::optional<Size> guestSize() const noexcept;
    void dropUnusedBuffers();

    EventLoop& loop_;
    Log& log_;
    MonitorOptions options_;
    FrameDemand* demand_ = nullptr;
    bool active_ = true;
    std::optional<TimePoint> askedFor_; ///< the time of the frame that was asked for and not shown yet
    Nanoseconds pollInterval_;
    RateLimit failureLimit_;
    Frame current_; ///< keeps the buffers alive while they are on screen
    std::string guestName_;
    BufferRef noticeBuffer_;
    std::unique_ptr<GuestBuffer> notice_;
    std::unordered_map<BufferId, std::unique_ptr<GuestBuffer>> guestBuffers_;
    std::vector<BufferId> retiredBuffers_; ///< still shown, to be dropped when no longer so
    std::uint64_t imports_ = 0;
    MonitorCounters goneCounters_; ///< of monitors that went away
    MonitorInput input_;
    std::vector<std::unique_ptr<MonitorOutput>> outputs_;
    std::vector<std::unique_ptr<MonitorOutput>> goneOutputs_; ///< until the callback that told of it has returned
    std::unique_ptr<monitor_host, HostDeleter> host_;         ///< goes first: its end is the outputs' end
    std::unique_ptr<Timer> retryTimer_;
    std::unique_ptr<Timer> frameWatchTimer_;
    Watch dispatch_;
    Watch idle_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A PipeWire video source as a sink: consumers get the guest's own buffers.
#pragma once

#include "base/log.h"
#include "frame/frame_sink.h"
#include "gpu/gpu.h"
#include "loop/event_loop.h"
#include "pipewire/stream_options.h"

#include <memory>

namespace vgpuview {

/// One node in the PipeWire graph that shows one guest's screen. It appears with the first frame of the source; the log
/// then tells the object.serial to connect to, and so does the report.
///
/// While nobody takes frames nothing is polled and no timer runs. The first consumer chooses the format for all.
class StreamSink final : public FrameSink {
public:
    /// Connects to the daemon; waits for its answers, at most a few seconds. Throws Error: exit code notFound where no
    /// daemon listens, notPermitted where it refuses, held where another node has the name. The loop and the log
    /// outlive the sink.
    StreamSink(EventLoop& loop, Log& log, GpuFactory makeGpu, StreamOptions options);
    ~StreamSink() override;
    StreamSink(const StreamSink&) = delete;
    StreamSink& operator=(const StreamSink&) = delete;

    [[nodiscard]] std::string_view kind() const noexcept override { return "stream"; }
    void attach(FrameDemand& demand) override;
    void show(const FrameUpdate& update) override;
    void forget(const Buffer& buffer) override;
    void sourceGone() override;
    [[nodiscard]] Nanoseconds pollInterval() const noexcept override;
    [[nodiscard]] SinkReport report() const override;

private:
    class Stream;

    std::unique_ptr<Stream> stream_;
};

} // namespace vgpuview

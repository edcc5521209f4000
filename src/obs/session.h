// SPDX-License-Identifier: MIT
// An open origin with all that it needs to run: handed from thread to thread as a whole.
#pragma once

#include "base/log.h"
#include "frame/frame_source.h"
#include "loop/event_loop.h"
#include "obs/capture_settings.h"
#include "sources/source_opener.h"
#if VGPUVIEW_STREAM
#include "pipewire/node_source.h"
#endif

#include <memory>

namespace vgpuview {

/// One thread uses it at a time. It is made and destroyed where blocking does no harm, and polled in between on OBS'
/// graphics thread; whoever hands it on synchronises.
class Session {
public:
    /// May block as long as opening a device takes, and enters OBS' graphics context for a moment. The log outlives it.
    /// Throws Error.
    Session(const Origin& origin, Log& log);

    [[nodiscard]] FrameSource& source() noexcept { return *source_; }
    /// Handles what is due, without waiting. Rethrows what a handler threw.
    void iterate() { loop_.iterate(Nanoseconds::zero()); }
    /// Whether frames are wanted for now; at first they are. A node is told, a device is just not polled.
    void setShowing(bool showing);

private:
    [[nodiscard]] std::unique_ptr<FrameSource> open(const Origin& origin, Log& log);

    EventLoop loop_;
    SourceOpener opener_;
    bool showing_ = true;
#if VGPUVIEW_STREAM
    NodeSource* node_ = nullptr; ///< source_, if it is one
#endif
    std::unique_ptr<FrameSource> source_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// An open origin with all that it needs to run: handed from thread to thread as a whole.
#pragma once

#include "base/log.h"
#include "frame/frame_source.h"
#include "loop/event_loop.h"
#include "obs/capture_settings.h"
#include "sources/source_opener.h"

#include <memory>

namespace vgpuview {

/// One thread uses it at a time. It is made and destroyed where blocking does no harm, and polled in between on OBS'
/// graphics thread; whoever hands it on synchronises.
class Session {
public:
    /// May block as long as opening a device takes. The log outlives it. Throws Error.
    Session(const Origin& origin, Log& log);

    [[nodiscard]] FrameSource& source() noexcept { return *source_; }
    /// Handles what is due, without waiting. Rethrows what a handler threw.
    void iterate() { loop_.iterate(Nanoseconds::zero()); }

private:
    EventLoop loop_;
    SourceOpener opener_;
    std::unique_ptr<FrameSource> source_;
};

} // namespace vgpuview

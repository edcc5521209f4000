// SPDX-License-Identifier: MIT
// From SOURCE, as the user wrote it, to a frame source.
#pragma once

#include "base/log.h"
#include "frame/frame_source.h"
#include "loop/event_loop.h"
#include "vfio/address.h"
#include "vfio/host_paths.h"
#include "vfio/io.h"

#include <memory>
#include <string>

namespace vgpuview {

/// Empty text is the only vGPU of the host. Throws Error: wrong syntax, none (3), several (usage, with a list).
[[nodiscard]] SourceAddress resolveAddress(const std::string& text, const HostPaths& paths);

class SourceOpener {
public:
    /// Both outlive the opener, and the opener outlives the sources it opens.
    SourceOpener(EventLoop& loop, Log& log);

    /// address: as in the manual's SOURCE. Throws Error.
    [[nodiscard]] std::unique_ptr<FrameSource> open(const std::string& address);

private:
    EventLoop& loop_;
    Log& log_;
    HostPaths paths_;
    SystemVfioIo io_;
};

} // namespace vgpuview

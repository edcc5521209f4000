// SPDX-License-Identifier: MIT
// Opens a vGPU as a source of frames.
#pragma once

#include "base/log.h"
#include "frame/frame_source.h"
#include "loop/event_loop.h"
#include "vfio/address.h"
#include "vfio/host_paths.h"
#include "vfio/io.h"

#include <memory>

namespace vgpuview {

/// Opens the device that the address names, in whichever way this host offers, and takes its lock. paths are copied;
/// io, loop and log outlive the source. Throws Error: not found (3), not permitted (4), held by another (5), no display
/// that can be shown (6), each with a hint. A TestAddress is refused as wrong usage.
[[nodiscard]] std::unique_ptr<FrameSource> openVfioSource(const SourceAddress& address, const HostPaths& paths,
                                                          VfioIo& io, EventLoop& loop, Log& log);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What users choose of a stream.
#pragma once

#include <cstdint>
#include <string>

namespace vgpuview {

/// What applications take the node for.
enum class StreamRole {
    screen, ///< a screen that is shared: the guest's buffers as they are
    camera, ///< a camera: copies in YUY2, which every application that knows cameras takes
};

enum class CursorMode {
    metadata, ///< beside the picture; the consumer draws it
    embedded, ///< drawn into copies of the picture
    hidden,
};

enum class Tearing {
    allowed, ///< consumers read what the guest may be drawing
    avoided, ///< they get copies
};

enum class DaemonLoss {
    reconnect, ///< wait until the daemon is back
    exit,      ///< end the event loop with an Error
};

struct StreamOptions {
    std::string nodeName = {};    ///< empty: "vgpu-view." and the source's name, and ".camera" for one
    std::string description = {}; ///< what users read in lists; empty: the VM's name and the vGPU's type
    std::uint32_t maxFps = 60;    ///< at least 1
    StreamRole role = StreamRole::screen;
    CursorMode cursor = CursorMode::metadata;
    Tearing tearing = Tearing::allowed;
    DaemonLoss daemonLoss = DaemonLoss::reconnect;
};

} // namespace vgpuview

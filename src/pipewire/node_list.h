// SPDX-License-Identifier: MIT
// The video that other programs offer through PipeWire.
#pragma once

#include <string>
#include <vector>

namespace vgpuview {

/// A node that gives video.
struct VideoNode {
    std::string name;        ///< node.name: the same after a restart of its program
    std::string description; ///< for people, or empty
};

/// Asks the daemon; waits for its answer at most a second. Throws Error where no daemon answers.
[[nodiscard]] std::vector<VideoNode> listVideoNodes();

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What is missing or forbidden on this host for a vGPU's screen to be seen.
#pragma once

#include "base/finding.h"
#include "vfio/address.h"
#include "vfio/host_paths.h"
#include "vfio/io.h"

#include <optional>
#include <vector>

namespace vgpuview {

/// Looks at kernel modules, devices, device nodes and rights; for the source named, or for all devices. Opens no vGPU.
[[nodiscard]] std::vector<Finding> examineHost(const HostPaths& paths, VfioIo& io,
                                               const std::optional<SourceAddress>& source);

} // namespace vgpuview

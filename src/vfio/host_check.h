// SPDX-License-Identifier: MIT
// What is missing or forbidden on this host for a vGPU's screen to be seen.
#pragma once

#include "vfio/address.h"
#include "vfio/host_paths.h"
#include "vfio/io.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

enum class Severity {
    ok,      ///< as it should be
    note,    ///< a way that this host does not have; another serves
    warning, ///< some uses fail
    problem, ///< nothing can be shown until it is mended
};
[[nodiscard]] std::string_view nameOf(Severity severity) noexcept;

struct Finding {
    Severity severity = Severity::ok;
    std::string text; ///< one line
    std::string cure; ///< the command that mends it, or a sentence; empty where there is nothing to do
};

/// Looks at kernel modules, devices, device nodes and rights; for the source named, or for all devices. Opens no vGPU.
[[nodiscard]] std::vector<Finding> examineHost(const HostPaths& paths, VfioIo& io,
                                               const std::optional<SourceAddress>& source);

} // namespace vgpuview

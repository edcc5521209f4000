// SPDX-License-Identifier: MIT
// vgpu-view doctor: what is missing or forbidden on this host, and the cure.
#include "app/commands.h"
#include "vfio/host_check.h"
#include "vfio/io.h"
#if VGPUVIEW_WINDOW
#include "wayland/compositor_check.h"
#endif

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace vgpuview {

namespace {

using Json = nlohmann::ordered_json;

} // namespace

ExitCode runDoctor(const Options& options) {
    const HostPaths paths;
    SystemVfioIo io;
    std::optional<SourceAddress> source;
    if (!options.source.empty())
        source = parseSourceAddress(options.source);
    std::vector<Finding> findings = examineHost(paths, io, source);
#if VGPUVIEW_WINDOW
    for (Finding& finding : examineCompositor())
        findings.push_back(std::move(finding));
#endif
    if (options.format == OutputFormat::json) {
        Json list = Json::array();
        for (const Finding& finding : findings)
            list.push_back({{"severity", nameOf(finding.severity)},
                            {"text", finding.text},
                            {"cure", finding.cure.empty() ? Json(nullptr) : Json(finding.cure)}});
        fmt::print("{}\n", list.dump(2));
    } else {
        for (const Finding& finding : findings) {
            fmt::print("{:<8} {}\n", nameOf(finding.severity), finding.text);
            if (!finding.cure.empty())
                fmt::print("         cure: {}\n", finding.cure);
        }
    }
    const bool ill = std::any_of(findings.begin(), findings.end(),
                                 [](const Finding& finding) { return finding.severity == Severity::problem; });
    return ill ? ExitCode::failed : ExitCode::done;
}

} // namespace vgpuview

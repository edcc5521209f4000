// SPDX-License-Identifier: MIT
// Which of a monitor's modes to use.
#include "monitor/mode.h"

#include <algorithm>

namespace vgpuview {

namespace {

std::uint32_t distance(std::uint32_t a, std::uint32_t b) noexcept {
    return a > b ? a - b : b - a;
}

} // namespace

std::optional<std::size_t> findMode(std::span<const MonitorMode> modes, const ModeRequest& request) noexcept {
    std::optional<std::size_t> best;
    const auto better = [&](const MonitorMode& a, const MonitorMode& b) {
        if (!request.refreshMilliHz)
            return a.refreshMilliHz > b.refreshMilliHz;
        return distance(a.refreshMilliHz, *request.refreshMilliHz) <
               distance(b.refreshMilliHz, *request.refreshMilliHz);
    };
    for (std::size_t i = 0; i < modes.size(); ++i)
        if (modes[i].size == request.size && (!best || better(modes[i], modes[*best])))
            best = i;
    return best;
}

std::optional<std::size_t> modeForPicture(std::span<const MonitorMode> modes, std::optional<Size> picture) noexcept {
    if (modes.empty())
        return std::nullopt;
    const auto found = std::find_if(modes.begin(), modes.end(), [](const MonitorMode& mode) { return mode.preferred; });
    const std::size_t preferred = found == modes.end() ? 0 : static_cast<std::size_t>(found - modes.begin());
    if (!picture || modes[preferred].size == *picture)
        return preferred;
    const auto exact = findMode(modes, {.size = *picture, .refreshMilliHz = modes[preferred].refreshMilliHz});
    return exact ? exact : preferred;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Which of a monitor's modes to use.
#include "monitor/mode.h"

#include <algorithm>
#include <charconv>

namespace vgpuview {

namespace {

constexpr std::uint32_t maxExtent = 16384;
constexpr double maxHertz = 1000;

std::optional<std::uint32_t> parseExtent(std::string_view text) noexcept {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > maxExtent)
        return std::nullopt;
    return value;
}

std::optional<std::uint32_t> parseHertz(std::string_view text) noexcept {
    double hertz = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hertz, std::chars_format::fixed);
    if (error != std::errc() || end != text.data() + text.size() || !(hertz > 0) || hertz > maxHertz)
        return std::nullopt;
    const auto milliHertz = static_cast<std::uint32_t>(hertz * 1000 + 0.5);
    return milliHertz > 0 ? std::optional(milliHertz) : std::nullopt;
}

std::uint32_t distance(std::uint32_t a, std::uint32_t b) noexcept {
    return a > b ? a - b : b - a;
}

} // namespace

std::optional<ModeRequest> parseMode(std::string_view text) noexcept {
    ModeRequest request;
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
        request.refreshMilliHz = parseHertz(text.substr(at + 1));
        if (!request.refreshMilliHz)
            return std::nullopt;
        text = text.substr(0, at);
    }
    const std::size_t cross = text.find('x');
    if (cross == std::string_view::npos)
        return std::nullopt;
    const auto width = parseExtent(text.substr(0, cross));
    const auto height = parseExtent(text.substr(cross + 1));
    if (!width || !height)
        return std::nullopt;
    request.size = {*width, *height};
    return request;
}

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

// SPDX-License-Identifier: MIT
// A mode as the user asks for it: size and refresh rate.
#include "base/mode_request.h"

#include <charconv>
#include <cmath>

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
    const auto milliHertz = static_cast<std::uint32_t>(std::lround(hertz * 1000));
    return milliHertz > 0 ? std::optional(milliHertz) : std::nullopt;
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

} // namespace vgpuview

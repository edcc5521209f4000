// SPDX-License-Identifier: MIT
// Where messages go; handed to whoever has something to say.
#include "base/log.h"

#include <array>
#include <iterator>
#include <utility>

namespace vgpuview {

namespace {
constexpr std::array<std::string_view, 4> levelNames{"error", "warning", "info", "debug"};
}

std::optional<LogLevel> logLevelFromName(std::string_view name) noexcept {
    for (std::size_t i = 0; i < levelNames.size(); ++i)
        if (levelNames[i] == name)
            return static_cast<LogLevel>(i);
    return {};
}

std::string_view nameOf(LogLevel level) noexcept {
    return levelNames[static_cast<std::size_t>(level)];
}

void Log::print(LogLevel level, fmt::string_view format, fmt::format_args args) {
    if (!enabled(level))
        return;
    fmt::memory_buffer message;
    fmt::vformat_to(std::back_inserter(message), format, args);
    write(level, {message.data(), message.size()});
}

void StreamLog::write(LogLevel level, std::string_view message) {
    const std::string_view prefix = level == LogLevel::warning ? "warning: "
                                    : level == LogLevel::debug ? "debug: "
                                                               : "";
    // One call, so that lines of several threads or processes do not mix.
    std::fprintf(stream_, "vgpu-view: %.*s%.*s\n", static_cast<int>(prefix.size()), prefix.data(),
                 static_cast<int>(message.size()), message.data());
    std::fflush(stream_);
}

std::optional<unsigned> RateLimit::pass(TimePoint now) noexcept {
    if (last_ && now - *last_ < interval_) {
        ++heldBack_;
        return {};
    }
    last_ = now;
    return std::exchange(heldBack_, 0U);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Where messages go; handed to whoever has something to say.
#pragma once

#include "base/clock.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string_view>

namespace vgpuview {

enum class LogLevel { error, warning, info, debug };

/// Parses "error", "warning", "info", "debug".
[[nodiscard]] std::optional<LogLevel> logLevelFromName(std::string_view name) noexcept;
[[nodiscard]] std::string_view nameOf(LogLevel level) noexcept;

/// A destination for messages of one line each. Formatting is skipped below the threshold.
class Log {
public:
    explicit Log(LogLevel threshold) noexcept
        : threshold_(threshold) {}
    virtual ~Log() = default;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    [[nodiscard]] bool enabled(LogLevel level) const noexcept { return level <= threshold_; }

    template<typename... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) {
        print(LogLevel::error, format, fmt::make_format_args(args...));
    }
    template<typename... Args>
    void warning(fmt::format_string<Args...> format, Args&&... args) {
        print(LogLevel::warning, format, fmt::make_format_args(args...));
    }
    template<typename... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) {
        print(LogLevel::info, format, fmt::make_format_args(args...));
    }
    template<typename... Args>
    void debug(fmt::format_string<Args...> format, Args&&... args) {
        print(LogLevel::debug, format, fmt::make_format_args(args...));
    }

protected:
    /// One message, no newline at its end. Must not throw.
    virtual void write(LogLevel level, std::string_view message) = 0;

private:
    void print(LogLevel level, fmt::string_view format, fmt::format_args args);

    LogLevel threshold_;
};

/// Writes `vgpu-view: MESSAGE` lines to a stdio stream that outlives it.
class StreamLog final : public Log {
public:
    StreamLog(std::FILE* stream, LogLevel threshold) noexcept
        : Log(threshold)
        , stream_(stream) {}

protected:
    void write(LogLevel level, std::string_view message) override;

private:
    std::FILE* stream_;
};

/// Lets a recurring message through once per interval and counts what it held back.
class RateLimit {
public:
    explicit RateLimit(Nanoseconds interval) noexcept
        : interval_(interval) {}

    /// The number of messages held back since the last one that passed, or nothing if this one is held back too.
    [[nodiscard]] std::optional<unsigned> pass(TimePoint now) noexcept;

private:
    Nanoseconds interval_;
    std::optional<TimePoint> last_;
    unsigned heldBack_ = 0;
};

} // namespace vgpuview

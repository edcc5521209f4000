// SPDX-License-Identifier: MIT
// Messages to OBS' log.
#include "obs/obs_log.h"

#include <obs-module.h>

namespace vgpuview {

namespace {

int levelOf(LogLevel level) noexcept {
    switch (level) {
    case LogLevel::error:
        return LOG_ERROR;
    case LogLevel::warning:
        return LOG_WARNING;
    case LogLevel::info:
        return LOG_INFO;
    case LogLevel::debug:
        return LOG_DEBUG;
    }
    return LOG_INFO;
}

} // namespace

void ObsLog::write(LogLevel level, std::string_view message) {
    blog(levelOf(level), "[vgpu-capture] '%s': %.*s", obs_source_get_name(source_), static_cast<int>(message.size()),
         message.data());
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A log that keeps what it is told.
#pragma once

#include "base/log.h"

#include <string>
#include <vector>

namespace vgpuview::doubles {

class RecordingLog final : public Log {
public:
    explicit RecordingLog(LogLevel threshold)
        : Log(threshold) {}

    std::vector<std::string> lines; ///< one message each

protected:
    void write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
};

} // namespace vgpuview::doubles

// SPDX-License-Identifier: MIT
// Messages to OBS' log.
#pragma once

#include "base/log.h"

#include <string>

struct obs_source;

namespace vgpuview {

/// One line each, with the name of the source that has something to say. Any thread.
class ObsLog final : public Log {
public:
    /// The source outlives the log.
    explicit ObsLog(obs_source* source) noexcept
        : Log(LogLevel::info)
        , source_(source) {}

protected:
    void write(LogLevel level, std::string_view message) override;

private:
    obs_source* source_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// How the monitor sink is to behave.
#pragma once

#include "monitor/mode.h"
#include "monitor/placement.h"

#include <optional>
#include <string>

namespace vgpuview {

enum class VariableRefresh { off, on };

struct MonitorOptions {
    std::optional<ModeRequest> mode = {};                   ///< nothing: the guest's size where the monitor has it
    std::string output = {};                                ///< the one monitor to use ("HDMI-A-1"); empty: all
    MonitorScale scale = MonitorScale::fit;                 ///< for a guest of another size
    VariableRefresh variableRefresh = VariableRefresh::off; ///< on: where the monitor has it
    std::string waitingText = "The guest shows no picture"; ///< empty: nothing but black
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// How the monitor sink is to behave.
#pragma once

#include "frame/frame.h"
#include "input/hot_keys.h"
#include "input/input_sink.h"
#include "monitor/mode.h"
#include "monitor/placement.h"

#include <functional>
#include <optional>
#include <string>

namespace vgpuview {

enum class VariableRefresh { off, on };

/// Which monitor the guest believes to have, where its vGPU takes an EDID.
enum class MonitorEdid {
    follow, ///< the first one in use, in its native mode or the one that was asked for
    fixed,  ///< the guest's own
};

struct MonitorOptions {
    std::optional<ModeRequest> mode = {};                   ///< nothing: the guest's size where the monitor has it
    std::string output = {};                                ///< the one monitor to use ("HDMI-A-1"); empty: all
    MonitorScale scale = MonitorScale::fit;                 ///< for a guest of another size
    VariableRefresh variableRefresh = VariableRefresh::off; ///< on: where the monitor has it
    MonitorEdid edid = MonitorEdid::follow;
    std::string waitingText = "The guest shows no picture"; ///< empty: nothing but black
    InputSink* input = nullptr; ///< where the session's events go; outlives the sink. Null: nowhere
    HotKeys hotKeys = {};
    /// The screenshot key was pressed while the guest shows this; name is the VM's or the source's. May be empty.
    std::function<void(const Frame& frame, const std::string& name)> saveScreenshot = {};
};

} // namespace vgpuview

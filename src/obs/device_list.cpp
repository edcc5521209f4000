// SPDX-License-Identifier: MIT
// What a user can choose from.
#include "obs/device_list.h"

#include "base/error.h"
#include "vfio/devices.h"
#if VGPUVIEW_STREAM
#include "pipewire/node_list.h"
#endif

#include <fmt/format.h>

namespace vgpuview {

std::vector<Choice> listDevices() {
    std::vector<Choice> choices;
    for (const VgpuDevice& device : findDevices(HostPaths{})) {
        std::string text;
        if (device.holder && !device.holder->vmName.empty())
            text = device.holder->vmName + ": ";
        else if (device.holder)
            text = fmt::format("{} ({}): ", device.holder->processName, device.holder->pid);
        text += fmt::format("{} {}", device.typeName.empty() ? device.type : device.typeName, device.uuid);
        choices.push_back({"mdev:" + device.uuid, std::move(text)});
    }
    return choices;
}

std::vector<Choice> listNodes() {
    std::vector<Choice> choices;
#if VGPUVIEW_STREAM
    try {
        for (const VideoNode& node : listVideoNodes())
            choices.push_back({node.name, node.description.empty() || node.description == node.name
                                              ? node.name
                                              : fmt::format("{} ({})", node.description, node.name)});
    } catch (const Error&) {
        // An empty list says it; whoever chooses a node hears why it can't be had.
    }
#endif
    return choices;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What a user can choose from.
#include "obs/device_list.h"

#include "vfio/devices.h"

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

} // namespace vgpuview

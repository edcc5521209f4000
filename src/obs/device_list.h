// SPDX-License-Identifier: MIT
// What a user can choose from.
#pragma once

#include <string>
#include <vector>

namespace vgpuview {

/// An entry of a list: what is stored, and what is read.
struct Choice {
    std::string value;
    std::string text;
};

/// The vGPUs of this host by their SOURCE, with VM names. Reads sysfs and procfs: some milliseconds.
[[nodiscard]] std::vector<Choice> listDevices();
/// The nodes of PipeWire that give video, by name; empty where there is no daemon. Asks the daemon.
[[nodiscard]] std::vector<Choice> listNodes();

} // namespace vgpuview

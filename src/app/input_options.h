// SPDX-License-Identifier: MIT
// What the user said about events to the guest.
#pragma once

#include "input/hot_keys.h"

#include <optional>
#include <string>

namespace vgpuview {

enum class Interaction { full, viewOnly };

struct InputOptions {
    Interaction interaction = Interaction::full;
    std::string qmpSocket = {};                  ///< --qmp; empty: not given
    std::optional<std::string> dbusAddress = {}; ///< --dbus; an empty text is the session's bus
    std::optional<int> dbusFd = {};              ///< --dbus-fd: an inherited socket
    HotKeys hotKeys = {};

    /// A way was named; else it is found in the command line of the QEMU that is attached to.
    [[nodiscard]] bool named() const noexcept { return !qmpSocket.empty() || dbusAddress || dbusFd; }
};

} // namespace vgpuview

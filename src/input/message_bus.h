// SPDX-License-Identifier: MIT
// Owners of sd-bus objects.
#pragma once

#include <systemd/sd-bus.h>

#include <memory>

namespace vgpuview {

struct BusCloser {
    void operator()(sd_bus* bus) const noexcept {
        sd_bus_close(bus);
        sd_bus_unref(bus);
    }
};
using BusHandle = std::unique_ptr<sd_bus, BusCloser>;

struct BusMessageDeleter {
    void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
using BusMessage = std::unique_ptr<sd_bus_message, BusMessageDeleter>;

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Owners of sd-bus objects, and readers of their messages.
#pragma once

#include <systemd/sd-bus.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

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

/// Reads a variant of that basic type; passes over one of another.
template<typename Value>
void readVariant(sd_bus_message* message, char type, Value& value) {
    const char* contents = nullptr;
    const std::array<char, 2> wanted{type, '\0'};
    if (sd_bus_message_peek_type(message, nullptr, &contents) > 0 && contents != nullptr &&
        std::strcmp(contents, wanted.data()) == 0) {
        sd_bus_message_enter_container(message, 'v', contents);
        sd_bus_message_read_basic(message, type, &value);
        sd_bus_message_exit_container(message);
    } else {
        sd_bus_message_skip(message, "v");
    }
}

/// Calls visitor(name) for each member of an a{sv}; the visitor reads or skips the variant.
template<typename Visitor>
void forEachProperty(sd_bus_message* message, const Visitor& visitor) {
    if (sd_bus_message_enter_container(message, 'a', "{sv}") <= 0)
        return;
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        const char* name = nullptr;
        if (sd_bus_message_read_basic(message, 's', &name) < 0)
            return;
        visitor(std::string_view(name));
        if (sd_bus_message_exit_container(message) < 0)
            return;
    }
}

} // namespace vgpuview

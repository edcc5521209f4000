// SPDX-License-Identifier: MIT
// Finds the ways to a guest's input in the command line of its QEMU.
#include "input/qemu_command_line.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace vgpuview {

namespace {

/// What QEMU makes of "a,b=c,,d": {"a", "on"} and {"b", "c,d"}; the first part without a key gets `impliedKey`.
class Options {
public:
    Options(std::string_view text, std::string_view impliedKey) {
        std::string part;
        bool first = true;
        const auto finish = [&] {
            const std::size_t equals = part.find('=');
            if (equals != std::string::npos)
                parts_.emplace_back(part.substr(0, equals), part.substr(equals + 1));
            else if (first && !impliedKey.empty())
                parts_.emplace_back(impliedKey, part);
            else
                parts_.emplace_back(part, "on");
            part.clear();
            first = false;
        };
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != ',')
                part += text[i];
            else if (i + 1 < text.size() && text[i + 1] == ',')
                part += text[i++];
            else
                finish();
        }
        finish();
    }

    [[nodiscard]] std::string_view value(std::string_view key) const noexcept {
        // The last one counts.
        const auto found = std::ranges::find(parts_.rbegin(), parts_.rend(), key, &Part::first);
        return found == parts_.rend() ? std::string_view{} : found->second;
    }
    [[nodiscard]] bool on(std::string_view key) const noexcept {
        const std::string_view text = value(key);
        return text == "on" || text == "yes" || text == "true" || text == "y";
    }

private:
    using Part = std::pair<std::string, std::string>;
    std::vector<Part> parts_;
};

constexpr std::string_view libvirtsMonitor = "charmonitor";

void addListener(std::vector<std::filesystem::path>& to, const Options& socket,
                 const std::filesystem::path& workingFolder) {
    const std::string_view path = socket.value("path");
    if (!path.empty() && socket.on("server") && !socket.on("abstract"))
        to.push_back(workingFolder / path);
}

/// Calls the visitor with each option's name, without dashes, and its argument.
template<typename Visitor>
void forEachOption(std::span<const std::string> arguments, const Visitor& visitor) {
    for (std::size_t i = 1; i + 1 < arguments.size(); ++i) {
        std::string_view name = arguments[i];
        if (!name.starts_with('-'))
            continue;
        name.remove_prefix(name.starts_with("--") ? 2 : 1);
        visitor(name, std::string_view(arguments[i + 1]));
    }
}

} // namespace

std::vector<std::filesystem::path> qmpSocketsOf(std::span<const std::string> arguments,
                                                const std::filesystem::path& workingFolder) {
    std::vector<std::filesystem::path> sockets;
    std::vector<Options> characterDevices;
    forEachOption(arguments, [&](std::string_view name, std::string_view value) {
        if (name == "chardev")
            characterDevices.emplace_back(value, "backend");
    });
    forEachOption(arguments, [&](std::string_view name, std::string_view value) {
        constexpr std::string_view scheme = "unix:";
        if ((name == "qmp" || name == "qmp-pretty") && value.starts_with(scheme)) {
            addListener(sockets, Options(value.substr(scheme.size()), "path"), workingFolder);
            return;
        }
        if (name != "mon" && name != "qmp" && name != "qmp-pretty")
            return;
        const Options monitor(value, "chardev");
        std::string_view device = monitor.value("chardev");
        if (name != "mon") {
            constexpr std::string_view reference = "chardev:";
            if (!device.starts_with(reference))
                return;
            device.remove_prefix(reference.size());
        } else if (monitor.value("mode") != "control") {
            return;
        }
        if (device == libvirtsMonitor)
            return;
        for (const Options& candidate : characterDevices)
            if (candidate.value("backend") == "socket" && candidate.value("id") == device)
                addListener(sockets, candidate, workingFolder);
    });
    return sockets;
}

std::optional<std::string> displayBusOf(std::span<const std::string> arguments) {
    std::optional<std::string> bus;
    forEachOption(arguments, [&](std::string_view name, std::string_view value) {
        if (name != "display")
            return;
        const Options display(value, "type");
        if (display.value("type") == "dbus" && !display.on("p2p"))
            bus = display.value("addr");
    });
    return bus;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A real QEMU with a guest that writes down the input events that reach it.
#pragma once

#include "loop/event_loop.h"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview::test {

/// One evdev event: linux/input-event-codes.h.
struct GuestEvent {
    std::string device;
    unsigned type = 0;
    unsigned code = 0;
    int value = 0;

    friend bool operator==(const GuestEvent&, const GuestEvent&) = default;
};

/// Why there is no guest to test with; nothing where there is one. Makes the guest's image when first asked.
[[nodiscard]] const std::optional<std::string>& whyNoGuest();

/// Runs until destroyed.
class InputGuest {
public:
    /// How QEMU's D-Bus display is reached: on a bus of the guest's own, or by sockets that QMP hands over.
    enum class Display { bus, socket };

    /// Appended to a machine with a screen, a PS/2 keyboard and mouse, a USB bus named "usb" and two QMP sockets.
    InputGuest(Display display, const std::vector<std::string>& arguments);
    ~InputGuest();
    InputGuest(const InputGuest&) = delete;
    InputGuest& operator=(const InputGuest&) = delete;

    /// Whether the guest has them, since forget() where it was called, within three minutes.
    [[nodiscard]] bool waitForDevices(const std::vector<std::string>& names);
    /// Turns the loop until the condition holds. Whether it does within half a minute.
    [[nodiscard]] static bool waitUntil(EventLoop& loop, const std::function<bool()>& condition);
    /// What arrived since the last call of forget().
    [[nodiscard]] std::vector<GuestEvent> events() const;
    void forget();
    /// Lets what is on its way arrive, then forgets it.
    void settle(EventLoop& loop);

    [[nodiscard]] std::filesystem::path folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path qmpSocket() const { return folder_ / "qmp"; }
    [[nodiscard]] std::string busAddress() const { return "unix:path=" + (folder_ / "bus").string(); }
    /// A socket to QEMU's D-Bus display. The caller closes it.
    [[nodiscard]] int openDisplaySocket();
    /// A command on the second socket; the answer's text. A descriptor goes along where it is not negative.
    std::string command(std::string_view json, int fd = -1);

private:
    [[nodiscard]] std::vector<std::string> lines() const;

    std::filesystem::path folder_;
    pid_t bus_ = -1;
    pid_t process_ = -1;
    int control_ = -1;
    std::size_t forgotten_ = 0;
};

} // namespace vgpuview::test

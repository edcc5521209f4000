// SPDX-License-Identifier: MIT
// Input through QEMU's D-Bus display: org.qemu.Display1.Keyboard, Mouse and MultiTouch (QEMU's ui/dbus-display1.xml).
#pragma once

#include "base/log.h"
#include "base/unique_fd.h"
#include "input/input_backend.h"
#include "loop/event_loop.h"

#include <memory>
#include <string>
#include <variant>

namespace vgpuview {

/// A bus by its address; empty: the session's bus.
struct DisplayBusAddress {
    std::string address;
};
/// A bus, or a connected socket to QEMU itself (libvirt's virDomainOpenGraphicsFD, QMP's add_client).
using DisplayBus = std::variant<DisplayBusAddress, UniqueFd>;

/// The guest's first graphical console that has a keyboard. Where the bus or QEMU is missing, does not answer or goes,
/// status() says so and the log has a line; a bus is tried again, at most 10 seconds later, a socket's end is the end.
class DbusBackend final : public InputBackend {
public:
    /// Connects from the loop.
    /// answerTime: how long QEMU may take for an answer before it counts as silent.
    DbusBackend(EventLoop& loop, Log& log, DisplayBus display, Nanoseconds answerTime = std::chrono::seconds(5));
    ~DbusBackend() override;
    DbusBackend(const DbusBackend&) = delete;
    DbusBackend& operator=(const DbusBackend&) = delete;

    void key(const KeyMapping& key, KeyState state) override;
    void pointer(const PointerChange& change) override;
    void touch(const TouchChange& change) override;
    [[nodiscard]] bool takesMotion() const noexcept override;
    [[nodiscard]] bool takesTouch() const noexcept override;
    void drain(Nanoseconds longest) override;

    [[nodiscard]] PointerMode pointerMode() const noexcept override;
    [[nodiscard]] const InputStatus& status() const noexcept override;
    [[nodiscard]] const std::string& description() const noexcept override;
    void observe(InputBackendObserver* observer) noexcept override;

private:
    class Session;

    std::unique_ptr<Session> session_;
};

} // namespace vgpuview

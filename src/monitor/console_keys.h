// SPDX-License-Identifier: MIT
// The keys that the program keeps for itself on a monitor.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

namespace vgpuview {

/// Ctrl+Alt+F1 to F12.
struct ChangeTerminal {
    unsigned number;
    friend bool operator==(const ChangeTerminal&, const ChangeTerminal&) = default;
};
/// Ctrl+Alt+Q.
struct Quit {
    friend bool operator==(const Quit&, const Quit&) = default;
};
/// The key belongs to a hot key: the guest must not see it.
struct Swallowed {
    friend bool operator==(const Swallowed&, const Swallowed&) = default;
};
/// The key is the guest's.
struct PassOn {
    friend bool operator==(const PassOn&, const PassOn&) = default;
};
using KeyVerdict = std::variant<PassOn, Swallowed, ChangeTerminal, Quit>;

/// Tells hot keys from the guest's keys by their place on the keyboard (linux/input-event-codes.h), whatever the
/// layout.
class ConsoleKeys {
public:
    [[nodiscard]] KeyVerdict handle(std::uint32_t keycode, bool pressed) noexcept;
    /// The keyboard went away, or the terminal was left: nothing is held any more.
    void releaseAll() noexcept;

private:
    std::uint8_t modifiers_ = 0;
    std::optional<std::uint32_t> swallowed_; ///< the hot key that is still held
};

} // namespace vgpuview

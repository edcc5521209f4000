// SPDX-License-Identifier: MIT
// The keys that change the virtual terminal.
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
/// The release of a key that changed the terminal: the guest must not see it.
struct Swallowed {
    friend bool operator==(const Swallowed&, const Swallowed&) = default;
};
/// The key is for the guest, or a hot key.
struct PassOn {
    friend bool operator==(const PassOn&, const PassOn&) = default;
};
using KeyVerdict = std::variant<PassOn, Swallowed, ChangeTerminal>;

/// Tells them by their place on the keyboard (linux/input-event-codes.h), whatever the layout.
class ConsoleKeys {
public:
    [[nodiscard]] KeyVerdict handle(std::uint32_t keycode, bool pressed) noexcept;
    /// The keyboard went away, or the terminal was left: nothing is held any more.
    void releaseAll() noexcept;

private:
    std::uint8_t modifiers_ = 0;
    std::optional<std::uint32_t> swallowed_; ///< the function key that is still held
};

} // namespace vgpuview

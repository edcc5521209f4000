// SPDX-License-Identifier: MIT
// The names that QEMU has for the keys of a keyboard.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vgpuview {

/// One key in the three languages. Several evdev codes may stand for one key of QEMU's.
struct KeyMapping {
    std::uint16_t evdevCode; ///< linux/input-event-codes.h
    std::uint8_t qnum;       ///< XT (set 1) scan code, bit 7 set where an 0xe0 precedes it; D-Bus display, QMP "number"
    std::string_view keyCode; ///< QKeyCode of QMP (qapi/ui.json)
};

/// QEMU's names of a key; nothing for a key that QEMU cannot press.
[[nodiscard]] std::optional<KeyMapping> keyMappingOf(std::uint32_t evdevCode) noexcept;
/// The whole table, by evdev code.
[[nodiscard]] std::span<const KeyMapping> keyMappings() noexcept;

/// Shift, Ctrl, Alt and Meta, left and right.
[[nodiscard]] std::span<const std::uint16_t> modifierKeys() noexcept;

} // namespace vgpuview

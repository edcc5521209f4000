// SPDX-License-Identifier: MIT
// Input events as QMP's input-send-event has them (InputEvent in QEMU's qapi/ui.json).
#pragma once

#include "input/input_backend.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace vgpuview {

// Each is the array of one command: QEMU takes all of an array or, where one kind of event has no device, none of it.

[[nodiscard]] nlohmann::json qmpKey(const KeyMapping& key, KeyState state);
/// Empty where nothing is left of the change for such a pointer.
[[nodiscard]] nlohmann::json qmpPointer(const PointerChange& change, PointerMode mode);
/// trackingId: the same from the begin of a touch to its end.
[[nodiscard]] nlohmann::json qmpTouch(const TouchChange& change, std::int64_t trackingId);
/// Changes nothing; refused by a QEMU without touch (before 8.1) and by a guest without touch screen.
[[nodiscard]] nlohmann::json qmpTouchProbe();

} // namespace vgpuview

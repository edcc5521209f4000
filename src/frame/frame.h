// SPDX-License-Identifier: MIT
// What the guest shows at one moment.
#pragma once

#include "base/clock.h"
#include "frame/buffer.h"
#include "frame/damage.h"

#include <cstdint>
#include <optional>

namespace vgpuview {

enum class PlaneType { primary, cursor };

/// A plane that is on.
struct Plane {
    BufferRef buffer;             ///< never null
    Point position;               ///< of the top left corner, in guest pixels; a cursor's may be negative
    std::optional<Point> hotSpot; ///< in buffer pixels; nothing where the driver does not know it

    friend bool operator==(const Plane&, const Plane&) = default;
};

/// At most one primary and one cursor plane, each a buffer and its geometry.
struct Frame {
    std::optional<Plane> primary; ///< nothing: the guest shows no picture
    std::optional<Plane> cursor;  ///< nothing: no cursor, or one that the guest draws itself
    std::uint64_t sequence = 0;   ///< grows with each change of the primary plane that the source saw; starts at 1
    TimePoint queriedAt;          ///< when the source was asked
};

} // namespace vgpuview

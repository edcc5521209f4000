// SPDX-License-Identifier: MIT
// Where a cursor is of which the driver tells only how far it is from the edge.
#pragma once

#include "base/geometry.h"
#include "frame/frame.h"

#include <optional>

namespace vgpuview {

/// GVT-g drops the sign of a cursor's position (its registers hold sign and magnitude): beyond the left or top edge it
/// is mirrored inward. Where the guest's pointer is known, for it follows the host's, the sign can be told from that.
class CursorSign {
public:
    /// The cursor's position as it most likely is. pointer: the guest's pixel that its pointer is at; nothing where
    /// that is not known. To be called once for each frame: a hot spot that the driver does not tell is learned while
    /// neither moves, far enough from the edges.
    [[nodiscard]] Point mend(const Plane& cursor, std::optional<Point> pointer) noexcept;

private:
    BufferId image_ = 0;
    std::optional<Point> lastPointer_;
    Point lastPosition_;
    std::optional<std::int32_t> hotSpotX_; ///< learned, of that image
    std::optional<std::int32_t> hotSpotY_;
};

} // namespace vgpuview

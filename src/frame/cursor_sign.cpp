// SPDX-License-Identifier: MIT
// Where a cursor is of which the driver tells only how far it is from the edge.
#include "frame/cursor_sign.h"

#include <cstdlib>

namespace vgpuview {

namespace {

/// One axis. distance: as reported, from the edge, whichever side of it.
std::int32_t mendAxis(std::int32_t distance, std::int32_t length, std::optional<std::int32_t> hotSpot,
                      std::int32_t pointer) noexcept {
    // Farther out it would not be seen at all.
    if (distance <= 0 || distance >= length)
        return distance;
    if (!hotSpot) // which lies within the cursor
        return pointer < distance ? -distance : distance;
    const std::int32_t expected = pointer - *hotSpot;
    return std::abs(-distance - expected) < std::abs(distance - expected) ? -distance : distance;
}

void learnAxis(std::int32_t distance, std::int32_t length, std::int32_t pointer,
               std::optional<std::int32_t>& hotSpot) noexcept {
    const std::int32_t offset = pointer - distance;
    if (distance >= length && offset >= 0 && offset < length)
        hotSpot = offset;
}

} // namespace

Point CursorSign::mend(const Plane& cursor, std::optional<Point> pointer) noexcept {
    const Size size = cursor.buffer->layout().size;
    const auto width = static_cast<std::int32_t>(size.width);
    const auto height = static_cast<std::int32_t>(size.height);
    if (cursor.buffer->id() != image_) {
        image_ = cursor.buffer->id();
        hotSpotX_.reset();
        hotSpotY_.reset();
        lastPointer_.reset();
    }
    if (cursor.hotSpot) {
        hotSpotX_ = cursor.hotSpot->x;
        hotSpotY_ = cursor.hotSpot->y;
    } else if (pointer && pointer == lastPointer_ && cursor.position == lastPosition_) {
        learnAxis(cursor.position.x, width, pointer->x, hotSpotX_);
        learnAxis(cursor.position.y, height, pointer->y, hotSpotY_);
    }
    lastPointer_ = pointer;
    lastPosition_ = cursor.position;
    if (!pointer)
        return cursor.position;
    return {mendAxis(cursor.position.x, width, hotSpotX_, pointer->x),
            mendAxis(cursor.position.y, height, hotSpotY_, pointer->y)};
}

} // namespace vgpuview

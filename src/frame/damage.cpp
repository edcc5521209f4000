// SPDX-License-Identifier: MIT
// What changed in a picture, as a few rectangles.
#include "frame/damage.h"

namespace vgpuview {

void Damage::add(const Rect& rect) noexcept {
    if (rect.empty())
        return;
    for (std::size_t i = 0; i < count_; ++i) {
        if (intersect(rects_[i], rect) == rect)
            return;
        if (intersect(rects_[i], rect) == rects_[i]) {
            rects_[i] = rect;
            return;
        }
    }
    if (count_ < capacity)
        rects_[count_++] = rect;
    else
        rects_[capacity - 1] = unite(rects_[capacity - 1], rect);
}

Rect Damage::bounds() const noexcept {
    Rect bounds;
    for (const Rect& rect : rects())
        bounds = unite(bounds, rect);
    return bounds;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What stands beside a frame's pixels.
#include "pipewire/frame_metadata.h"

#include <spa/buffer/buffer.h>
#include <spa/buffer/meta.h>

#include <span>

namespace vgpuview {

static_assert(leastDamageSize == sizeof(spa_meta_region));

void tellHeader(spa_buffer& buffer, std::int64_t timestamp, std::uint64_t sequence) noexcept {
    if (auto* header =
            static_cast<spa_meta_header*>(spa_buffer_find_meta_data(&buffer, SPA_META_Header, sizeof(spa_meta_header))))
        *header = {.pts = timestamp, .seq = sequence};
}

void tellDamage(spa_buffer& buffer, const Damage& damage) noexcept {
    const spa_meta* const meta = spa_buffer_find_meta(&buffer, SPA_META_VideoDamage);
    if (!meta)
        return;
    const std::span regions(static_cast<spa_meta_region*>(meta->data), meta->size / sizeof(spa_meta_region));
    std::size_t used = 0;
    const auto add = [&](const Rect& rect) {
        regions[used++].region = SPA_REGION(rect.origin.x, rect.origin.y, rect.size.width, rect.size.height);
    };
    if (damage.rects().size() <= regions.size()) {
        for (const Rect& rect : damage.rects())
            add(rect);
    } else if (!regions.empty()) {
        add(damage.bounds());
    }
    // The first empty one ends the list.
    if (used < regions.size())
        regions[used].region = SPA_REGION(0, 0, 0, 0);
}

} // namespace vgpuview

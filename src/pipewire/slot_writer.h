// SPDX-License-Identifier: MIT
// A frame in a slot: its pixels, where the slot's memory is ours, and what stands beside them.
#pragma once

#include "frame/frame_sink.h"
#include "frame/overlay_picture.h"
#include "pipewire/cursor_image.h"
#include "pipewire/gpu_copies.h"
#include "pipewire/offers.h"
#include "pipewire/picture_copy.h"
#include "pipewire/recent_damage.h"
#include "pipewire/slot_pool.h"
#include "pipewire/stream_options.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace vgpuview {

class SlotWriter {
public:
    /// Both outlive it.
    SlotWriter(CursorMode cursorMode, GpuCopies& gpu, PictureCopy& copier);

    /// A frame came, to be written or not: what changed counts for the next one that is.
    void note(const FrameUpdate& update);
    /// Into the slot's dma-buf. False where the GPU can't.
    [[nodiscard]] bool blit(const Slot& slot, const Buffer& picture, const std::optional<Plane>& cursor);
    /// Into the slot's shared memory; black where there is no picture or it can't be read. Returns the bytes copied.
    std::size_t copy(const Slot& slot, const Offer& format, const Buffer* picture, const std::optional<Plane>& cursor);
    /// Time, number, cursor and damage.
    void describe(Slot& slot, const Offer& format, const FrameUpdate& update, bool damageIsKnown);
    /// The same frame is handed on again, a moment later.
    void redate(const Slot& slot);

    void forget(BufferId buffer) noexcept { cursorImage_.forget(buffer); }
    /// Frames of another source are numbered on.
    void sourceGone() noexcept;
    /// In shared memory: no picture and no cursor.
    void writeNothing(Slot& slot, const Offer& format) const;

private:
    [[nodiscard]] std::optional<OverlayPicture> overlayOf(const std::optional<Plane>& cursor);

    CursorMode cursorMode_;
    GpuCopies& gpu_;
    PictureCopy& copier_;
    CursorImage cursorImage_;
    Damage damage_; ///< since the last frame that was written
    RecentDamage recentDamage_;
    std::uint64_t sequence_ = 0;     ///< of that frame
    std::uint64_t sequenceBase_ = 0; ///< what earlier sources left off at
    std::int64_t lastTimestamp_ = 0;
};

} // namespace vgpuview

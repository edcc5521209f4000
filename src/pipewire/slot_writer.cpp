// SPDX-License-Identifier: MIT
// A frame in a slot: its pixels, where the slot's memory is ours, and what stands beside them.
#include "pipewire/slot_writer.h"

#include "pipewire/frame_metadata.h"
#include "pipewire/negotiation.h"

#include <spa/param/video/raw.h>

#include <algorithm>

namespace vgpuview {

namespace {

CopyTarget targetIn(const Slot& slot, const Offer& format) noexcept {
    return {.format = format.videoFormat == SPA_VIDEO_FORMAT_YUY2 ? CopyFormat::yuy2 : CopyFormat::bgrx,
            .size = format.size,
            .stride = copyStride(format),
            .bytes = slot.memory.bytes()};
}

} // namespace

SlotWriter::SlotWriter(CursorMode cursorMode, GpuCopies& gpu, PictureCopy& copier)
    : cursorMode_(cursorMode)
    , gpu_(gpu)
    , copier_(copier) {}

void SlotWriter::note(const FrameUpdate& update) {
    damage_.add(update.primaryDamage);
}

bool SlotWriter::blit(const Slot& slot, const Buffer& picture, const std::optional<Plane>& cursor) {
    return gpu_.copy(picture, *slot.target, overlayOf(cursor));
}

std::size_t SlotWriter::copy(const Slot& slot, const Offer& format, const Buffer* picture,
                             const std::optional<Plane>& cursor) {
    const CopyTarget target = targetIn(slot, format);
    if (picture && copier_.copy(*picture, gpu_, target, overlayOf(cursor)))
        return target.bytes.size();
    PictureCopy::fillBlack(target);
    return 0;
}

void SlotWriter::describe(Slot& slot, const Offer& format, const FrameUpdate& update, bool damageIsKnown) {
    spa_buffer& buffer = *slot.buffer->buffer;
    sequence_ = std::max(sequence_, sequenceBase_ + update.frame.sequence);
    lastTimestamp_ = std::max<std::int64_t>(update.frame.queriedAt.time_since_epoch().count(), lastTimestamp_ + 1);
    tellHeader(buffer, lastTimestamp_, sequence_);
    if (cursorMode_ == CursorMode::metadata) {
        if (update.frame.cursor)
            cursorImage_.load(*update.frame.cursor->buffer, gpu_);
        tellCursor(slot, cursorImage_, update.frame.cursor);
    }
    // Where the cursor is drawn in, it is drawn anew somewhere else.
    if (damageIsKnown)
        tellDamage(buffer, cursorMode_ == CursorMode::embedded
                               ? Damage::all(format.size)
                               : recentDamage_.add(damage_, format.size, update.frame.queriedAt));
    damage_.clear();
}

void SlotWriter::redate(const Slot& slot) {
    tellHeader(*slot.buffer->buffer, ++lastTimestamp_, sequence_);
}

void SlotWriter::sourceGone() noexcept {
    cursorImage_.forget(cursorImage_.id());
    sequenceBase_ = sequence_;
}

void SlotWriter::writeNothing(Slot& slot, const Offer& format) const {
    PictureCopy::fillBlack(targetIn(slot, format));
    tellCursor(slot, cursorImage_, {});
    tellDamage(*slot.buffer->buffer, Damage::all(format.size));
}

std::optional<OverlayPicture> SlotWriter::overlayOf(const std::optional<Plane>& cursor) {
    if (!cursor || cursorMode_ != CursorMode::embedded)
        return {};
    cursorImage_.load(*cursor->buffer, gpu_);
    return OverlayPicture{.id = cursorImage_.id(),
                          .argb = cursorImage_.argb(),
                          .size = cursorImage_.size(),
                          .position = cursor->position};
}

} // namespace vgpuview

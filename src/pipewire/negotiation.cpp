// SPDX-License-Identifier: MIT
// What a stream offers for the guest's picture, and what its consumers took of that.
#include "pipewire/negotiation.h"

#include "pipewire/cursor_image.h"
#include "pipewire/frame_metadata.h"

#include <spa/buffer/meta.h>
#include <spa/param/video/raw.h>

#include <algorithm>

namespace vgpuview {

namespace {

// The most that a link carries in the daemon's shipped configuration (link.max-buffers).
constexpr int mostSlots = 16;
constexpr BufferCount directSlots{.preferred = mostSlots, .least = 4, .most = mostSlots};
constexpr BufferCount copySlots{.preferred = 4, .least = 2, .most = mostSlots};

std::string_view nameOf(Rung rung) noexcept {
    switch (rung) {
    case Rung::direct:
        return "the guest's own buffers";
    case Rung::blit:
        return "copies by the GPU";
    case Rung::copy:
        return "copies in shared memory";
    }
    return "";
}

} // namespace

Negotiation::Negotiation(Log& log, const StreamOptions& options, GpuCopies& gpu, PictureCopy& copier)
    : log_(log)
    , options_(options)
    , gpu_(gpu)
    , copier_(copier)
    , interval_(intervalFor({})) {}

std::vector<Pod> Negotiation::formatsFor(const Buffer* picture, Withheld withheld) {
    withheld_ = withheld;
    offers_ = offersFor(picture, ladderFor(picture, withheld));
    // What it can do is known now; only copies need it itself.
    if (!chosen_)
        rest();
    const RateChoice rates = options_.role == StreamRole::camera ? RateChoice::list : RateChoice::range;
    std::vector<Pod> pods;
    for (const Offer& offer : offers_)
        pods.push_back(formatPod(offer, rates, std::max(options_.maxFps, 1U)));
    return pods;
}

void Negotiation::rest() noexcept {
    gpu_.rest();
    copier_.clear();
}

Ladder Negotiation::ladderFor(const Buffer* picture, Withheld withheld) {
    if (!picture) {
        offered_.reset();
        return {.role = options_.role};
    }
    const OfferedPicture offered{picture->kind(), picture->layout()};
    if (offered_ && *offered_ != offered)
        blitsRefused_ = false;
    offered_ = offered;
    const bool embedded = options_.cursor == CursorMode::embedded;
    const bool mapped = copier_.readable(*picture);
    // A camera's pictures come from the GPU only where there is no other way.
    const bool gpu = (options_.role == StreamRole::screen || !mapped) && gpu_.canTake(*picture);
    Ladder ladder{.copies = mapped || gpu, .role = options_.role};
    const bool memoryOnly = withheld == Withheld::dmaBufs && ladder.copies;
    if (gpu && !blitsRefused_ && !memoryOnly) {
        ladder.blitModifiers = gpu_.modifiers();
        ladder.fixedModifier = fixedModifier_;
    }
    const bool copiesWanted = embedded || options_.tearing == Tearing::avoided;
    const bool dmaBuf = picture->kind() == BufferKind::dmaBuf;
    const bool notDirect = copiesWanted || (dmaBuf && (memoryOnly || withheld == Withheld::ownBuffers));
    ladder.direct = !notDirect || (ladder.blitModifiers.empty() && !ladder.copies);
    // Whichever of them is asked first would choose it for all.
    if (withheld == Withheld::memory && dmaBuf && (ladder.direct || !ladder.blitModifiers.empty()))
        ladder.copies = false;
    return ladder;
}

bool Negotiation::staleFor(const Buffer* picture) const noexcept {
    return picture && (!offered_ || offered_->kind != picture->kind() || offered_->layout != picture->layout());
}

void Negotiation::reset() noexcept {
    chosen_.reset();
    rest();
}

Negotiation::Outcome Negotiation::choose(const ChosenFormat& format) {
    chosen_.reset();
    const Offer* const offer = chosenOf(offers_, format);
    if (!offer)
        return Outcome::notOffered;
    if (format.modifierIsOpen) {
        // Only an allocation tells which one the GPU makes of them. In our order: since PipeWire 1.6 they come in the
        // consumer's.
        std::vector<std::uint64_t> modifiers = offer->modifiers;
        std::erase_if(modifiers, [&](std::uint64_t modifier) {
            return std::find(format.modifiers.begin(), format.modifiers.end(), modifier) == format.modifiers.end();
        });
        if (const BufferRef trial = gpu_.allocate(format.size, modifiers))
            fixedModifier_ = trial->layout().format.modifier;
        else
            blitsRefused_ = true;
        return Outcome::offerAgain;
    }
    chosen_ = *offer;
    chosen_->modifiers = format.modifiers;
    interval_ = intervalFor(format);
    return Outcome::accepted;
}

std::vector<Pod> Negotiation::parameters() {
    tellRung();
    std::vector<Pod> pods;
    switch (chosen_->rung) {
    case Rung::direct:
        pods.push_back(
            buffersPod(chosen_->modifiers.empty() ? SlotMemory::memFd : SlotMemory::dmaBuf, directSlots, 0, 0));
        break;
    case Rung::blit:
        pods.push_back(buffersPod(SlotMemory::dmaBuf, copySlots, 0, 0));
        break;
    case Rung::copy:
        pods.push_back(buffersPod(SlotMemory::memFd, copySlots, copyStride(*chosen_), chosen_->size.height));
        break;
    }
    pods.push_back(metaPod(SPA_META_Header, sizeof(spa_meta_header)));
    if (options_.cursor == CursorMode::metadata && options_.role == StreamRole::screen)
        pods.push_back(metaPod(SPA_META_Cursor, CursorImage::metaSize));
    if (damageIsKnown())
        pods.push_back(metaPod(SPA_META_VideoDamage, damageSize, leastDamageSize));
    return pods;
}

bool Negotiation::retryBlits() noexcept {
    return std::exchange(blitsRefused_, false);
}

bool Negotiation::damageIsKnown() const noexcept {
    // A guest's own dma-buf may have been drawn in anywhere by the time that a consumer reads it.
    return chosen_->rung != Rung::direct || chosen_->modifiers.empty();
}

std::string_view Negotiation::path() const noexcept {
    return toldRung_ ? nameOf(*toldRung_) : "none";
}

Nanoseconds Negotiation::intervalFor(const ChosenFormat& format) const noexcept {
    constexpr Nanoseconds second = std::chrono::seconds(1);
    const Nanoseconds shortest = second / std::max(options_.maxFps, 1U);
    const Fraction rate = format.framerate.numerator != 0 ? format.framerate : format.maxFramerate;
    return rate.numerator == 0 ? shortest : std::max(shortest, second * rate.denominator / rate.numerator);
}

std::string_view Negotiation::reason() const noexcept {
    if (chosen_->rung == Rung::direct)
        return "";
    if (options_.role == StreamRole::camera)
        return ": a camera's format";
    if (!offered_)
        return ": no picture yet";
    if (withheld_ == Withheld::ownBuffers)
        return ": the guest brings new buffers all the time";
    if (options_.cursor == CursorMode::embedded)
        return ": the cursor is drawn in";
    if (options_.tearing == Tearing::avoided)
        return ": no tearing";
    if (withheld_ == Withheld::dmaBufs)
        return ": one of the consumers takes no dma-bufs";
    return ": the consumer takes nothing better";
}

void Negotiation::tellRung() {
    if (toldRung_ == chosen_->rung)
        return;
    toldRung_ = chosen_->rung;
    log_.info("stream: {}x{}, {}{}", chosen_->size.width, chosen_->size.height, nameOf(chosen_->rung), reason());
}

std::uint32_t copyStride(const Offer& copy) noexcept {
    return copy.size.width * (copy.videoFormat == SPA_VIDEO_FORMAT_YUY2 ? 2 : 4);
}

} // namespace vgpuview

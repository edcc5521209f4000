// SPDX-License-Identifier: MIT
// Which formats a stream offers for a picture: the ladder from the guest's own memory down to copies.
#include "pipewire/offers.h"

#include <spa/param/video/raw.h>

#include <algorithm>
#include <utility>

namespace vgpuview {

namespace {

constexpr Size sizeWithoutPicture{1280, 720};

std::optional<Offer> directOffer(const Buffer& picture) {
    const PixelFormat& format = picture.layout().format;
    const std::optional<std::uint32_t> videoFormat = videoFormatOf(format.fourcc);
    if (!videoFormat)
        return {};
    Offer offer{.rung = Rung::direct, .videoFormat = *videoFormat, .size = picture.layout().size, .modifiers = {}};
    if (picture.kind() == BufferKind::dmaBuf)
        offer.modifiers = {format.modifier};
    return offer;
}

} // namespace

std::vector<Offer> offersFor(const Buffer* picture, const Ladder& ladder) {
    const Size size = picture ? picture->layout().size : sizeWithoutPicture;
    if (ladder.role == StreamRole::camera) {
        // Its pixels come in pairs.
        const Size even{std::max(size.width & ~1U, 2U), size.height};
        return {{.rung = Rung::copy, .videoFormat = SPA_VIDEO_FORMAT_YUY2, .size = even, .modifiers = {}}};
    }
    std::vector<Offer> offers;
    if (picture && ladder.direct)
        if (std::optional<Offer> direct = directOffer(*picture))
            offers.push_back(std::move(*direct));
    // Who could take the guest's memory as it is would have; a modifier stands in one rung only.
    const auto isDirect = [&](std::uint64_t modifier) {
        return !offers.empty() && offers.front().videoFormat == SPA_VIDEO_FORMAT_BGRx &&
               offers.front().modifiers == std::vector{modifier};
    };
    Offer blit{.rung = Rung::blit, .videoFormat = SPA_VIDEO_FORMAT_BGRx, .size = size, .modifiers = {}};
    if (ladder.fixedModifier && !isDirect(*ladder.fixedModifier)) {
        blit.modifiers = {*ladder.fixedModifier};
        offers.push_back(blit);
    }
    blit.modifiers.clear();
    for (const std::uint64_t modifier : ladder.blitModifiers)
        if (!isDirect(modifier))
            blit.modifiers.push_back(modifier);
    if (!blit.modifiers.empty() && (offers.empty() || blit != offers.back()))
        offers.push_back(blit);
    const bool memoryIsOffered =
        !offers.empty() && offers.front().modifiers.empty() && offers.front().videoFormat == SPA_VIDEO_FORMAT_BGRx;
    if ((ladder.copies && !memoryIsOffered) || offers.empty())
        offers.push_back({.rung = Rung::copy, .videoFormat = SPA_VIDEO_FORMAT_BGRx, .size = size, .modifiers = {}});
    return offers;
}

const Offer* chosenOf(const std::vector<Offer>& offers, const ChosenFormat& chosen) noexcept {
    const auto found = std::find_if(offers.begin(), offers.end(), [&](const Offer& offer) {
        return offer.videoFormat == chosen.videoFormat && offer.size == chosen.size &&
               offer.modifiers.empty() == chosen.modifiers.empty() &&
               std::all_of(chosen.modifiers.begin(), chosen.modifiers.end(), [&](std::uint64_t modifier) {
                   return std::find(offer.modifiers.begin(), offer.modifiers.end(), modifier) != offer.modifiers.end();
               });
    });
    return found == offers.end() ? nullptr : &*found;
}

} // namespace vgpuview

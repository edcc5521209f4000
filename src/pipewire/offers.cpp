// SPDX-License-Identifier: MIT
// Which formats a stream offers for a picture: the ladder from the guest's own memory down to copies.
#include "pipewire/offers.h"

#include <spa/param/video/raw.h>

#include <algorithm>

namespace vgpuview {

namespace {
constexpr Size sizeWithoutPicture{1280, 720};
}

std::vector<Offer> offersFor(const Buffer* picture, DirectFrames direct, CopiedFrames copied) {
    std::vector<Offer> offers;
    const Size size = picture ? picture->layout().size : sizeWithoutPicture;
    const auto add = [&](const Offer& offer) {
        const bool known = std::any_of(offers.begin(), offers.end(), [&](const Offer& other) {
            return other.videoFormat == offer.videoFormat && other.modifier == offer.modifier;
        });
        if (!known)
            offers.push_back(offer);
    };
    if (picture && direct == DirectFrames::offered) {
        const PixelFormat& format = picture->layout().format;
        if (const std::optional<std::uint32_t> videoFormat = videoFormatOf(format.fourcc)) {
            Offer offer{.rung = Rung::direct, .videoFormat = *videoFormat, .size = size, .modifier = {}};
            if (picture->kind() == BufferKind::dmaBuf)
                offer.modifier = format.modifier;
            add(offer);
        }
    }
    if (copied == CopiedFrames::camera) {
        // Its pixels come in pairs.
        const Size even{std::max(size.width & ~1U, 2U), size.height};
        add({.rung = Rung::copy, .videoFormat = SPA_VIDEO_FORMAT_YUY2, .size = even, .modifier = {}});
    } else if (copied == CopiedFrames::screen || offers.empty()) {
        add({.rung = Rung::copy, .videoFormat = SPA_VIDEO_FORMAT_BGRx, .size = size, .modifier = {}});
    }
    return offers;
}

const Offer* chosenOf(const std::vector<Offer>& offers, const ChosenFormat& chosen) noexcept {
    const auto found = std::find_if(offers.begin(), offers.end(), [&](const Offer& offer) {
        return offer.videoFormat == chosen.videoFormat && offer.size == chosen.size &&
               offer.modifier == chosen.modifier;
    });
    return found == offers.end() ? nullptr : &*found;
}

} // namespace vgpuview

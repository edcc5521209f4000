// SPDX-License-Identifier: MIT
// Which formats a stream offers for a picture: the ladder from the guest's own memory down to copies.
#pragma once

#include "frame/buffer.h"
#include "pipewire/stream_format.h"

#include <vector>

namespace vgpuview {

enum class DirectFrames { offered, withheld };
enum class CopiedFrames { screen, camera, none };

/// Best first; never empty. No picture: black copies of a common size.
[[nodiscard]] std::vector<Offer> offersFor(const Buffer* picture, DirectFrames direct, CopiedFrames copied);

/// The offer that a consumer took, or nothing for a format that was never offered.
[[nodiscard]] const Offer* chosenOf(const std::vector<Offer>& offers, const ChosenFormat& chosen) noexcept;

} // namespace vgpuview

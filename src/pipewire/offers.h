// SPDX-License-Identifier: MIT
// Which formats a stream offers for a picture: the ladder from the guest's own memory down to copies.
#pragma once

#include "frame/buffer.h"
#include "pipewire/stream_format.h"
#include "pipewire/stream_options.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vgpuview {

/// What can be done with a picture, and may.
struct Ladder {
    bool direct = false;                               ///< its own memory
    std::span<const std::uint64_t> blitModifiers = {}; ///< copies by the GPU; empty: none
    std::optional<std::uint64_t> fixedModifier = {};   ///< the one of these that a copy for the consumers got
    bool copies = false;                               ///< copies by the CPU
    StreamRole role = StreamRole::screen;
};

/// Best first; never empty: where nothing else is possible, copies that are black. No picture: those, of a common size.
[[nodiscard]] std::vector<Offer> offersFor(const Buffer* picture, const Ladder& ladder);

/// The offer that a consumer took, or nothing for a format that was never offered.
[[nodiscard]] const Offer* chosenOf(const std::vector<Offer>& offers, const ChosenFormat& chosen) noexcept;

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What a stream offers and what a consumer chose, as SPA pods (spa/param/video/format.h).
#pragma once

#include "base/geometry.h"
#include "base/pixel_format.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

struct spa_pod;
struct spa_pod_builder;

namespace vgpuview {

/// How a frame gets to the consumer, best first.
enum class Rung {
    direct, ///< the guest's own memory
    blit,   ///< a GPU copy in a dma-buf of ours
    copy,   ///< a CPU copy in shared memory
};

/// Which frame rates an offer names. Some consumers of cameras skip ranges.
enum class RateChoice { range, list };

struct Fraction {
    std::uint32_t numerator = 0;
    std::uint32_t denominator = 1;

    friend constexpr bool operator==(const Fraction&, const Fraction&) = default;
};

/// One EnumFormat.
struct Offer {
    Rung rung = Rung::copy;
    std::uint32_t videoFormat = 0; ///< enum spa_video_format
    Size size;
    std::vector<std::uint64_t> modifiers; ///< dma-bufs with one of them; empty: shared memory

    friend constexpr bool operator==(const Offer&, const Offer&) = default;
};

/// A Format as the consumer chose it.
struct ChosenFormat {
    std::uint32_t videoFormat = 0;
    Size size;
    std::vector<std::uint64_t> modifiers; ///< empty: shared memory
    bool modifierIsOpen = false;          ///< the producer is to choose one of them and offer that; even of one
    Fraction framerate;                   ///< 0: variable
    Fraction maxFramerate;                ///< 0: not said
};

/// A pod with its memory.
class Pod {
public:
    [[nodiscard]] const spa_pod* get() const noexcept { return reinterpret_cast<const spa_pod*>(words_.data()); }

private:
    friend class PodWriter;
    std::vector<std::uint64_t> words_; ///< pods are aligned to 8 bytes
};

/// The SPA format with the same memory layout, alpha ignored: a screen is opaque whatever its alpha bits hold.
/// Nothing for a format that SPA has no name for.
[[nodiscard]] std::optional<std::uint32_t> videoFormatOf(std::uint32_t fourcc) noexcept;

[[nodiscard]] Pod formatPod(const Offer& offer, RateChoice rates, std::uint32_t maxFps);

/// Nothing for what is not raw video of a believable size.
[[nodiscard]] std::optional<ChosenFormat> parseFormat(const spa_pod& format);

enum class SlotMemory { dmaBuf, memFd };

struct BufferCount {
    int preferred;
    int least;
    int most;
};

/// stride 0: neither stride nor size is stated, as for memory that others laid out.
[[nodiscard]] Pod buffersPod(SlotMemory memory, BufferCount count, std::uint32_t stride, std::uint32_t height);

/// type: enum spa_meta_type. least: where a consumer may choose a smaller one; 0: it may not.
[[nodiscard]] Pod metaPod(std::uint32_t type, std::size_t byteSize, std::size_t least = 0);

} // namespace vgpuview

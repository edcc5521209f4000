// SPDX-License-Identifier: MIT
// What a stream offers for the guest's picture, and what its consumers took of that.
#pragma once

#include "base/log.h"
#include "pipewire/gpu_copies.h"
#include "pipewire/offers.h"
#include "pipewire/picture_copy.h"
#include "pipewire/stream_options.h"

#include <optional>
#include <string_view>
#include <vector>

namespace vgpuview {

/// Why a part of the ladder is not offered.
enum class Withheld {
    nothing,
    ownBuffers, ///< the guest's set of buffers does not stand still long enough
    dmaBufs,    ///< one of several consumers takes shared memory only
    memory,     ///< one of several consumers takes dma-bufs only
};

class Negotiation {
public:
    enum class Outcome {
        accepted,   ///< chosen() holds it
        notOffered, ///< nonsense of a peer
        offerAgain, ///< the consumers left the choice to us: the formats, asked for anew, state it
    };

    /// All outlive it.
    Negotiation(Log& log, const StreamOptions& options, GpuCopies& gpu, PictureCopy& copier);

    /// The formats to announce from now on, best first. nullptr: no picture.
    [[nodiscard]] std::vector<Pod> formatsFor(const Buffer* picture, Withheld withheld);
    /// Whether the picture is unlike the one that the last formats were for.
    [[nodiscard]] bool staleFor(const Buffer* picture) const noexcept;
    [[nodiscard]] Outcome choose(const ChosenFormat& format);
    /// How buffers are to be made for what was chosen. Says in the log which step of the ladder it is, and why, where
    /// that changed.
    [[nodiscard]] std::vector<Pod> parameters();
    /// The format was taken back, and its buffers are going.
    void reset() noexcept;

    /// Copies by the GPU do not work: they are not offered until retryBlits() or another kind of picture.
    void refuseBlits() noexcept { blitsRefused_ = true; }
    /// Whether they were refused.
    bool retryBlits() noexcept;
    [[nodiscard]] bool blitsRefused() const noexcept { return blitsRefused_; }

    /// With one modifier or none. nullptr: no format is in use.
    [[nodiscard]] const Offer* chosen() const noexcept { return chosen_ ? &*chosen_ : nullptr; }
    /// Whether there is nothing better for a consumer that takes all. A format must be in use.
    [[nodiscard]] bool bestIsChosen() const noexcept { return chosen_->rung == offers_.front().rung; }
    /// Between frames, as consumer and user want.
    [[nodiscard]] Nanoseconds interval() const noexcept { return interval_; }
    /// Whether it is known what changed from frame to frame.
    [[nodiscard]] bool damageIsKnown() const noexcept;
    /// The step that was last in use; for reports.
    [[nodiscard]] std::string_view path() const noexcept;

private:
    struct OfferedPicture {
        BufferKind kind;
        BufferLayout layout;
        friend bool operator==(const OfferedPicture&, const OfferedPicture&) = default;
    };

    [[nodiscard]] Ladder ladderFor(const Buffer* picture, Withheld withheld);
    [[nodiscard]] Nanoseconds intervalFor(const ChosenFormat& format) const noexcept;
    [[nodiscard]] std::string_view reason() const noexcept;
    void tellRung();
    /// Lets go of what only copies need.
    void rest() noexcept;

    Log& log_;
    const StreamOptions& options_;
    GpuCopies& gpu_;
    PictureCopy& copier_;
    std::vector<Offer> offers_;
    std::optional<OfferedPicture> offered_;
    Withheld withheld_ = Withheld::nothing;
    std::optional<std::uint64_t> fixedModifier_;
    bool blitsRefused_ = false;
    std::optional<Offer> chosen_;
    std::optional<Rung> toldRung_;
    Nanoseconds interval_;
};

/// Bytes from row to row in copies of that format by the CPU.
[[nodiscard]] std::uint32_t copyStride(const Offer& copy) noexcept;

} // namespace vgpuview

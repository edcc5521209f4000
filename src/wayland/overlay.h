// SPDX-License-Identifier: MIT
// Figures over the picture, in a corner of the window.
#pragma once

#include "base/histogram.h"
#include "loop/scheduler.h"
#include "wayland/copies.h"
#include "wayland/presentation.h"
#include "wayland/surface.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {

/// What the overlay says beside its own counts.
struct OverlayFacts {
    std::string picture; ///< size, format, modifier, refresh
    std::string way;     ///< how pictures reach the compositor, and why so
    std::string input;   ///< where events go
};

/// Counts, and draws once a second, only while it is on. Its surface is small, so that it never covers the picture,
/// whose surface keeps the frame callbacks.
class Overlay final {
public:
    /// facts: asked for before each drawing. changed: its surface wants a commit. All outlive it.
    Overlay(Scheduler& scheduler, const Globals& globals, const Surface& parent, ReleaseObserver& observer,
            std::function<OverlayFacts()> facts, std::function<void()> changed);
    Overlay(const Overlay&) = delete;
    Overlay& operator=(const Overlay&) = delete;

    void toggle();
    [[nodiscard]] bool on() const noexcept { return on_; }
    /// How large its letters are to be.
    void scaleTo(Scale120 scale) noexcept { scale_ = scale; }

    /// A frame of the guest's goes to the compositor. Sequence as the frame has it; duration of the poll it came from.
    void shown(std::uint64_t sequence, Nanoseconds pollDuration) noexcept;
    void presented(Nanoseconds sinceQuery, bool zeroCopy) noexcept;

    /// Null while it is off.
    [[nodiscard]] Surface* surface() noexcept { return surface_ ? &*surface_ : nullptr; }
    /// After each commit.
    void collect();

private:
    /// Of the second that runs.
    struct Second {
        std::uint64_t guestFrames = 0;
        std::uint64_t shown = 0;
        std::uint64_t presented = 0;
        std::uint64_t zeroCopy = 0;
        DurationHistogram poll;
        DurationHistogram present;
    };

    void tick();
    void draw();
    [[nodiscard]] std::vector<std::string> lines() const;

    Scheduler& scheduler_;
    const Globals& globals_;
    const Surface& parent_;
    std::function<OverlayFacts()> facts_;
    std::function<void()> changed_;
    std::unique_ptr<Timer> timer_;
    Copies pictures_;
    std::optional<Surface> surface_;
    bool on_ = false;
    Scale120 scale_ = wholeScale;
    std::optional<std::uint64_t> lastSequence_;
    Second second_;
};

} // namespace vgpuview

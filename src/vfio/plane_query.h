// SPDX-License-Identifier: MIT
// Asks a driver for its planes without flooding it: repeats what may succeed, rests after refusals.
#pragma once

#include "base/clock.h"
#include "vfio/device.h"
#include "vfio/quirks.h"

#include <array>

namespace vgpuview {

enum class QueryOutcome {
    answered,
    unsupported, ///< the driver refuses this plane type; it is asked no more
    resting,     ///< it failed shortly before; not asked this time
    failed,      ///< error() tells why
    gone,        ///< the device answers nothing at all any more
};

/// The queries of one device. Refusals go to the kernel log of some drivers, so a failed query is repeated after 50 ms,
/// then after twice as long each time, up to 2 s.
class PlaneQuery {
public:
    /// The quirks outlive it.
    PlaneQuery(DeviceCalls device, DisplayKind kind, QuirkSet& quirks) noexcept
        : device_(device)
        , kind_(kind)
        , quirks_(quirks) {}

    [[nodiscard]] QueryOutcome query(PlaneType type, TimePoint now, PlaneAnswer& answer) noexcept;
    /// The errno of the last query of this type that failed, positive.
    [[nodiscard]] int error(PlaneType type) const noexcept { return stateOf(type).error; }
    /// Never ask for this type again.
    void giveUp(PlaneType type) noexcept { stateOf(type).unsupported = true; }

private:
    struct State {
        bool answered = false;
        bool unsupported = false;
        int error = 0;
        Nanoseconds rest{0};
        TimePoint restUntil;
    };

    [[nodiscard]] State& stateOf(PlaneType type) noexcept { return states_[static_cast<std::size_t>(type)]; }
    [[nodiscard]] const State& stateOf(PlaneType type) const noexcept {
        return states_[static_cast<std::size_t>(type)];
    }

    DeviceCalls device_;
    DisplayKind kind_;
    QuirkSet& quirks_;
    std::array<State, 2> states_{};
};

/// Notes the quirks that an answer shows. plane: the same answer, checked.
void noteQuirksOf(PlaneType type, const ReportedPlane& reported, const CheckedPlane& plane, QuirkSet& quirks) noexcept;
/// Whether a driver answered a cursor query with its primary plane.
[[nodiscard]] bool answersPrimary(const PlaneAnswer& primary, const PlaneAnswer& cursor) noexcept;

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Asks a driver for its planes without flooding it: repeats what may succeed, rests after refusals.
#include "vfio/plane_query.h"

#include <algorithm>
#include <cerrno>

namespace vgpuview {

namespace {

constexpr Nanoseconds shortestRest = std::chrono::milliseconds(50);
constexpr Nanoseconds longestRest = std::chrono::seconds(2);
constexpr std::uint32_t noHotSpot = 0xffffffffU;

bool refusesType(int result) noexcept {
    return result == -EINVAL || result == -ENOTTY || result == -EOPNOTSUPP;
}

bool mayMeanRemoval(int result) noexcept {
    return result == -ENODEV || result == -EIO || result == -ENXIO;
}

} // namespace

QueryOutcome PlaneQuery::query(PlaneType type, TimePoint now, PlaneAnswer& answer) noexcept {
    State& state = stateOf(type);
    if (state.unsupported)
        return QueryOutcome::unsupported;
    if (state.rest.count() > 0 && now < state.restUntil)
        return QueryOutcome::resting;
    int result = device_.query(kind_, type, answer);
    if (result == -ENOMEM) {
        result = device_.query(kind_, type, answer);
        if (result >= 0) {
            quirks_.note(Quirk::firstQueryEnomem);
            // Only one driver does this, and it does this too.
            quirks_.note(Quirk::dmaBufOncePerId);
        }
    }
    if (result >= 0) {
        state.answered = true;
        state.rest = Nanoseconds(0);
        return QueryOutcome::answered;
    }
    state.error = -result;
    // A primary plane is what every display has: a refusal means the guest's mode of the moment.
    if (type == PlaneType::cursor && !state.answered && refusesType(result)) {
        state.unsupported = true;
        return QueryOutcome::unsupported;
    }
    std::uint32_t regions = 0;
    if (mayMeanRemoval(result) && device_.countRegions(regions) < 0)
        return QueryOutcome::gone;
    state.rest = state.rest.count() == 0 ? shortestRest : std::min(state.rest * 2, longestRest);
    state.restUntil = now + state.rest;
    return QueryOutcome::failed;
}

void noteQuirksOf(PlaneType type, const ReportedPlane& reported, const CheckedPlane& plane, QuirkSet& quirks) noexcept {
    if (type == PlaneType::cursor && (reported.hotSpotX == noHotSpot || reported.hotSpotY == noHotSpot))
        quirks.note(Quirk::hotSpotAbsent);
    const std::optional<FormatFacts> facts = factsOf(reported.fourcc);
    if (facts && reported.stride > reported.width * facts->bytesPerPixel)
        quirks.note(Quirk::strideLarger);
    if (reported.size > std::uint64_t{reported.stride} * reported.height)
        quirks.note(Quirk::sizeRounded);
    if (reported.size < plane.layout.byteSize)
        quirks.note(Quirk::sizeInPages);
}

bool answersPrimary(const PlaneAnswer& primary, const PlaneAnswer& cursor) noexcept {
    return primary.plane.fourcc != 0 && cursor.token == primary.token && cursor.plane.fourcc == primary.plane.fourcc &&
           cursor.plane.width == primary.plane.width && cursor.plane.height == primary.plane.height &&
           cursor.plane.stride == primary.plane.stride;
}

} // namespace vgpuview

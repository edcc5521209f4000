// SPDX-License-Identifier: MIT
// What drivers do otherwise than the interface says, by name: how it is found out and what is done about it.
#pragma once

#include <bitset>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

enum class Quirk {
    firstQueryEnomem,
    disabledPlaneUntouched,
    idReused,
    idGone,
    hotSpotAbsent,
    cursorSignDropped,
    cursorAnswersPrimary,
    regionIndexBeyond,
    sizeRounded,
    sizeInPages,
    strideLarger,
    dmaBufOncePerId,
    dmaBufInherited,
};
inline constexpr std::size_t quirkCount = 13;

struct QuirkFacts {
    Quirk quirk;
    std::string_view name;
    std::string_view foundBy; ///< what tells that a driver has it
    std::string_view remedy;  ///< what is done about it
};
/// The table, in the order of the enumeration.
[[nodiscard]] std::span<const QuirkFacts, quirkCount> quirkTable() noexcept;
[[nodiscard]] const QuirkFacts& factsOf(Quirk quirk) noexcept;

/// The quirks that one device was found to have.
class QuirkSet {
public:
    void note(Quirk quirk) noexcept { set_.set(static_cast<std::size_t>(quirk)); }
    [[nodiscard]] bool has(Quirk quirk) const noexcept { return set_.test(static_cast<std::size_t>(quirk)); }
    [[nodiscard]] std::vector<std::string> names() const;
    friend bool operator==(const QuirkSet&, const QuirkSet&) = default;

private:
    std::bitset<quirkCount> set_;
};

/// Those that a driver is known for by its name (VgpuDevice::parentDriver); they can't be told from its answers.
[[nodiscard]] QuirkSet quirksOfDriver(std::string_view driver) noexcept;

} // namespace vgpuview

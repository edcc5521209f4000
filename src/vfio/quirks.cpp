// SPDX-License-Identifier: MIT
// What drivers do otherwise than the interface says, by name: how it is found out and what is done about it.
#include "vfio/quirks.h"

#include <array>

namespace vgpuview {

namespace {

constexpr std::array<QuirkFacts, quirkCount> table{{
    {Quirk::firstQueryEnomem, "first-query-enomem", "a query that fails with ENOMEM and succeeds at once after",
     "asked again at once, one time"},
    {Quirk::disabledPlaneUntouched, "disabled-plane-untouched", "driver i915",
     "the structure is zeroed before every query"},
    {Quirk::idReused, "id-reused", "a known dma-buf id with another geometry or format",
     "dma-bufs are told apart by id, geometry, format and modifier"},
    {Quirk::idGone, "id-gone", "a dma-buf id that is unknown right after the query",
     "the plane is queried again, up to three times"},
    {Quirk::hotSpotAbsent, "hot-spot-absent", "a hot spot of 0xffffffff", "the cursor is shown without hot spot"},
    {Quirk::cursorSignDropped, "cursor-sign-dropped", "driver i915",
     "none: over the left and top edge the cursor is shown where it is reported"},
    {Quirk::cursorAnswersPrimary, "cursor-answers-primary", "a cursor plane that equals the primary plane",
     "the cursor plane is ignored and asked for no more"},
    {Quirk::regionIndexBeyond, "region-index-beyond", "a plane in a region beyond the device's count of regions",
     "the plane's region index is believed"},
    {Quirk::sizeRounded, "size-rounded", "a size larger than stride times height", "the size is only a bound"},
    {Quirk::sizeInPages, "size-in-pages", "a size that holds the picture only when counted in pages",
     "the size is asked of the dma-buf"},
    {Quirk::strideLarger, "stride-larger", "a stride larger than a row", "stride and width are kept apart"},
    {Quirk::dmaBufOncePerId, "dma-buf-once-per-id", "driver mbochs, or first-query-enomem",
     "dma-bufs are kept until the device is closed, as long as descriptors last"},
    {Quirk::dmaBufInherited, "dma-buf-inherited", "a dma-buf without close-on-exec", "close-on-exec is set"},
}};

} // namespace

std::span<const QuirkFacts, quirkCount> quirkTable() noexcept {
    return table;
}

const QuirkFacts& factsOf(Quirk quirk) noexcept {
    return table[static_cast<std::size_t>(quirk)];
}

std::vector<std::string> QuirkSet::names() const {
    std::vector<std::string> names;
    for (const QuirkFacts& facts : table)
        if (has(facts.quirk))
            names.emplace_back(facts.name);
    return names;
}

QuirkSet quirksOfDriver(std::string_view driver) noexcept {
    QuirkSet quirks;
    if (driver == "i915" || driver == "intel_vgpu_mdev") {
        quirks.note(Quirk::disabledPlaneUntouched);
        quirks.note(Quirk::cursorSignDropped);
    }
    if (driver == "mbochs")
        quirks.note(Quirk::dmaBufOncePerId);
    return quirks;
}

} // namespace vgpuview

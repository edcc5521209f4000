// SPDX-License-Identifier: MIT
// The test vGPU: a frame source that draws its own pictures, known to the last pixel.
#include "synthetic/test_source.h"

#include "base/error.h"
#include "frame/picture_memory.h"
#include "synthetic/pattern.h"

#include <drm_fourcc.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace vgpuview {

namespace {

constexpr std::uint32_t bytesPerPixel = 4;
// GPUs import linear pictures only with rows aligned to this.
constexpr std::uint32_t strideAlignment = 256;
constexpr std::uint32_t wideStridePadding = 1280;
constexpr std::uint32_t noHotSpot = 0xffffffffU; // linux/vfio.h
constexpr std::uint64_t spoiledEvery = 4;
constexpr Size largestMode{7680, 4320};
constexpr std::uint32_t slowestMilliHz = 1000;
constexpr std::uint32_t fastestMilliHz = 1'000'000;
constexpr Nanoseconds rejectionInterval = std::chrono::seconds(10);

MappedBuffer mapToDraw(const Buffer& buffer) {
    std::optional<MappedBuffer> mapped = MappedBuffer::map(buffer, MapAccess::readWrite);
    if (!mapped)
        throw Error(errno, {.operation = "map", .object = "a picture of the test vGPU"});
    return std::move(*mapped);
}

} // namespace

TestSource::TestSource(TestSourceOptions options, const Clock& clock, Log& log)
    : options_(std::move(options))
    , clock_(clock)
    , log_(log)
    , rejections_(rejectionInterval) {
    chooseMemory(options_.memory);
    description_ = {.address = options_.text.empty() ? "test" : "test:" + options_.text,
                    .name = "test",
                    .vmName = "",
                    .type = "test",
                    .display = kind_ == BufferKind::dmaBuf ? DisplayKind::dmaBuf : DisplayKind::memory,
                    .quirks = {},
                    .monitorFixedBecause = options_.edid == TestEdid::on ? "" : "the test vGPU is told edid=off"};
    for (std::size_t i = 0; i < testQuirkCount; ++i)
        if (options_.quirks[i])
            description_.quirks.emplace_back(testQuirkNames[i]);
    if (options_.has(TestQuirk::sameMemory))
        allocateShared(memoryOfLargest());
    slots_.reserve(options_.buffers);
    ownCopies_.reserve(options_.buffers);
    if (options_.cursor != TestCursor::off)
        makeCursor();
}

TestSource::~TestSource() {
    frame_ = {};
    retireSlots();
    if (const BufferRef cursor = std::exchange(cursorBuffer_, nullptr); cursor && observer_)
        observer_->bufferRetired(*cursor);
}

PollResult TestSource::poll() {
    if (!endReason_.empty())
        return {.status = PollStatus::ended};
    const TimePoint now = clock_.now();
    followMonitor(now);
    const std::uint64_t step = nextStep(now);
    if (options_.frames != 0 && step >= options_.frames)
        return end(fmt::format("the test vGPU has shown its {} frames", options_.frames));
    frame_.queriedAt = now;

    PrimaryChange change = PrimaryChange::none;
    if (step_ != step) {
        try {
            change = showPrimary(step);
        } catch (const Error& error) {
            return end(error.what());
        }
        showCursor(step);
        step_ = step;
    }
    if (change == PrimaryChange::certain)
        ++frame_.sequence;
    else if (options_.buffers == 1 && frame_.primary)
        change = PrimaryChange::possible;
    PollResult result{.status = PollStatus::ok, .primary = change, .damage = {}};
    if (change != PrimaryChange::none && frame_.primary)
        result.damage = Damage::all(frame_.primary->buffer->layout().size);
    return result;
}

std::uint64_t TestSource::nextStep(TimePoint now) noexcept {
    if (options_.clock == TestClock::poll)
        return step_ ? *step_ + 1 : 0;
    if (!startedAt_)
        startedAt_ = now;
    // Nanoseconds times milli-Hz overflow 64 bits after half an hour at 8 Hz: whole seconds apart.
    const auto elapsed = static_cast<std::uint64_t>(std::max(now - *startedAt_, Nanoseconds(0)).count());
    constexpr std::uint64_t second = 1'000'000'000;
    const std::uint64_t milliFrames =
        elapsed / second * options_.refreshMilliHz + elapsed % second * options_.refreshMilliHz / second;
    return startStep_ + milliFrames / 1000;
}

void TestSource::setMonitor(const GuestMonitor& monitor) noexcept {
    if (options_.edid == TestEdid::on && !monitor.size.empty())
        monitor_ = monitor;
}

void TestSource::followMonitor(TimePoint now) {
    if (!monitor_)
        return;
    const GuestMonitor monitor = *std::exchange(monitor_, std::nullopt);
    const Size mode{std::min(monitor.size.width, largestMode.width), std::min(monitor.size.height, largestMode.height)};
    try {
        if (!sharedMemory_.empty() && sharedBytes_ < memoryOf(mode))
            allocateShared(memoryOf(mode));
        else
            static_cast<void>(allocate(memoryOf(mode)));
    } catch (const Error& error) {
        log_.warning("the test vGPU keeps its mode: {}", error.what());
        return;
    }
    const std::uint32_t refreshMilliHz = std::clamp(monitor.refreshMilliHz, slowestMilliHz, fastestMilliHz);
    if (startedAt_ && refreshMilliHz != options_.refreshMilliHz) {
        startStep_ = nextStep(now);
        startedAt_ = now;
    }
    options_.refreshMilliHz = refreshMilliHz;
    options_.modes.assign(1, mode);
}

void TestSource::allocateShared(std::uint64_t bytes) {
    std::vector<UniqueFd> memory;
    for (std::uint32_t i = 0; i < options_.buffers; ++i)
        memory.push_back(allocate(bytes));
    sharedMemory_ = std::move(memory);
    sharedBytes_ = bytes;
}

std::uint64_t TestSource::memoryOfLargest() const noexcept {
    std::uint64_t largest = 0;
    for (const Size& size : options_.modes)
        largest = std::max(largest, memoryOf(size));
    return largest;
}

bool TestSource::blankAt(std::uint64_t step) const noexcept {
    return options_.blankEvery != 0 && step % options_.blankEvery >= options_.blankEvery - options_.blankFrames;
}

Size TestSource::modeAt(std::uint64_t step) const noexcept {
    return options_.modes[step / options_.modeFrames % options_.modes.size()];
}

std::uint32_t TestSource::strideOf(Size size) const noexcept {
    const std::uint32_t row = size.width * bytesPerPixel;
    const std::uint32_t aligned = (row + strideAlignment - 1) / strideAlignment * strideAlignment;
    return options_.has(TestQuirk::wideStride) ? aligned + wideStridePadding : aligned;
}

std::uint64_t TestSource::memoryOf(Size size) const noexcept {
    return std::uint64_t{strideOf(size)} * size.height;
}

ReportedPlane TestSource::primaryReport(std::uint64_t step) const noexcept {
    if (blankAt(step))
        return {};
    const Size size = modeAt(step);
    // The largest mode, 16384 x 16384, is a GiB: no overflow.
    const auto bytes = static_cast<std::uint32_t>(memoryOf(size));
    ReportedPlane plane{.fourcc = options_.fourcc,
                        .modifier = DRM_FORMAT_MOD_LINEAR,
                        .width = size.width,
                        .height = size.height,
                        .stride = strideOf(size),
                        .size = options_.has(TestQuirk::roundedSize) ? std::bit_ceil(bytes) : bytes};
    if (step % spoiledEvery != spoiledEvery - 1)
        return plane;
    if (options_.has(TestQuirk::badFormat))
        plane.fourcc = DRM_FORMAT_YUYV;
    if (options_.has(TestQuirk::badModifier))
        plane.modifier = DRM_FORMAT_MOD_INVALID;
    if (options_.has(TestQuirk::badStride))
        plane.stride = plane.width * bytesPerPixel - 1;
    if (options_.has(TestQuirk::badSize))
        plane.size = 1;
    if (options_.has(TestQuirk::huge))
        plane.width = plane.height = 0x40000001;
    if (options_.has(TestQuirk::beyondBuffer)) {
        plane.height *= 2;
        plane.size *= 2;
    }
    return plane;
}

ReportedPlane TestSource::cursorReport(std::uint64_t step) const noexcept {
    if (!cursorBuffer_ || blankAt(step))
        return {};
    const BufferLayout& layout = cursorBuffer_->layout();
    const Point position = cursorPosition(options_.motion == TestMotion::still ? 0 : step, modeAt(step));
    const auto reported = [&](std::int32_t coordinate) {
        return static_cast<std::uint32_t>(options_.has(TestQuirk::cursorSign) ? std::abs(coordinate) : coordinate);
    };
    ReportedPlane plane{.fourcc = layout.format.fourcc,
                        .modifier = layout.format.modifier,
                        .width = layout.size.width,
                        .height = layout.size.height,
                        .stride = layout.stride,
                        .size = static_cast<std::uint32_t>(layout.byteSize),
                        .x = reported(position.x),
                        .y = reported(position.y),
                        .hotSpotX = static_cast<std::uint32_t>(patternCursorHotSpot.x),
                        .hotSpotY = static_cast<std::uint32_t>(patternCursorHotSpot.y)};
    if (options_.cursor == TestCursor::withoutHotSpot)
        plane.hotSpotX = plane.hotSpotY = noHotSpot;
    else if (options_.has(TestQuirk::hotSpotOutside))
        plane.hotSpotX = plane.hotSpotY = layout.size.width;
    if (options_.has(TestQuirk::badCursor) && step % spoiledEvery == spoiledEvery - 1)
        plane.width = plane.height = maxCursorExtent + 1;
    return plane;
}

PrimaryChange TestSource::showPrimary(std::uint64_t step) {
    const PlaneVerdict verdict = checkPlane(PlaneType::primary, primaryReport(step));
    if (const auto* fault = std::get_if<PlaneFault>(&verdict)) {
        reject(PlaneType::primary, *fault);
        return PrimaryChange::none;
    }
    if (std::holds_alternative<PlaneOff>(verdict)) {
        const bool wasOn = frame_.primary.has_value();
        frame_.primary.reset();
        return wasOn ? PrimaryChange::certain : PrimaryChange::none;
    }
    const BufferLayout& layout = std::get<CheckedPlane>(verdict).layout;
    if (!fitsInto(layout, memoryOf(modeAt(step)))) {
        reject(PlaneType::primary, PlaneFault::beyondBuffer);
        return PrimaryChange::none;
    }

    if (slots_.empty() || slots_.front().buffer->layout() != layout)
        makeSlots(layout);
    const std::uint64_t moved = options_.motion == TestMotion::still ? 0 : step;
    const std::uint64_t number = options_.period == 0 ? moved : moved % options_.period;
    const BufferRef before = frame_.primary ? frame_.primary->buffer : nullptr;
    Slot& slot = slotFor(number);
    if (slot.drawn != number) {
        const MappedAccess access(slot.mapped);
        drawPattern(number, layout.format.fourcc,
                    options_.has(TestQuirk::alphaZero) ? PatternAlpha::zero : PatternAlpha::opaque, layout.size,
                    layout.stride, slot.mapped.bytes());
        slot.drawn = number;
        ++picturesDrawn_;
    }
    currentSlot_ = static_cast<std::size_t>(&slot - slots_.data());
    frameNumber_ = number;
    if (before == slot.buffer)
        return PrimaryChange::none;
    frame_.primary = Plane{.buffer = slot.buffer, .position = {}, .hotSpot = {}};
    return PrimaryChange::certain;
}

void TestSource::showCursor(std::uint64_t step) {
    const PlaneVerdict verdict = checkPlane(PlaneType::cursor, cursorReport(step));
    if (const auto* fault = std::get_if<PlaneFault>(&verdict))
        reject(PlaneType::cursor, *fault);
    else if (const auto* plane = std::get_if<CheckedPlane>(&verdict))
        frame_.cursor = Plane{.buffer = cursorBuffer_, .position = plane->position, .hotSpot = plane->hotSpot};
    else
        frame_.cursor.reset();
}

void TestSource::reject(PlaneType type, PlaneFault fault) {
    ++counters_.planesRejected;
    if (const auto heldBack = rejections_.pass(frame_.queriedAt))
        log_.warning("the {} plane is ignored: {} ({} more since the last message)",
                     type == PlaneType::primary ? "primary" : "cursor", textOf(fault), *heldBack);
}

UniqueFd TestSource::allocate(std::uint64_t bytes) const {
    return kind_ == BufferKind::dmaBuf ? allocateUdmabuf(bytes) : allocateMemfd(bytes);
}

void TestSource::chooseMemory(TestMemory wanted) {
    if (wanted == TestMemory::memfd)
        return;
    try {
        static_cast<void>(allocateUdmabuf(memoryOfLargest()));
        kind_ = BufferKind::dmaBuf;
    } catch (const Error& error) {
        if (wanted == TestMemory::udmabuf)
            throw;
        log_.debug("the test vGPU uses plain memory, no dma-bufs: {}", error.what());
    }
}

void TestSource::makeSlots(const BufferLayout& layout) {
    if (!slots_.empty()) {
        frame_.primary.reset();
        retireSlots();
        counters_.reallocations += options_.buffers;
    }
    for (std::uint32_t i = 0; i < options_.buffers; ++i) {
        // The memory is allocated by the stride; the layout ends with the last pixel.
        UniqueFd memory = sharedMemory_.empty() ? allocate(std::uint64_t{layout.stride} * layout.size.height)
                                                : sharedMemory_[i].duplicate();
        auto buffer = std::make_shared<const Buffer>(kind_, layout, std::move(memory));
        MappedBuffer mapped = mapToDraw(*buffer);
        if (kind_ == BufferKind::memory)
            ownCopies_.push_back(buffer);
        slots_.push_back({std::move(buffer), std::move(mapped), {}});
    }
    currentSlot_ = slots_.size() - 1;
}

void TestSource::retireSlots() {
    ownCopies_.clear();
    for (const Slot& slot : std::exchange(slots_, {}))
        if (observer_)
            observer_->bufferRetired(*slot.buffer);
    slots_.reserve(options_.buffers);
}

void TestSource::makeCursor() {
    const std::uint32_t stride = patternCursorSize.width * bytesPerPixel;
    const std::uint64_t bytes = std::uint64_t{stride} * patternCursorSize.height;
    auto buffer = std::make_shared<const Buffer>(kind_,
                                                 BufferLayout{.size = patternCursorSize,
                                                              .stride = stride,
                                                              .offset = 0,
                                                              .byteSize = bytes,
                                                              .format = {DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR}},
                                                 allocate(bytes));
    const MappedBuffer mapped = mapToDraw(*buffer);
    const MappedAccess access(mapped);
    for (std::uint32_t y = 0; y < patternCursorSize.height; ++y) {
        for (std::uint32_t x = 0; x < patternCursorSize.width; ++x) {
            const std::uint32_t pixel = cursorPixel(x, y);
            std::memcpy(mapped.row(y).data() + std::size_t{x} * bytesPerPixel, &pixel, sizeof(pixel));
        }
    }
    cursorBuffer_ = std::move(buffer);
}

TestSource::Slot& TestSource::slotFor(std::uint64_t number) noexcept {
    if (options_.period != 0 && options_.period <= slots_.size())
        return slots_[number];
    if (slots_[currentSlot_].drawn == number)
        return slots_[currentSlot_];
    // The one shown longest ago comes first. A guest waits for no reader: where all are being read, it is that one.
    for (std::size_t ahead = 1; ahead < slots_.size(); ++ahead) {
        Slot& slot = slots_[(currentSlot_ + ahead) % slots_.size()];
        if (!slot.buffer->beingRead())
            return slot;
    }
    return slots_[(currentSlot_ + 1) % slots_.size()];
}

PollResult TestSource::end(std::string reason) {
    endReason_ = std::move(reason);
    return {.status = PollStatus::ended};
}

} // namespace vgpuview

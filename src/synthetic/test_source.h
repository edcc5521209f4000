// SPDX-License-Identifier: MIT
// The test vGPU: a frame source that draws its own pictures, known to the last pixel.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "frame/frame_source.h"
#include "frame/mapped_buffer.h"
#include "frame/plane_check.h"
#include "synthetic/test_options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {

/// Shows patternPixel(frameNumber(), x, y), and the cursor of pattern.h. Every report goes through checkPlane() as a
/// driver's would, and one that fails keeps the frame before. With two buffers or more a picture is drawn before it is
/// shown, into a buffer that is neither shown nor being read as long as there is one. With one buffer the source
/// behaves like a driver whose guest draws in what it shows: each poll says "possible".
class TestSource final : public FrameSource {
public:
    /// Clock and log outlive the source. Throws Error where there is no memory of the kind asked for.
    TestSource(TestSourceOptions options, const Clock& clock, Log& log);
    ~TestSource() override;
    TestSource(const TestSource&) = delete;
    TestSource& operator=(const TestSource&) = delete;

    [[nodiscard]] const SourceDescription& description() const noexcept override { return description_; }
    void observe(FrameSourceObserver* observer) noexcept override { observer_ = observer; }
    PollResult poll() override;
    [[nodiscard]] const Frame& frame() const noexcept override { return frame_; }
    [[nodiscard]] std::span<const BufferRef> primaryBuffers() const noexcept override { return ownCopies_; }
    [[nodiscard]] SourceCounters counters() const noexcept override { return counters_; }
    [[nodiscard]] std::string endReason() const override { return endReason_; }
    /// From the next poll on the mode is the monitor's, up to 7680 x 4320, instead of those in the options.
    void setMonitor(const GuestMonitor& monitor) noexcept override;

    /// The number that the picture on screen was drawn with (period and still applied).
    [[nodiscard]] std::uint64_t frameNumber() const noexcept { return frameNumber_; }
    /// How many pictures were drawn.
    [[nodiscard]] std::uint64_t picturesDrawn() const noexcept { return picturesDrawn_; }

private:
    struct Slot {
        BufferRef buffer;
        MappedBuffer mapped;
        std::optional<std::uint64_t> drawn; ///< the number of the picture in it
    };

    [[nodiscard]] std::uint64_t nextStep(TimePoint now) noexcept;
    void followMonitor(TimePoint now);
    [[nodiscard]] bool blankAt(std::uint64_t step) const noexcept;
    [[nodiscard]] Size modeAt(std::uint64_t step) const noexcept;
    [[nodiscard]] std::uint32_t strideOf(Size size) const noexcept;
    [[nodiscard]] std::uint64_t memoryOf(Size size) const noexcept;
    [[nodiscard]] std::uint64_t memoryOfLargest() const noexcept;
    [[nodiscard]] ReportedPlane primaryReport(std::uint64_t step) const noexcept;
    [[nodiscard]] ReportedPlane cursorReport(std::uint64_t step) const noexcept;

    [[nodiscard]] PrimaryChange showPrimary(std::uint64_t step);
    void showCursor(std::uint64_t step);
    void reject(PlaneType type, PlaneFault fault);

    [[nodiscard]] UniqueFd allocate(std::uint64_t bytes) const;
    void allocateShared(std::uint64_t bytes);
    void chooseMemory(TestMemory wanted);
    void makeSlots(const BufferLayout& layout);
    void retireSlots();
    void makeCursor();
    [[nodiscard]] Slot& slotFor(std::uint64_t number) noexcept;
    [[nodiscard]] PollResult end(std::string reason);

    TestSourceOptions options_;
    const Clock& clock_;
    Log& log_;
    BufferKind kind_ = BufferKind::memory;
    SourceDescription description_;
    FrameSourceObserver* observer_ = nullptr;
    RateLimit rejections_;

    std::vector<UniqueFd> sharedMemory_; ///< one per slot, for the same-memory quirk
    std::uint64_t sharedBytes_ = 0;      ///< of each
    std::vector<Slot> slots_;
    std::size_t currentSlot_ = 0;
    std::vector<BufferRef>
        ownCopies_; ///< of plain memory, which a region-type vGPU's source makes; a driver's are not known
    BufferRef cursorBuffer_;

    std::optional<GuestMonitor> monitor_; ///< asked for and not yet followed
    std::optional<TimePoint> startedAt_;
    std::uint64_t startStep_ = 0;       ///< the frame at that time
    std::optional<std::uint64_t> step_; ///< the frame that the last poll showed; counts on where the picture does not
    std::uint64_t frameNumber_ = 0;
    std::uint64_t picturesDrawn_ = 0;
    Frame frame_;
    SourceCounters counters_;
    std::string endReason_;
};

} // namespace vgpuview

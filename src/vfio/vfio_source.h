// SPDX-License-Identifier: MIT
// A real vGPU as a source of frames.
#pragma once

#include "base/log.h"
#include "frame/frame_source.h"
#include "loop/event_loop.h"
#include "vfio/device.h"
#include "vfio/dmabuf_cache.h"
#include "vfio/opened_device.h"
#include "vfio/plane_query.h"
#include "vfio/quirks.h"
#include "vfio/region_plane.h"
#include "vfio/virtual_monitor.h"

#include <cstdint>
#include <optional>
#include <string>

namespace vgpuview {

/// Polls the planes of an open device. When the process ends whose descriptor it copied, it tells the observer and then
/// closes its copy, which would keep the device from being reset or removed.
class VfioSource final : public FrameSource {
public:
    /// io, loop and log outlive it. Throws Error where the device has no display.
    VfioSource(OpenedDevice opened, std::string address, VfioIo& io, EventLoop& loop, Log& log);
    VfioSource(const VfioSource&) = delete;
    VfioSource& operator=(const VfioSource&) = delete;
    ~VfioSource() override;

    [[nodiscard]] const SourceDescription& description() const noexcept override { return description_; }
    void observe(FrameSourceObserver* observer) noexcept override { observer_ = observer; }
    PollResult poll() override;
    [[nodiscard]] const Frame& frame() const noexcept override { return frame_; }
    [[nodiscard]] std::span<const BufferRef> primaryBuffers() const noexcept override {
        return primaryRegion_.buffers();
    }
    [[nodiscard]] SourceCounters counters() const noexcept override;
    [[nodiscard]] std::string endReason() const override { return endReason_; }
    void setMonitor(const GuestMonitor& monitor) noexcept override;

private:
    enum class Reading { shown, off, kept, askAgain, gone };

    [[nodiscard]] DisplayKind findDisplay() const;
    void describe(std::string address);
    void findMonitor();
    [[nodiscard]] Reading readPlane(PlaneType type, std::optional<Plane>& plane, PollResult& result);
    [[nodiscard]] Reading readDmaBuf(PlaneType type, const PlaneAnswer& answer, const CheckedPlane& checked,
                                     BufferRef& buffer);
    [[nodiscard]] Reading readRegion(PlaneType type, const PlaneAnswer& answer, const CheckedPlane& checked,
                                     BufferRef& buffer, PollResult& result);
    void pollPrimary(PollResult& result);
    void pollCursor(PollResult& result);
    void reject(PlaneType type, const PlaneAnswer& answer, PlaneFault fault);
    void warnOf(PlaneType type, std::string_view operation, int errorNumber);
    void noteRegionIndex(std::uint32_t index);
    void bufferRetired(const Buffer& buffer);
    void processEnded();
    PollResult endWith(std::string reason);
    void letGo();

    VfioIo& io_;
    EventLoop& loop_;
    Log& log_;
    OpenedDevice opened_;
    DeviceCalls device_;
    DisplayKind kind_;
    QuirkSet quirks_;
    QuirkSet describedQuirks_;
    SourceDescription description_;
    PlaneQuery query_;
    FrameSourceObserver* observer_ = nullptr;
    DmaBufCache dmaBufs_;
    RegionPlane primaryRegion_;
    RegionPlane cursorRegion_;
    std::optional<VirtualMonitor> monitor_;
    Frame frame_;
    PlaneAnswer primaryAnswer_;
    std::uint32_t regionCount_ = 0;
    std::uint64_t reallocations_ = 0;
    std::uint64_t planesRejected_ = 0;
    RateLimit warnings_;
    std::string endReason_;
    bool ended_ = false;
    Watch processWatch_;
    Watch letGoWatch_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A real vGPU as a source of frames.
#include "vfio/vfio_source.h"

#include "base/error.h"
#include "vfio/source.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <tuple>
#include <utility>

namespace vgpuview {

namespace {

constexpr Nanoseconds warningInterval = std::chrono::seconds(10);
// A guest that flips between query and fetch is asked again, but not for ever.
constexpr unsigned mostQueries = 3;

std::string_view nameOfPlane(PlaneType type) noexcept {
    return type == PlaneType::cursor ? "cursor" : "primary";
}

} // namespace

VfioSource::VfioSource(OpenedDevice opened, std::string address, VfioIo& io, EventLoop& loop, Log& log)
    : io_(io)
    , loop_(loop)
    , log_(log)
    , opened_(std::move(opened))
    , device_(io_, opened_.device.get())
    , kind_(findDisplay())
    , quirks_(opened_.vgpu ? quirksOfDriver(opened_.vgpu->parentDriver) : QuirkSet{})
    , query_(device_, kind_, quirks_)
    , dmaBufs_(device_, quirks_, [this](const Buffer& buffer) { bufferRetired(buffer); })
    , primaryRegion_(device_, [this](const Buffer& buffer) { bufferRetired(buffer); })
    , cursorRegion_(device_, [this](const Buffer& buffer) { bufferRetired(buffer); })
    , warnings_(warningInterval) {
    describe(std::move(address));
    findMonitor();
    if (device_.countRegions(regionCount_) < 0)
        regionCount_ = UINT32_MAX;
    if (opened_.process)
        processWatch_ = loop_.watchFd(opened_.process.get(), EPOLLIN, [this](std::uint32_t) { processEnded(); });
}

VfioSource::~VfioSource() = default;

DisplayKind VfioSource::findDisplay() const {
    const int dmaBuf = device_.offers(DisplayKind::dmaBuf);
    if (dmaBuf >= 0)
        return DisplayKind::dmaBuf;
    if (device_.offers(DisplayKind::region) >= 0)
        return DisplayKind::region;
    throw Error(EOPNOTSUPP,
                {.operation = "show",
                 .object = opened_.vgpu ? opened_.vgpu->uuid : std::string("the device"),
                 .cause = "it has no display",
                 .hint = "choose a type of vGPU with a display; `vgpu-view probe` tells what a device has"});
}

void VfioSource::describe(std::string address) {
    description_.name = opened_.vgpu ? opened_.vgpu->uuid : address;
    description_.address = std::move(address);
    description_.vmName = opened_.holder ? opened_.holder->vmName : std::string();
    description_.vmProcess = opened_.holder ? opened_.holder->pid : 0;
    description_.type = opened_.vgpu ? opened_.vgpu->type : std::string();
    description_.display = kind_;
    description_.quirks = quirks_.names();
    describedQuirks_ = quirks_;
}

void VfioSource::findMonitor() {
    const std::optional<EdidRegion> region = EdidRegion::find(device_);
    if (!region || region->limits().maxBytes < std::tuple_size_v<EdidBlock>)
        description_.monitorFixedBecause = "its driver takes no EDID";
    else if (opened_.holderShowsIt)
        description_.monitorFixedBecause = "its VM has a display of its own (display=on), which decides";
    else if (!opened_.lock)
        description_.monitorFixedBecause = "another program may decide, since nothing tells which device it is";
    else {
        description_.monitorFixedBecause.clear();
        monitor_.emplace(*region, opened_.vgpu ? opened_.vgpu->uuid.substr(0, 8) : std::string(), loop_, log_);
    }
}

void VfioSource::setMonitor(const GuestMonitor& monitor) noexcept {
    if (monitor_)
        monitor_->set(monitor);
}

PollResult VfioSource::poll() {
    PollResult result;
    if (ended_) {
        result.status = PollStatus::ended;
        return result;
    }
    frame_.queriedAt = loop_.now();
    pollPrimary(result);
    if (result.status == PollStatus::ok)
        pollCursor(result);
    if (result.status == PollStatus::ended)
        return endWith("the device was removed or does not answer any more");
    if (quirks_ != describedQuirks_) {
        description_.quirks = quirks_.names();
        describedQuirks_ = quirks_;
    }
    return result;
}

void VfioSource::pollPrimary(PollResult& result) {
    const BufferRef before = frame_.primary ? frame_.primary->buffer : nullptr;
    Reading reading = Reading::askAgain;
    for (unsigned i = 0; i < mostQueries && reading == Reading::askAgain; ++i)
        reading = readPlane(PlaneType::primary, frame_.primary, result);
    switch (reading) {
    case Reading::shown: {
        const Buffer& buffer = *frame_.primary->buffer;
        if (frame_.primary->buffer != before) {
            if (before && kind_ == DisplayKind::dmaBuf && before->layout() != buffer.layout())
                ++reallocations_;
            result.primary = PrimaryChange::certain;
        } else if (kind_ == DisplayKind::dmaBuf) {
            result.primary = PrimaryChange::possible;
        }
        if (result.damage.empty() && result.primary != PrimaryChange::none)
            result.damage = Damage::all(buffer.layout().size);
        break;
    }
    case Reading::off:
        if (before)
            result.primary = PrimaryChange::certain;
        break;
    case Reading::gone:
        result.status = PollStatus::ended;
        break;
    case Reading::kept:
    case Reading::askAgain:
        break;
    }
    if (result.primary == PrimaryChange::certain)
        ++frame_.sequence;
}

void VfioSource::pollCursor(PollResult& result) {
    Reading reading = Reading::askAgain;
    PollResult ofCursor;
    for (unsigned i = 0; i < mostQueries && reading == Reading::askAgain; ++i)
        reading = readPlane(PlaneType::cursor, frame_.cursor, ofCursor);
    if (reading == Reading::gone)
        result.status = PollStatus::ended;
}

VfioSource::Reading VfioSource::readPlane(PlaneType type, std::optional<Plane>& plane, PollResult& result) {
    PlaneAnswer answer;
    switch (query_.query(type, frame_.queriedAt, answer)) {
    case QueryOutcome::answered:
        break;
    case QueryOutcome::failed:
        warnOf(type, "query", query_.error(type));
        return Reading::kept;
    case QueryOutcome::unsupported:
    case QueryOutcome::resting:
        return Reading::kept;
    case QueryOutcome::gone:
        return Reading::gone;
    }
    if (type == PlaneType::primary) {
        primaryAnswer_ = answer;
    } else if (answersPrimary(primaryAnswer_, answer)) {
        quirks_.note(Quirk::cursorAnswersPrimary);
        query_.giveUp(PlaneType::cursor);
        plane.reset();
        return Reading::off;
    }
    const PlaneVerdict verdict = checkPlane(type, answer.plane);
    if (std::holds_alternative<PlaneOff>(verdict)) {
        plane.reset();
        return Reading::off;
    }
    if (const auto* fault = std::get_if<PlaneFault>(&verdict)) {
        reject(type, answer, *fault);
        return Reading::kept;
    }
    const auto& checked = std::get<CheckedPlane>(verdict);
    noteQuirksOf(type, answer.plane, checked, quirks_);
    BufferRef buffer;
    const Reading reading = kind_ == DisplayKind::region ? readRegion(type, answer, checked, buffer, result)
                                                         : readDmaBuf(type, answer, checked, buffer);
    if (reading == Reading::shown)
        plane = Plane{.buffer = std::move(buffer), .position = checked.position, .hotSpot = checked.hotSpot};
    return reading;
}

VfioSource::Reading VfioSource::readDmaBuf(PlaneType type, const PlaneAnswer& answer, const CheckedPlane& checked,
                                           BufferRef& buffer) {
    CachedDmaBuf found;
    const int result = dmaBufs_.find(type, answer.token, checked.layout, answer.plane.size, found);
    if (result == -EINVAL || result == -ENOENT) {
        quirks_.note(Quirk::idGone);
        return Reading::askAgain;
    }
    if (result < 0) {
        warnOf(type, "fetch the dma-buf of", -result);
        return Reading::kept;
    }
    if (found.fault) {
        reject(type, answer, *found.fault);
        return Reading::kept;
    }
    buffer = std::move(found.buffer);
    return Reading::shown;
}

VfioSource::Reading VfioSource::readRegion(PlaneType type, const PlaneAnswer& answer, const CheckedPlane& checked,
                                           BufferRef& buffer, PollResult& result) {
    noteRegionIndex(answer.token);
    RegionPlane& region = type == PlaneType::cursor ? cursorRegion_ : primaryRegion_;
    RegionUpdate update = region.update(answer.token, checked.layout);
    if (update.error != 0) {
        warnOf(type, "read the region of", update.error);
        return Reading::kept;
    }
    if (update.fault) {
        reject(type, answer, *update.fault);
        return Reading::kept;
    }
    if (update.changed) {
        result.primary = PrimaryChange::certain;
        result.damage = update.damage;
    }
    buffer = std::move(update.buffer);
    return Reading::shown;
}

void VfioSource::noteRegionIndex(std::uint32_t index) {
    if (index >= regionCount_)
        quirks_.note(Quirk::regionIndexBeyond);
}

void VfioSource::reject(PlaneType type, const PlaneAnswer& answer, PlaneFault fault) {
    ++planesRejected_;
    const ReportedPlane& plane = answer.plane;
    if (const auto heldBack = warnings_.pass(frame_.queriedAt))
        log_.warning("the {} plane is not shown: {} ({} x {}, {}, stride {}, size {}; {} more such messages left out)",
                     nameOfPlane(type), textOf(fault), plane.width, plane.height,
                     vgpuview::nameOf(PixelFormat{plane.fourcc, plane.modifier}), plane.stride, plane.size, *heldBack);
}

void VfioSource::warnOf(PlaneType type, std::string_view operation, int errorNumber) {
    if (const auto heldBack = warnings_.pass(frame_.queriedAt))
        log_.warning("cannot {} the {} plane: {} ({} more such messages left out)", operation, nameOfPlane(type),
                     std::generic_category().message(errorNumber), *heldBack);
}

SourceCounters VfioSource::counters() const noexcept {
    return {.bytesCopied = primaryRegion_.bytesCopied() + cursorRegion_.bytesCopied(),
            .reallocations = reallocations_ + primaryRegion_.reallocations(),
            .planesRejected = planesRejected_};
}

void VfioSource::bufferRetired(const Buffer& buffer) {
    if (observer_)
        observer_->bufferRetired(buffer);
}

// In the order that the driver needs: sinks let go of dma-bufs, then the cache does, then the device is closed.
void VfioSource::processEnded() {
    processWatch_ = {};
    if (ended_)
        return;
    ended_ = true;
    const std::string vm = description_.vmName.empty() ? std::string("the VM") : "VM " + description_.vmName;
    endReason_ = fmt::format("{} ended (pid {})", vm, opened_.holder ? opened_.holder->pid : 0);
    if (observer_)
        observer_->sourceEnded();
    letGo();
}

PollResult VfioSource::endWith(std::string reason) {
    ended_ = true;
    endReason_ = std::move(reason);
    // Sinks let go of their buffers once this poll has returned.
    letGoWatch_ = loop_.nextTurn([this] { letGo(); });
    PollResult result;
    result.status = PollStatus::ended;
    return result;
}

void VfioSource::letGo() {
    processWatch_ = {};
    monitor_.reset();
    frame_.primary.reset();
    frame_.cursor.reset();
    dmaBufs_.clear();
    primaryRegion_.clear();
    cursorRegion_.clear();
    opened_.device.reset();
    opened_.iommufd.reset();
    opened_.group.reset();
    opened_.container.reset();
    opened_.process.reset();
    opened_.lock.reset();
}

std::unique_ptr<FrameSource> openVfioSource(const SourceAddress& address, const HostPaths& paths, VfioIo& io,
                                            EventLoop& loop, Log& log) {
    OpenedDevice opened = openDevice(address, paths, io);
    log.debug("opened {} by {}", textOf(address), nameOf(opened.way));
    return std::make_unique<VfioSource>(std::move(opened), textOf(address), io, loop, log);
}

} // namespace vgpuview

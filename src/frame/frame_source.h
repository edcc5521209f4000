// SPDX-License-Identifier: MIT
// Where frames come from: the contract of a real vGPU and of the test vGPU.
#pragma once

#include "frame/frame.h"
#include "frame/guest_monitor.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

/// How the pixels reach this process.
enum class DisplayKind { dmaBuf, region, memory };
[[nodiscard]] std::string_view nameOf(DisplayKind kind) noexcept;

/// Fixed facts on a source, for titles, node names and reports.
struct SourceDescription {
    std::string address; ///< as the user would write it: "mdev:UUID", "test:1920x1080"
    std::string name;    ///< short and unique on this host: the UUID, or "test"
    std::string vmName;  ///< the VM that runs on it, or empty
    int vmProcess = 0;   ///< the process id of what runs the VM; 0: not known
    std::string type;    ///< "mbochs-2", "i915-GVTg_V5_4", "test"
    DisplayKind display = DisplayKind::dmaBuf;
    std::vector<std::string> quirks; ///< names of the driver quirks that are worked around
    /// Why the guest's monitor can't be chosen, as a clause; empty: setMonitor() chooses it.
    std::string monitorFixedBecause = "its driver takes no EDID";
};

/// What a poll found out about the primary plane. Cursor changes show in the frame itself.
enum class PrimaryChange {
    none,     ///< the same picture, for certain
    possible, ///< the same buffer; the guest may have drawn in it, there is no way to tell
    certain,  ///< another buffer, another geometry, other pixels, or the plane came or went
};

enum class PollStatus {
    ok,
    ended, ///< the source is gone for good (VM ended, device removed); endReason() tells; poll no more
};

struct PollResult {
    PollStatus status = PollStatus::ok;
    PrimaryChange primary = PrimaryChange::none;
    /// Changed pixels of the primary buffer since the poll before. All of it where the source cannot tell.
    Damage damage = {};
};

struct SourceCounters {
    std::uint64_t bytesCopied = 0;    ///< by the CPU in this process
    std::uint64_t reallocations = 0;  ///< buffers made anew by the source (a mode change)
    std::uint64_t planesRejected = 0; ///< planes that failed validation
};

class FrameSourceObserver {
public:
    virtual ~FrameSourceObserver() = default;
    /// The source has dropped its reference and will not show this buffer again: sinks free their imports of it.
    /// Called from within poll() or the source's destruction of its cache, on the loop's thread.
    virtual void bufferRetired(const Buffer& buffer) = 0;
    /// Called from the loop (never from within poll()) when the source ends by itself, as when its VM stops.
    virtual void sourceEnded() = 0;
};

/// One vGPU's screen. All calls on one thread; none blocks. Buffers handed out by a source that wraps a device must be
/// let go of before the source is destroyed.
class FrameSource {
public:
    virtual ~FrameSource() = default;

    [[nodiscard]] virtual const SourceDescription& description() const noexcept = 0;
    /// At most one observer; nullptr takes it away.
    virtual void observe(FrameSourceObserver* observer) noexcept = 0;
    /// Asks the driver now. Bad reports are dropped (and counted), errors of one poll keep the last frame.
    virtual PollResult poll() = 0;
    /// As of the last poll. Valid until the next one.
    [[nodiscard]] virtual const Frame& frame() const noexcept = 0;
    /// All buffers that the primary plane turns between until one is retired, where that is known before each is shown:
    /// where the source made them itself. Else none. Valid until the next poll.
    [[nodiscard]] virtual std::span<const BufferRef> primaryBuffers() const noexcept { return {}; }
    [[nodiscard]] virtual SourceCounters counters() const noexcept = 0;
    /// Why poll() said ended, as a clause: "the VM ended (pid 4711)".
    [[nodiscard]] virtual std::string endReason() const = 0;
    /// Has the guest see this monitor, soon; what it makes of it is its own affair. Does nothing where the description
    /// says why.
    virtual void setMonitor(const GuestMonitor& monitor) noexcept { static_cast<void>(monitor); }
};

} // namespace vgpuview

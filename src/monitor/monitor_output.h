// SPDX-License-Identifier: MIT
// One monitor: its mode, and how the guest's picture gets onto it.
#pragma once

#include "base/histogram.h"
#include "base/log.h"
#include "frame/frame.h"
#include "frame/guest_monitor.h"
#include "monitor/guest_buffer.h"
#include "monitor/mode.h"
#include "monitor/monitor_options.h"
#include "monitor/pacer.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {

/// What is to be seen: either a guest's picture or a notice. Valid during the call that it is passed to.
struct MonitorPicture {
    GuestBuffer* primary = nullptr; ///< null: the notice is shown
    GuestBuffer* cursor = nullptr;
    Point cursorPosition;          ///< top left corner in guest pixels
    GuestBuffer* notice = nullptr; ///< null: nothing but black
    Rect damage;                   ///< of the primary buffer, since the picture before
    TimePoint queriedAt;           ///< when the guest was asked
};

struct MonitorCounters {
    std::uint64_t scannedOut = 0;
    std::uint64_t composed = 0;
    std::uint64_t presented = 0;
    std::uint64_t presentedZeroCopy = 0;
    std::uint64_t dropped = 0;
    std::uint64_t failedCommits = 0;
    std::uint64_t refusedScanOuts = 0;
    std::uint64_t refusedImports = 0;
    std::uint64_t cursorOnPlane = 0;  ///< commits with the guest's own cursor buffer on the cursor plane
    std::uint64_t cursorRendered = 0; ///< commits with a cursor that wlroots drew into a buffer for the plane
    std::uint64_t modeChanges = 0;
    std::uint64_t bytesCopied = 0;
    std::uint64_t blits = 0;
    DurationHistogram latency;

    void add(const MonitorCounters& other) noexcept;
};

class MonitorOutput;

class MonitorOutputObserver {
public:
    virtual ~MonitorOutputObserver() = default;
    /// The monitor takes a picture: isReady() holds.
    virtual void outputReady(MonitorOutput& output) = 0;
    /// Its size changed without our doing.
    virtual void outputResized(MonitorOutput& output) = 0;
    /// It went away. It must not be used for more than its counters.
    virtual void outputGone(MonitorOutput& output) = 0;
};

/// Wraps an output of wlroots from its announcement to its end. Neither copied nor moved: wlroots calls it.
class MonitorOutput {
public:
    /// The handle, log, clock and observer outlive it, or outputGone() came.
    MonitorOutput(monitor_output* handle, bool rendererIsCpu, const MonitorOptions& options, const Clock& clock,
                  Log& log, MonitorOutputObserver& observer, std::function<void(std::exception_ptr)> fail);
    MonitorOutput(const MonitorOutput&) = delete;
    MonitorOutput& operator=(const MonitorOutput&) = delete;
    ~MonitorOutput();

    /// Lights it up in the mode that suits the guest's picture. False: it refuses every mode.
    bool enable(std::optional<Size> picture);
    /// Shows the picture, scanned out where the monitor takes it, else composed. False: nothing was shown, try again
    /// later.
    bool present(const MonitorPicture& picture);
    /// Forgets what was refused before: the session is back, or the mode changed.
    void retryScanOut() noexcept {
        refusedFormat_.reset();
        failedScanOuts_ = 0;
    }
    void scheduleFrame();

    [[nodiscard]] bool isReady() const noexcept { return ready_; }
    [[nodiscard]] bool isGone() const noexcept { return handle_ == nullptr; }
    /// Whether it shows something older than what it was last told by markStale().
    [[nodiscard]] bool isStale() const noexcept { return stale_; }
    void markStale() noexcept { stale_ = true; }
    /// Not ready before the next frame event, whatever it said before.
    void markBusy() noexcept { ready_ = false; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] Size size() const;
    [[nodiscard]] bool hasVariableRefresh() const { return monitor_output_variable_refresh(handle_); }
    [[nodiscard]] Nanoseconds refreshInterval() const;
    /// What the guest is to believe it is shown on. Nothing while it has no size.
    [[nodiscard]] std::optional<GuestMonitor> guestMonitor() const;
    /// Where the guest's picture is on it; empty while there is none.
    [[nodiscard]] const Rect& picturePlace() const noexcept { return picturePlace_; }
    /// When to ask the guest for the picture of the next refresh; may have passed.
    [[nodiscard]] TimePoint askAt() const;
    [[nodiscard]] const MonitorCounters& counters() const noexcept { return counters_; }

private:
    struct InFlight {
        std::optional<TimePoint> queriedAt; ///< nothing: a notice
        bool scannedOut = false;
        TimePoint committedAt;
    };
    enum class Obstacle { none, cursor, size, refusal, import };
    /// Why the picture is not scanned out; said when it changes.
    struct Explanation {
        Obstacle obstacle = Obstacle::none;
        Size picture;
        Size monitor;
        PixelFormat format;
        friend bool operator==(const Explanation&, const Explanation&) = default;
    };
    struct ShownCursor {
        BufferId buffer = 0; ///< 0: none was tried
        Point position;
        monitor_cursor where = MONITOR_CURSOR_REFUSED;
    };

    void handleFrame();
    void handlePresented(bool presented, std::int64_t whenNanoseconds, bool zeroCopy);
    void handleResized();
    void handleDestroyed();
    template<typename Function>
    void guarded(Function&& function) noexcept;

    [[nodiscard]] std::vector<MonitorMode> modes() const;
    [[nodiscard]] std::optional<MonitorMode> chooseMode(const std::vector<MonitorMode>& modes,
                                                        std::optional<Size> picture) const;
    bool followGuest(Size picture);
    [[nodiscard]] bool showCursorOnPlane(const MonitorPicture& picture, const Rect& place);
    void hideCursor();
    [[nodiscard]] monitor_result scanOut(const MonitorPicture& picture, const Rect& place);
    [[nodiscard]] monitor_result compose(const MonitorPicture& picture, const Rect& place, bool withCursor);
    void explain(Obstacle obstacle, const BufferLayout& layout);

    monitor_output* handle_;
    bool rendererIsCpu_;
    const MonitorOptions& options_;
    const Clock& clock_;
    Log& log_;
    MonitorOutputObserver& observer_;
    std::function<void(std::exception_ptr)> fail_;
    std::string name_;
    bool ready_ = false;
    bool stale_ = true;
    std::optional<Size> modeChosenFor_;
    std::optional<BufferLayout> refusedFormat_; ///< not tried again until retryScanOut()
    unsigned failedScanOuts_ = 0;               ///< in a row, after a test commit that said yes
    std::optional<InFlight> inFlight_;
    Rect picturePlace_;
    ShownCursor cursor_;
    Explanation explanation_;
    Pacer pacer_;
    MonitorCounters counters_;
};

} // namespace vgpuview

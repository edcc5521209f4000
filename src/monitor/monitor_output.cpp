// SPDX-License-Identifier: MIT
// One monitor: its mode, and how the guest's picture gets onto it.
#include "monitor/monitor_output.h"

#include <array>
#include <utility>

namespace vgpuview {

namespace {

constexpr std::uint32_t fallbackRefreshMilliHz = 60'000;
// A commit may fail for a moment. A driver that fails each one after it let the test pass refuses the buffer.
constexpr unsigned mostFailedScanOuts = 3;

monitor_rectangle rectangleOf(const Rect& rect) noexcept {
    return {.x = rect.origin.x,
            .y = rect.origin.y,
            .width = static_cast<std::int32_t>(rect.size.width),
            .height = static_cast<std::int32_t>(rect.size.height)};
}

std::uint32_t notNegative(std::int32_t value) noexcept {
    return value > 0 ? static_cast<std::uint32_t>(value) : 0;
}

std::string textOf(const MonitorMode& mode) {
    const std::string size = fmt::format("{}x{}", mode.size.width, mode.size.height);
    return mode.refreshMilliHz > 0 ? fmt::format("{}@{:.3f}", size, mode.refreshMilliHz / 1000.0) : size;
}

} // namespace

void MonitorCounters::add(const MonitorCounters& other) noexcept {
    scannedOut += other.scannedOut;
    composed += other.composed;
    presented += other.presented;
    presentedZeroCopy += other.presentedZeroCopy;
    dropped += other.dropped;
    failedCommits += other.failedCommits;
    refusedScanOuts += other.refusedScanOuts;
    refusedImports += other.refusedImports;
    cursorOnPlane += other.cursorOnPlane;
    cursorRendered += other.cursorRendered;
    modeChanges += other.modeChanges;
    bytesCopied += other.bytesCopied;
    blits += other.blits;
    latency.merge(other.latency);
}

template<typename Function>
void MonitorOutput::guarded(Function&& function) noexcept {
    try {
        function();
    } catch (...) {
        fail_(std::current_exception());
    }
}

MonitorOutput::MonitorOutput(monitor_output* handle, bool rendererIsCpu, const MonitorOptions& options,
                             const Clock& clock, Log& log, MonitorOutputObserver& observer,
                             std::function<void(std::exception_ptr)> fail)
    : handle_(handle)
    , rendererIsCpu_(rendererIsCpu)
    , options_(options)
    , clock_(clock)
    , log_(log)
    , observer_(observer)
    , fail_(std::move(fail))
    , name_(monitor_output_name(handle)) {
    const monitor_output_events events{
        .data = this,
        .frame =
            [](void* data) {
                auto* self = static_cast<MonitorOutput*>(data);
                self->guarded([&] { self->handleFrame(); });
            },
        .presented =
            [](void* data, bool presented, std::int64_t when, bool zeroCopy) {
                static_cast<MonitorOutput*>(data)->handlePresented(presented, when, zeroCopy);
            },
        .resized =
            [](void* data) {
                auto* self = static_cast<MonitorOutput*>(data);
                self->guarded([&] { self->handleResized(); });
            },
        .destroyed =
            [](void* data) {
                auto* self = static_cast<MonitorOutput*>(data);
                self->guarded([&] { self->handleDestroyed(); });
            },
    };
    monitor_output_listen(handle_, &events);
}

MonitorOutput::~MonitorOutput() {
    if (handle_)
        monitor_output_ignore(handle_);
}

void MonitorOutput::handleFrame() {
    ready_ = true;
    observer_.outputReady(*this);
}

void MonitorOutput::handlePresented(bool presented, std::int64_t whenNanoseconds, bool zeroCopy) {
    const auto flight = std::exchange(inFlight_, std::nullopt);
    if (!flight)
        return;
    const TimePoint when = whenNanoseconds > 0 ? TimePoint(Nanoseconds(whenNanoseconds)) : clock_.now();
    if (presented)
        pacer_.presented(flight->committedAt, when, refreshInterval());
    if (!flight->queriedAt)
        return;
    if (!presented) {
        ++counters_.dropped;
        return;
    }
    ++counters_.presented;
    if (zeroCopy && flight->scannedOut)
        ++counters_.presentedZeroCopy;
    counters_.latency.add(when - *flight->queriedAt);
}

void MonitorOutput::handleResized() {
    log_.info("monitor {} is now {}x{}", name_, size().width, size().height);
    retryScanOut();
    stale_ = true;
    scheduleFrame();
    observer_.outputResized(*this);
}

void MonitorOutput::handleDestroyed() {
    handle_ = nullptr;
    ready_ = false;
    observer_.outputGone(*this);
}

void MonitorOutput::scheduleFrame() {
    if (handle_)
        monitor_output_schedule_frame(handle_);
}

Size MonitorOutput::size() const {
    const monitor_mode mode = monitor_output_mode(handle_);
    return {notNegative(mode.width), notNegative(mode.height)};
}

Nanoseconds MonitorOutput::refreshInterval() const {
    const std::uint32_t reported = notNegative(monitor_output_mode(handle_).refresh_millihertz);
    return Nanoseconds(1'000'000'000'000 / (reported > 0 ? reported : fallbackRefreshMilliHz));
}

std::optional<GuestMonitor> MonitorOutput::guestMonitor() const {
    const auto chosen = chooseMode(modes(), std::nullopt);
    const MonitorMode mode =
        chosen ? *chosen
               : MonitorMode{.size = size(),
                             .refreshMilliHz = notNegative(monitor_output_mode(handle_).refresh_millihertz)};
    if (mode.size.empty())
        return std::nullopt;
    GuestMonitor monitor{.size = mode.size,
                         .refreshMilliHz = mode.refreshMilliHz > 0 ? mode.refreshMilliHz : fallbackRefreshMilliHz};
    std::int32_t width = 0;
    std::int32_t height = 0;
    monitor_output_millimetres(handle_, &width, &height);
    if (width > 0 && height > 0)
        monitor.millimetres = Size{notNegative(width), notNegative(height)};
    return monitor;
}

TimePoint MonitorOutput::askAt() const {
    // With a variable refresh the monitor waits for the picture.
    return monitor_output_variable_refresh(handle_) ? clock_.now() : pacer_.askAt(clock_.now(), refreshInterval());
}

std::vector<MonitorMode> MonitorOutput::modes() const {
    std::vector<monitor_mode> raw(monitor_output_modes(handle_, nullptr, 0));
    const std::size_t count = monitor_output_modes(handle_, raw.data(), raw.size());
    std::vector<MonitorMode> modes;
    for (std::size_t i = 0; i < std::min(count, raw.size()); ++i)
        modes.push_back({.size = {notNegative(raw[i].width), notNegative(raw[i].height)},
                         .refreshMilliHz = notNegative(raw[i].refresh_millihertz),
                         .preferred = raw[i].preferred});
    return modes;
}

std::optional<MonitorMode> MonitorOutput::chooseMode(const std::vector<MonitorMode>& modes,
                                                     std::optional<Size> picture) const {
    if (modes.empty()) {
        // A window of a parent compositor, or no monitor at all: whatever is asked for.
        if (!options_.mode)
            return std::nullopt;
        return MonitorMode{.size = options_.mode->size, .refreshMilliHz = options_.mode->refreshMilliHz.value_or(0)};
    }
    if (options_.mode) {
        if (const auto index = findMode(modes, *options_.mode))
            return modes[*index];
        return modes[*modeForPicture(modes, std::nullopt)];
    }
    return modes[*modeForPicture(modes, picture)];
}

bool MonitorOutput::enable(std::optional<Size> picture) {
    modeChosenFor_ = picture;
    std::vector<MonitorMode> candidates = modes();
    if (options_.mode && !candidates.empty() && !findMode(candidates, *options_.mode))
        log_.warning("monitor {} has no mode {}x{}", name_, options_.mode->size.width, options_.mode->size.height);
    bool variableRefresh = options_.variableRefresh == VariableRefresh::on;
    for (;;) {
        const auto chosen = chooseMode(candidates, picture);
        const monitor_mode mode =
            chosen ? monitor_mode{.width = static_cast<std::int32_t>(chosen->size.width),
                                  .height = static_cast<std::int32_t>(chosen->size.height),
                                  .refresh_millihertz = static_cast<std::int32_t>(chosen->refreshMilliHz),
                                  .preferred = false}
                   : monitor_mode{};
        // A buffer on a plane is of no use to the modeset commit and may forbid it.
        hideCursor();
        if (monitor_output_enable(handle_, chosen ? &mode : nullptr, variableRefresh) == MONITOR_DONE) {
            if (variableRefresh && !monitor_output_variable_refresh(handle_))
                log_.info("monitor {} has no variable refresh", name_);
            break;
        }
        if (!handle_)
            return false;
        if (std::exchange(variableRefresh, false))
            continue;
        if (!chosen || candidates.empty()) {
            log_.warning("monitor {} can't be switched on", name_);
            return false;
        }
        log_.warning("monitor {} refuses its mode {}", name_, textOf(*chosen));
        std::erase(candidates, *chosen);
        if (candidates.empty()) {
            log_.warning("monitor {} refuses every mode", name_);
            return false;
        }
    }
    ++counters_.modeChanges;
    pacer_.reset();
    retryScanOut();
    ready_ = false;
    stale_ = true;
    scheduleFrame();
    const std::uint32_t refresh = notNegative(monitor_output_mode(handle_).refresh_millihertz);
    const std::string_view description = monitor_output_description(handle_);
    log_.info("monitor {}{}{}{}: {}", name_, description.empty() ? "" : " (", description,
              description.empty() ? "" : ")", textOf({.size = size(), .refreshMilliHz = refresh}));
    return true;
}

bool MonitorOutput::followGuest(Size picture) {
    if (options_.mode || modeChosenFor_ == picture)
        return false;
    modeChosenFor_ = picture;
    const auto chosen = chooseMode(modes(), picture);
    return chosen && chosen->size != size() && enable(picture);
}

bool MonitorOutput::present(const MonitorPicture& picture) {
    if (!handle_)
        return false;
    // A commit may end with the monitor's end; handle_ is checked after each.
    if (picture.primary && followGuest(picture.primary->layout().size))
        return true;
    const Size monitor = size();
    if (monitor.empty())
        return false;
    const TimePoint began = clock_.now();
    GuestBuffer* shown = picture.primary ? picture.primary : picture.notice;
    const Rect place =
        shown ? placePicture(shown->layout().size, monitor, picture.primary ? options_.scale : MonitorScale::original)
              : Rect{};
    picturePlace_ = picture.primary ? place : Rect{};
    const bool withCursor = !showCursorOnPlane(picture, place) && picture.primary && picture.cursor;
    monitor_result result = withCursor ? MONITOR_REFUSED : scanOut(picture, place);
    if (result == MONITOR_REFUSED && handle_) {
        if (picture.primary) {
            const BufferLayout& layout = picture.primary->layout();
            explain(withCursor                                        ? Obstacle::cursor
                    : place.size == monitor && layout.size == monitor ? Obstacle::refusal
                                                                      : Obstacle::size,
                    layout);
        }
        result = compose(picture, place, withCursor);
    }
    if (result != MONITOR_DONE) {
        ++counters_.failedCommits;
        inFlight_.reset();
        return false;
    }
    pacer_.committed(clock_.now() - began);
    ready_ = false;
    stale_ = false;
    if (cursor_.where == MONITOR_CURSOR_PLANE)
        ++counters_.cursorOnPlane;
    else if (cursor_.where == MONITOR_CURSOR_PLANE_RENDERED)
        ++counters_.cursorRendered;
    return true;
}

bool MonitorOutput::showCursorOnPlane(const MonitorPicture& picture, const Rect& place) {
    if (!picture.primary || !picture.cursor || place.size != picture.primary->layout().size) {
        hideCursor();
        return false;
    }
    const Point position{place.origin.x + picture.cursorPosition.x, place.origin.y + picture.cursorPosition.y};
    const BufferId buffer = picture.cursor->id();
    if (cursor_.buffer == buffer && cursor_.where != MONITOR_CURSOR_REFUSED) {
        if (cursor_.position == position)
            return true;
        if (monitor_output_move_cursor(handle_, position.x, position.y)) {
            cursor_.position = position;
            return true;
        }
    } else if (cursor_.buffer == buffer) {
        return false;
    }
    cursor_ = {.buffer = buffer,
               .position = position,
               .where = monitor_output_show_cursor(handle_, picture.cursor->handle(), position.x, position.y)};
    return cursor_.where != MONITOR_CURSOR_REFUSED;
}

void MonitorOutput::hideCursor() {
    if (cursor_.where != MONITOR_CURSOR_REFUSED)
        monitor_output_hide_cursor(handle_);
    cursor_ = {};
}

monitor_result MonitorOutput::scanOut(const MonitorPicture& picture, const Rect& place) {
    if (!picture.primary)
        return MONITOR_REFUSED;
    const BufferLayout& layout = picture.primary->layout();
    if (refusedFormat_ == layout)
        return MONITOR_REFUSED;
    const monitor_layer layer{.buffer = picture.primary->handle(), .destination = rectangleOf(place)};
    const Rect damage = picture.damage.empty() ? Rect{{0, 0}, layout.size} : picture.damage;
    const monitor_rectangle changed = rectangleOf(damage);
    picture.primary->lockForReading();
    inFlight_ = InFlight{.queriedAt = picture.queriedAt, .scannedOut = true, .committedAt = clock_.now()};
    const monitor_result result = monitor_output_scan_out(handle_, &layer, &changed);
    if (result == MONITOR_DONE) {
        ++counters_.scannedOut;
        failedScanOuts_ = 0;
        explain(Obstacle::none, layout);
    } else if (result == MONITOR_REFUSED || ++failedScanOuts_ >= mostFailedScanOuts) {
        ++counters_.refusedScanOuts;
        refusedFormat_ = layout;
    }
    return result;
}

monitor_result MonitorOutput::compose(const MonitorPicture& picture, const Rect& place, bool withCursor) {
    std::array<monitor_layer, 2> layers{};
    std::size_t count = 0;
    GuestBuffer* const base = picture.primary ? picture.primary : picture.notice;
    GuestBuffer* const cursor = withCursor ? picture.cursor : nullptr;
    const auto handleOf = [](GuestBuffer& buffer) { return buffer.pixelsInUse() ? buffer.pixels() : buffer.handle(); };
    if (base)
        layers[count++] = {.buffer = handleOf(*base), .destination = rectangleOf(place)};
    if (cursor)
        layers[count++] = {.buffer = handleOf(*cursor),
                           .destination = rectangleOf(placeWithin({picture.cursorPosition, cursor->layout().size},
                                                                  base->layout().size, place))};
    inFlight_ = InFlight{.queriedAt = picture.primary ? std::optional(picture.queriedAt) : std::nullopt,
                         .committedAt = clock_.now()};
    monitor_result result = monitor_output_compose(handle_, layers.data(), count);
    if (result == MONITOR_IMPORT_FAILED && handle_) {
        ++counters_.refusedImports;
        // The renderer can't import: let it have the pixels, as far as they can be had.
        count = 0;
        if (base && base->pixels())
            layers[count++].buffer = base->pixels();
        if (cursor && count > 0 && cursor->pixels())
            layers[count++].buffer = cursor->pixels();
        result = monitor_output_compose(handle_, layers.data(), count);
        if (count == 0 && picture.primary)
            explain(Obstacle::import, picture.primary->layout());
    }
    if (result != MONITOR_DONE)
        return result;
    ++counters_.composed;
    for (GuestBuffer* buffer : {base, cursor})
        if (buffer && buffer->pixelsInUse())
            counters_.bytesCopied += buffer->layout().byteSize;
    if (rendererIsCpu_)
        counters_.bytesCopied += std::uint64_t{place.size.width} * place.size.height * 4;
    else
        ++counters_.blits;
    return MONITOR_DONE;
}

void MonitorOutput::explain(Obstacle obstacle, const BufferLayout& layout) {
    const Explanation explanation{
        .obstacle = obstacle, .picture = layout.size, .monitor = size(), .format = layout.format};
    if (explanation == explanation_)
        return;
    explanation_ = explanation;
    constexpr std::string_view composed = "the guest's picture is composed, not scanned out";
    switch (obstacle) {
    case Obstacle::none:
        log_.info("monitor {}: the guest's picture is scanned out", name_);
        break;
    case Obstacle::cursor:
        log_.info("monitor {}: {}: its cursor does not go on the cursor plane", name_, composed);
        break;
    case Obstacle::size:
        log_.info("monitor {}: {}: it is {}x{} and the monitor {}x{}", name_, composed, layout.size.width,
                  layout.size.height, explanation.monitor.width, explanation.monitor.height);
        break;
    case Obstacle::refusal:
        log_.info("monitor {}: {}: the monitor refuses {}", name_, composed, nameOf(layout.format));
        break;
    case Obstacle::import:
        log_.warning("monitor {}: the guest's {} can be neither imported nor read, so it stays black", name_,
                     nameOf(layout.format));
        break;
    }
}

} // namespace vgpuview

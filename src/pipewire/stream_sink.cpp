// SPDX-License-Identifier: MIT
// A PipeWire video source as a sink: consumers get the guest's own buffers.
#include "pipewire/stream_sink.h"

#include "base/error.h"
#include "pipewire/buffer_set.h"
#include "pipewire/cursor_image.h"
#include "pipewire/daemon_connection.h"
#include "pipewire/offers.h"
#include "pipewire/picture_copy.h"
#include "pipewire/slot_pool.h"
#include "pipewire/stream_node.h"

#include <spa/param/video/raw.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace vgpuview {

namespace {

// The most that a link carries in the daemon's shipped configuration (link.max-buffers).
constexpr int mostSlots = 16;
constexpr BufferCount directSlots{.preferred = mostSlots, .least = 4, .most = mostSlots};
constexpr BufferCount copySlots{.preferred = 4, .least = 2, .most = mostSlots};

// The graph says that the node runs before the consumer does, and a frame that comes too early is lost: the first one
// is repeated, each time after twice the delay, for a third of a second.
constexpr Nanoseconds firstRepeat = std::chrono::milliseconds(10);
constexpr Nanoseconds lastRepeat = std::chrono::milliseconds(160);

// How long consumers may take to look at a frame before it counts as lost and is handed on again.
constexpr Nanoseconds shortestPatience = std::chrono::milliseconds(50);
constexpr Nanoseconds longestPatience = std::chrono::seconds(1);

// Each change of the guest's set of buffers costs the consumers a new pool. A guest that brings new buffers all the
// time is copied: after so many changes beyond one in each interval.
constexpr unsigned mostSetChanges = 24;
constexpr Nanoseconds setChangeInterval = std::chrono::milliseconds(250);

constexpr Nanoseconds firstRetry = std::chrono::milliseconds(100);
constexpr Nanoseconds longestRetry = std::chrono::seconds(5);

} // namespace

class StreamSink::Stream final : private NodeObserver {
public:
    Stream(StreamSink& sink, EventLoop& loop, Log& log, StreamOptions options);

    void attach(FrameDemand& demand);
    void show(const FrameUpdate& update);
    void forget(const Buffer& buffer);
    void sourceGone();
    [[nodiscard]] Nanoseconds interval() const noexcept { return interval_; }
    [[nodiscard]] SinkReport report() const;

private:
    void stateChanged(NodeState state, const char* error) override;
    void formatChosen(const ChosenFormat* format) override;
    void bufferAdded(pw_buffer& buffer) override;
    void bufferRemoved(pw_buffer& buffer) override;
    void cycleDone() override;

    void connect();
    void connectionLost();
    void reconnect();
    void createNode();
    void recreateNode();
    void refuseNameInUse() const;
    [[nodiscard]] NodeProperties nodeProperties() const;
    void tellSerial();

    [[nodiscard]] std::vector<Offer> offers();
    [[nodiscard]] std::vector<Pod> formatPods() const;
    void announce();
    void wantFirstFrame();
    void wantWholeFrame();
    void cycleLost();
    void countSetChange();
    void linksChanged();
    [[nodiscard]] Slot* directSlot();
    [[nodiscard]] Slot* copySlot();
    void fillCopy(Slot& slot, const std::optional<Plane>& cursor);
    void handOn(Slot& slot, const FrameUpdate& update);
    [[nodiscard]] CopyTarget targetIn(const Slot& slot) const noexcept;
    [[nodiscard]] const char* rungName() const noexcept;

    StreamSink& sink_;
    EventLoop& loop_;
    Log& log_;
    StreamOptions options_;
    FrameDemand* demand_ = nullptr;
    SinkReport counters_;
    std::uint64_t directFrames_ = 0;
    std::uint64_t reconnects_ = 0;

    std::string sourceName_;
    std::string nodeName_;
    BufferRef picture_; ///< what the guest shows; nothing: no picture
    BufferSet set_{mostSlots};
    CursorImage cursorImage_;
    PictureCopy copier_;

    unsigned setChanges_ = 0; ///< fading with time
    TimePoint lastSetChange_{};
    bool churning_ = false;

    std::vector<Offer> offers_;
    std::optional<Offer> chosen_;
    std::optional<Rung> toldRung_;
    Nanoseconds interval_;
    TimePoint due_{};
    std::uint64_t sequence_ = 0;     ///< of the last frame handed on
    std::uint64_t sequenceBase_ = 0; ///< what earlier sources left off at
    std::int64_t lastTimestamp_ = 0;
    NodeState state_ = NodeState::offline;
    std::string serial_;

    // The node's end is told to what stands above it.
    Watch firstFrame_;
    std::unique_ptr<Timer> nextFrameTimer_;
    bool swapping_ = false; ///< a new pool is under way
    bool cycling_ = false;  ///< the consumers have not all seen the last frame yet
    Nanoseconds patience_ = shortestPatience;
    std::unique_ptr<Timer> cycleTimer_;
    Nanoseconds repeatDelay_ = firstRepeat;
    std::unique_ptr<Timer> repeatTimer_;
    Watch linksChange_;
    Watch recreation_;
    Nanoseconds retryDelay_ = firstRetry;
    std::unique_ptr<Timer> retryTimer_;
    SlotPool pool_;
    std::unique_ptr<DaemonConnection> connection_;
    std::unique_ptr<StreamNode> node_;
};

StreamSink::Stream::Stream(StreamSink& sink, EventLoop& loop, Log& log, StreamOptions options)
    : sink_(sink)
    , loop_(loop)
    , log_(log)
    , options_(std::move(options))
    , nodeName_(options_.nodeName)
    , interval_(Nanoseconds(std::chrono::seconds(1)) / std::max(options_.maxFps, 1U))
    , nextFrameTimer_(loop.makeTimer([this] { demand_->frameWanted(sink_, due_); }))
    , cycleTimer_(loop.makeTimer([this] { cycleLost(); }))
    , repeatTimer_(loop.makeTimer([this] { wantWholeFrame(); }))
    , retryTimer_(loop.makeTimer([this] { reconnect(); })) {
    counters_.dropped = 0;
    connect();
    if (!nodeName_.empty())
        refuseNameInUse();
}

void StreamSink::Stream::attach(FrameDemand& demand) {
    demand_ = &demand;
    // One frame tells the format that is to be offered.
    demand_->frameWanted(sink_, loop_.now());
}

void StreamSink::Stream::show(const FrameUpdate& update) {
    picture_ = update.frame.primary ? update.frame.primary->buffer : nullptr;
    if (!node_) {
        if (sourceName_.empty()) {
            sourceName_ = update.source.name;
            if (options_.description.empty())
                options_.description = update.source.vmName.empty()
                                           ? fmt::format("vGPU {} ({})", update.source.name, update.source.type)
                                           : fmt::format("{} (vGPU {})", update.source.vmName, update.source.type);
        }
        if (connection_)
            createNode();
        return;
    }
    if (state_ != NodeState::streaming || !chosen_)
        return;
    if (cycling_ || swapping_) {
        // It comes when the consumers have seen the last one, or got the new pool.
        demand_->refreshWanted(sink_);
        return;
    }
    Slot* const slot = chosen_->rung == Rung::direct ? directSlot() : copySlot();
    if (slot) {
        if (chosen_->rung == Rung::copy)
            fillCopy(*slot, update.frame.cursor);
        handOn(*slot, update);
    }
    due_ = std::max(due_ + interval_, loop_.now());
    if (!cycling_ && !swapping_)
        demand_->frameWanted(sink_, due_);
}

void StreamSink::Stream::forget(const Buffer& buffer) {
    if (picture_ && picture_->id() == buffer.id())
        picture_.reset();
    set_.drop(buffer.id());
    copier_.forget(buffer.id());
    cursorImage_.forget(buffer.id());
}

void StreamSink::Stream::sourceGone() {
    picture_.reset();
    set_.clear();
    copier_.clear();
    cursorImage_.forget(cursorImage_.id());
    pool_.unlock();
    sequenceBase_ = sequence_;
    if (state_ != NodeState::streaming || !chosen_ || chosen_->rung != Rung::copy)
        return;
    pool_.collect(*node_);
    if (Slot* const slot = pool_.freeSlotFor(0)) {
        PictureCopy::fillBlack(targetIn(*slot));
        tellCursor(*slot, cursorImage_, {});
        pool_.push(*node_, *slot);
    }
}

SinkReport StreamSink::Stream::report() const {
    SinkReport report = counters_;
    report.details.emplace_back("node_name", nodeName_);
    report.details.emplace_back("object_serial", serial_);
    report.details.emplace_back("path", toldRung_ ? rungName() : "none");
    report.details.emplace_back("frames_without_copy", std::to_string(directFrames_));
    report.details.emplace_back("reconnects", std::to_string(reconnects_));
    if (connection_)
        report.details.emplace_back("daemon_version", connection_->version());
    return report;
}

void StreamSink::Stream::stateChanged(NodeState state, const char* error) {
    const NodeState before = std::exchange(state_, state);
    if (state == NodeState::streaming) {
        firstFrame_ = loop_.nextTurn([this] { wantFirstFrame(); });
        return;
    }
    repeatTimer_->disarm();
    cycleTimer_->disarm();
    nextFrameTimer_->disarm();
    cycling_ = false;
    swapping_ = false;
    if (before == NodeState::streaming && demand_)
        demand_->frameNotWanted(sink_);
    if (state == NodeState::idle)
        tellSerial();
    if (state == NodeState::error) {
        log_.warning("the PipeWire stream failed: {}", error ? error : "unknown error");
        recreation_ = loop_.nextTurn([this] { recreateNode(); });
    }
}

void StreamSink::Stream::formatChosen(const ChosenFormat* format) {
    chosen_.reset();
    if (!format)
        return;
    const Offer* const offer = chosenOf(offers_, *format);
    if (!offer) {
        log_.warning("the PipeWire consumer chose a format that was not offered");
        return;
    }
    chosen_ = *offer;
    const Fraction rate = format->framerate.numerator != 0 ? format->framerate : format->maxFramerate;
    interval_ = Nanoseconds(std::chrono::seconds(1)) / std::max(options_.maxFps, 1U);
    if (rate.numerator != 0)
        interval_ = std::max(interval_, Nanoseconds(std::chrono::seconds(1)) * rate.denominator / rate.numerator);
    if (toldRung_ != offer->rung) {
        toldRung_ = offer->rung;
        log_.info("stream: {}x{}, {}", offer->size.width, offer->size.height, rungName());
    }
    std::vector<Pod> parameters;
    if (offer->rung == Rung::direct) {
        const SlotMemory memory = offer->modifier ? SlotMemory::dmaBuf : SlotMemory::memFd;
        parameters.push_back(buffersPod(memory, directSlots, 0, 0));
    } else {
        const std::uint32_t bytesPerPixel = offer->videoFormat == SPA_VIDEO_FORMAT_YUY2 ? 2 : 4;
        parameters.push_back(
            buffersPod(SlotMemory::memFd, copySlots, offer->size.width * bytesPerPixel, offer->size.height));
    }
    parameters.push_back(metaPod(SPA_META_Header, sizeof(spa_meta_header)));
    if (options_.cursor == CursorMode::metadata && options_.role == StreamRole::screen)
        parameters.push_back(metaPod(SPA_META_Cursor, CursorImage::metaSize));
    node_->accept(parameters);
}

void StreamSink::Stream::bufferAdded(pw_buffer& buffer) {
    if (chosen_ && chosen_->rung == Rung::direct && !set_.buffers().empty())
        pool_.addAlias(buffer, set_.buffers());
    else if (chosen_)
        pool_.addMemory(buffer, chosen_->size.width * (chosen_->videoFormat == SPA_VIDEO_FORMAT_YUY2 ? 2 : 4),
                        chosen_->size.height);
    // After the last one of the new pool.
    if (!firstFrame_ || state_ == NodeState::streaming)
        firstFrame_ = loop_.nextTurn([this] { wantFirstFrame(); });
}

void StreamSink::Stream::bufferRemoved(pw_buffer& buffer) {
    pool_.remove(buffer);
}

void StreamSink::Stream::cycleDone() {
    if (!std::exchange(cycling_, false))
        return;
    cycleTimer_->disarm();
    patience_ = shortestPatience;
    // By a timer even where it is due now: a wanted frame may be shown at once, and this is libpipewire's stack.
    nextFrameTimer_->arm(std::max(due_, loop_.now()));
}

void StreamSink::Stream::cycleLost() {
    cycling_ = false;
    swapping_ = false;
    patience_ = std::min(patience_ * 2, longestPatience);
    if (state_ != NodeState::streaming)
        return;
    demand_->refreshWanted(sink_);
    demand_->frameWanted(sink_, loop_.now());
}

void StreamSink::Stream::connect() {
    connection_ = std::make_unique<DaemonConnection>(loop_, DaemonConnection::Events{
                                                                .lost = [this] { connectionLost(); },
                                                                .nodeKnown =
                                                                    [this](std::uint32_t nodeId) {
                                                                        if (node_ && node_->id() == nodeId)
                                                                            tellSerial();
                                                                    },
                                                                .linksChanged =
                                                                    [this](std::uint32_t nodeId) {
                                                                        if (node_ && node_->id() == nodeId)
                                                                            linksChange_ = loop_.nextTurn(
                                                                                [this] { linksChanged(); });
                                                                    },
                                                            });
}

void StreamSink::Stream::connectionLost() {
    linksChange_ = {};
    recreation_ = {};
    node_.reset();
    connection_.reset();
    chosen_.reset();
    state_ = NodeState::offline;
    if (demand_)
        demand_->frameNotWanted(sink_);
    if (options_.daemonLoss == DaemonLoss::exit)
        throw Error(EPIPE, {.operation = "stream through",
                            .object = "PipeWire",
                            .cause = "the daemon went away",
                            .exit = ExitCode::failed});
    log_.warning("PipeWire went away; waiting for it to come back");
    retryDelay_ = firstRetry;
    retryTimer_->arm(loop_.now() + retryDelay_);
}

void StreamSink::Stream::reconnect() {
    try {
        connect();
    } catch (const Error& error) {
        log_.debug("{}", error.what());
        retryDelay_ = std::min(retryDelay_ * 2, longestRetry);
        retryTimer_->arm(loop_.now() + retryDelay_);
        return;
    }
    ++reconnects_;
    log_.info("PipeWire is back");
    if (!sourceName_.empty())
        createNode();
}

void StreamSink::Stream::refuseNameInUse() const {
    if (connection_->hasNodeNamed(nodeName_))
        throw Error(EADDRINUSE, {.operation = "create PipeWire node",
                                 .object = nodeName_,
                                 .cause = "another node has this name",
                                 .hint = "choose one with --node-name",
                                 .exit = ExitCode::held});
}

void StreamSink::Stream::createNode() {
    if (nodeName_.empty()) {
        nodeName_ = fmt::format("vgpu-view.{}", sourceName_);
        refuseNameInUse();
    }
    if (picture_)
        set_.use(picture_);
    offers_ = offers();
    serial_.clear();
    node_ = std::make_unique<StreamNode>(loop_, connection_->core(), options_.description, nodeProperties(),
                                         formatPods(), static_cast<NodeObserver&>(*this));
}

void StreamSink::Stream::recreateNode() {
    node_.reset();
    chosen_.reset();
    if (connection_)
        createNode();
}

NodeProperties StreamSink::Stream::nodeProperties() const {
    return {
        {PW_KEY_MEDIA_CLASS, "Video/Source"},
        {PW_KEY_MEDIA_TYPE, "Video"},
        {PW_KEY_MEDIA_CATEGORY, "Capture"},
        {PW_KEY_MEDIA_ROLE, options_.role == StreamRole::camera ? "Camera" : "Screen"},
        {PW_KEY_NODE_NAME, nodeName_},
        {PW_KEY_NODE_DESCRIPTION, options_.description},
        // Any Video/Source is a candidate for the default camera: be the last one.
        {PW_KEY_PRIORITY_SESSION, "1"},
    };
}

void StreamSink::Stream::tellSerial() {
    if (!serial_.empty() || !node_)
        return;
    const std::optional<std::uint32_t> id = node_->id();
    const KnownNode* const known = id ? connection_->node(*id) : nullptr;
    if (!known)
        return;
    serial_ = known->serial;
    log_.info("stream: PipeWire node {}, object.serial {}", nodeName_, serial_);
}

std::vector<Offer> StreamSink::Stream::offers() {
    const bool screen = options_.role == StreamRole::screen;
    const bool direct = screen && !churning_ && options_.cursor != CursorMode::embedded &&
                        (options_.tearing == Tearing::allowed || (picture_ && picture_->kind() == BufferKind::memory));
    const bool copies = !picture_ || copier_.readable(*picture_);
    return offersFor(picture_.get(), direct ? DirectFrames::offered : DirectFrames::withheld,
                     !screen  ? CopiedFrames::camera
                     : copies ? CopiedFrames::screen
                              : CopiedFrames::none);
}

std::vector<Pod> StreamSink::Stream::formatPods() const {
    std::vector<Pod> pods;
    const RateChoice rates = options_.role == StreamRole::camera ? RateChoice::list : RateChoice::range;
    for (const Offer& offer : offers_)
        pods.push_back(formatPod(offer, rates, std::max(options_.maxFps, 1U)));
    return pods;
}

void StreamSink::Stream::announce() {
    offers_ = offers();
    ++counters_.reallocations;
    swapping_ = true;
    cycleTimer_->arm(loop_.now() + patience_);
    node_->announce(formatPods());
}

void StreamSink::Stream::wantFirstFrame() {
    firstFrame_ = {};
    swapping_ = false;
    if (chosen_ && chosen_->rung == Rung::direct && pool_.size() > 0)
        set_.limit(pool_.size());
    repeatDelay_ = firstRepeat;
    wantWholeFrame();
}

void StreamSink::Stream::wantWholeFrame() {
    if (state_ != NodeState::streaming)
        return;
    if (repeatDelay_ <= lastRepeat) {
        repeatTimer_->arm(loop_.now() + repeatDelay_);
        repeatDelay_ *= 2;
    }
    pool_.retellCursor();
    due_ = loop_.now();
    demand_->refreshWanted(sink_);
    demand_->frameWanted(sink_, due_);
}

Slot* StreamSink::Stream::directSlot() {
    if (!picture_)
        return nullptr;
    const BufferSet::Change change = set_.use(picture_);
    if (change != BufferSet::Change::none || !pool_.carries(picture_->id())) {
        countSetChange();
        announce();
        return nullptr;
    }
    pool_.collect(*node_);
    Slot* const slot = pool_.freeSlotFor(picture_->id());
    if (slot) {
        if (picture_->kind() == BufferKind::memory)
            slot->lock = BufferReadLock(picture_);
        return slot;
    }
    ++*counters_.dropped;
    pool_.cycle(*node_);
    demand_->refreshWanted(sink_);
    return nullptr;
}

void StreamSink::Stream::countSetChange() {
    const TimePoint now = loop_.now();
    const auto forgiven = (now - lastSetChange_) / setChangeInterval;
    lastSetChange_ = now;
    setChanges_ = forgiven >= setChanges_ ? 1 : setChanges_ - static_cast<unsigned>(forgiven) + 1;
    if (setChanges_ <= mostSetChanges || !copier_.readable(*picture_))
        return;
    churning_ = true;
    log_.info("stream: the guest brings new buffers all the time: from now on they are copied");
}

void StreamSink::Stream::linksChanged() {
    if (connection_->linksFrom(*node_->id()) == 0) {
        // Whoever comes next chooses from the whole ladder.
        if (std::exchange(churning_, false))
            announce();
        setChanges_ = 0;
    } else {
        // A consumer that joins others gets no event of its own: on a static guest it would wait for its first picture
        // for ever.
        wantFirstFrame();
    }
}

Slot* StreamSink::Stream::copySlot() {
    if (picture_) {
        set_.use(picture_);
        if (offers() != offers_) {
            announce();
            return nullptr;
        }
    }
    pool_.collect(*node_);
    Slot* const slot = pool_.freeSlotFor(0);
    if (!slot) {
        ++*counters_.dropped;
        pool_.cycle(*node_);
        demand_->refreshWanted(sink_);
    }
    return slot;
}

CopyTarget StreamSink::Stream::targetIn(const Slot& slot) const noexcept {
    const bool yuy2 = chosen_->videoFormat == SPA_VIDEO_FORMAT_YUY2;
    return {.format = yuy2 ? CopyFormat::yuy2 : CopyFormat::bgrx,
            .size = chosen_->size,
            .stride = chosen_->size.width * (yuy2 ? 2 : 4),
            .bytes = slot.memory.bytes()};
}

void StreamSink::Stream::fillCopy(Slot& slot, const std::optional<Plane>& cursor) {
    const CopyTarget target = targetIn(slot);
    std::optional<Overlay> overlay;
    if (cursor && options_.cursor == CursorMode::embedded) {
        cursorImage_.load(*cursor->buffer);
        overlay = Overlay{.argb = cursorImage_.argb(), .size = cursorImage_.size(), .position = cursor->position};
    }
    if (picture_ && copier_.copy(*picture_, target, overlay))
        counters_.bytesCopied += target.bytes.size();
    else
        PictureCopy::fillBlack(target);
}

void StreamSink::Stream::handOn(Slot& slot, const FrameUpdate& update) {
    sequence_ = std::max(sequence_, sequenceBase_ + update.frame.sequence);
    if (auto* header = static_cast<spa_meta_header*>(
            spa_buffer_find_meta_data(slot.buffer->buffer, SPA_META_Header, sizeof(spa_meta_header)))) {
        const std::int64_t timestamp = update.frame.queriedAt.time_since_epoch().count();
        lastTimestamp_ = std::max(timestamp, lastTimestamp_ + 1);
        *header = {.pts = lastTimestamp_, .seq = sequence_};
    }
    if (options_.cursor == CursorMode::metadata) {
        if (update.frame.cursor)
            cursorImage_.load(*update.frame.cursor->buffer);
        tellCursor(slot, cursorImage_, update.frame.cursor);
    }
    pool_.push(*node_, slot);
    if (node_->driving()) {
        cycling_ = true;
        cycleTimer_->arm(loop_.now() + patience_);
    }
    ++counters_.commits;
    if (chosen_->rung == Rung::direct)
        ++directFrames_;
    counters_.latency.add(loop_.now() - update.frame.queriedAt);
}

const char* StreamSink::Stream::rungName() const noexcept {
    switch (*toldRung_) {
    case Rung::direct:
        return "the guest's own buffers";
    case Rung::blit:
        return "copies by the GPU";
    case Rung::copy:
        return "copies in shared memory";
    }
    return "";
}

StreamSink::StreamSink(EventLoop& loop, Log& log, GpuFactory, StreamOptions options)
    : stream_(std::make_unique<Stream>(*this, loop, log, std::move(options))) {}

StreamSink::~StreamSink() = default;

void StreamSink::attach(FrameDemand& demand) {
    stream_->attach(demand);
}

void StreamSink::show(const FrameUpdate& update) {
    stream_->show(update);
}

void StreamSink::forget(const Buffer& buffer) {
    stream_->forget(buffer);
}

void StreamSink::sourceGone() {
    stream_->sourceGone();
}

Nanoseconds StreamSink::pollInterval() const noexcept {
    return stream_->interval();
}

SinkReport StreamSink::report() const {
    return stream_->report();
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A PipeWire video source as a sink: consumers get the guest's own buffers.
#include "pipewire/stream_sink.h"

#include "pipewire/buffer_set.h"
#include "pipewire/frame_pacing.h"
#include "pipewire/gpu_copies.h"
#include "pipewire/lost_slots.h"
#include "pipewire/negotiation.h"
#include "pipewire/picture_copy.h"
#include "pipewire/published_node.h"
#include "pipewire/set_churn.h"
#include "pipewire/slot_pool.h"
#include "pipewire/slot_writer.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace vgpuview {

namespace {

// As many slots as a link carries in the daemon's shipped configuration.
constexpr std::size_t mostBuffers = 16;

} // namespace

class StreamSink::Stream final : private NodeOwner {
public:
    Stream(StreamSink& sink, EventLoop& loop, Log& log, GpuFactory makeGpu, StreamOptions options);

    void attach(FrameDemand& demand);
    void show(const FrameUpdate& update);
    void forget(const Buffer& buffer);
    void sourceGone();
    [[nodiscard]] Nanoseconds interval() const noexcept { return pacing_.interval(); }
    [[nodiscard]] SinkReport report() const;

private:
    void stateChanged(NodeState state, const char* error) override;
    void formatChosen(const ChosenFormat* format) override;
    void bufferAdded(pw_buffer& buffer) override;
    void bufferRemoved(pw_buffer& buffer) override;
    void cycleDone() override;
    std::vector<Pod> nodeFormats() override;
    void nodeLost() override;
    void consumersChanged() override;
    void consumerExpected() override;

    [[nodiscard]] Withheld withheld() const noexcept;
    void announce();
    void announceWithoutBlits();
    void renewOffer();

    void forgetFormat();
    void takeBackBuffers();
    void lookAfterSlots();
    void beginFrames();
    void wantWholeFrame();
    [[nodiscard]] Slot* freeSlot(BufferId content);
    void noSlotIsFree();
    [[nodiscard]] Slot* directSlot();
    [[nodiscard]] Slot* copySlot(const Offer& format, const std::optional<Plane>& cursor);
    void awaitCycle();
    void handOn(Slot& slot, const FrameUpdate& update);

    StreamSink& sink_;
    EventLoop& loop_;
    Log& log_;
    StreamOptions options_;
    FrameDemand* demand_ = nullptr;
    SinkReport counters_;
    std::uint64_t directFrames_ = 0;

    BufferRef picture_; ///< what the guest shows; nothing: no picture
    BufferSet set_{mostBuffers};
    GpuCopies gpu_;
    BufferRef firstTarget_; ///< of the next pool's copies
    PictureCopy copier_;
    SlotWriter writer_;
    Negotiation negotiation_;

    SetChurn churn_;
    bool gathering_ = false; ///< for one refresh: the set has changed, and the pool is to follow
    std::size_t consumers_ = 0;
    SharedMemoryUse sharedMemoryUse_ = SharedMemoryUse::open;
    bool abandoned_ = false; ///< the last consumer has gone, and its format stands

    NodeState state_ = NodeState::offline;

    // The node's end is told to what stands above it.
    Watch newPool_;
    Watch announcement_;
    FramePacing pacing_;
    SlotPool pool_;
    LostSlots lostSlots_;
    std::unique_ptr<Timer> slotTimer_;
    PublishedNode published_;
};

StreamSink::Stream::Stream(StreamSink& sink, EventLoop& loop, Log& log, GpuFactory makeGpu, StreamOptions options)
    : sink_(sink)
    , loop_(loop)
    , log_(log)
    , options_(std::move(options))
    , gpu_(log, std::move(makeGpu))
    , writer_(options_.cursor, gpu_, copier_)
    , negotiation_(log, options_, gpu_, copier_)
    , pacing_(loop, {.frameDue = [this](TimePoint due) { demand_->frameWanted(sink_, due); },
                     .wholeFrameDue =
                         [this] {
                             pool_.lastIsLost();
                             wantWholeFrame();
                         },
                     .firstFrameDue =
                         [this] {
                             pool_.retellCursor();
                             wantWholeFrame();
                         }})
    , slotTimer_(loop.makeTimer([this] { lookAfterSlots(); }))
    , published_(loop, log, options_, *this) {
    counters_.dropped = 0;
    pacing_.setInterval(negotiation_.interval());
}

void StreamSink::Stream::attach(FrameDemand& demand) {
    demand_ = &demand;
    // One frame tells the format that is to be offered.
    demand_->frameWanted(sink_, loop_.now());
}

void StreamSink::Stream::show(const FrameUpdate& update) {
    picture_ = update.frame.primary ? update.frame.primary->buffer : nullptr;
    writer_.note(update);
    if (picture_) {
        set_.use(picture_);
        for (const BufferRef& other : update.primaryBuffers)
            set_.expect(other);
    }
    if (!published_.published()) {
        published_.publish(update.source);
        return;
    }
    const Offer* const format = negotiation_.chosen();
    if (state_ == NodeState::idle && consumers_ == 0) {
        renewOffer();
        return;
    }
    if (state_ != NodeState::streaming || !format)
        return;
    if (pacing_.busy()) {
        // It comes when the consumers have seen the last one, or got the new pool.
        demand_->refreshWanted(sink_);
        return;
    }
    Slot* const slot = format->rung == Rung::direct ? directSlot() : copySlot(*format, update.frame.cursor);
    if (slot)
        handOn(*slot, update);
    const TimePoint due = pacing_.advance();
    if (!pacing_.busy())
        demand_->frameWanted(sink_, due);
}

void StreamSink::Stream::forget(const Buffer& buffer) {
    if (picture_ && picture_->id() == buffer.id())
        picture_.reset();
    set_.drop(buffer.id());
    gpu_.forget(buffer);
    copier_.forget(buffer.id());
    writer_.forget(buffer.id());
}

void StreamSink::Stream::sourceGone() {
    picture_.reset();
    set_.clear();
    copier_.clear();
    writer_.sourceGone();
    pool_.unlock();
    const Offer* const format = negotiation_.chosen();
    if (state_ != NodeState::streaming || !format || format->rung != Rung::copy)
        return;
    pool_.collect(*published_.node());
    if (Slot* const slot = pool_.freeSlotFor(0)) {
        writer_.writeNothing(*slot, *format);
        pool_.push(*published_.node(), *slot);
    }
}

SinkReport StreamSink::Stream::report() const {
    SinkReport report = counters_;
    report.blits = gpu_.count();
    report.details.emplace_back("path", negotiation_.path());
    report.details.emplace_back("frames_without_copy", std::to_string(directFrames_));
    published_.tell(report);
    return report;
}

void StreamSink::Stream::stateChanged(NodeState state, const char* error) {
    const NodeState before = std::exchange(state_, state);
    if (state == NodeState::streaming) {
        newPool_ = loop_.nextTurn([this] { beginFrames(); });
        return;
    }
    pacing_.stop();
    slotTimer_->disarm();
    if (before == NodeState::streaming && demand_)
        demand_->frameNotWanted(sink_);
    if (state == NodeState::idle)
        published_.tellSerial();
    if (state == NodeState::error) {
        log_.warning("the PipeWire stream failed: {}", error ? error : "unknown error");
        forgetFormat();
        published_.renew();
    }
}

void StreamSink::Stream::forgetFormat() {
    negotiation_.reset();
    firstTarget_.reset();
    gathering_ = false;
}

void StreamSink::Stream::formatChosen(const ChosenFormat* format) {
    if (!format) {
        forgetFormat();
        abandoned_ = false;
        return;
    }
    switch (negotiation_.choose(*format)) {
    case Negotiation::Outcome::notOffered:
        log_.warning("the PipeWire consumer chose a format that was not offered");
        break;
    case Negotiation::Outcome::offerAgain:
        announce();
        break;
    case Negotiation::Outcome::accepted:
        // Before anyone counts on it: since PipeWire 1.4 a slot without memory ends the link.
        if (const Offer& chosen = *negotiation_.chosen(); chosen.rung == Rung::blit && !negotiation_.blitsRefused()) {
            firstTarget_ = gpu_.allocate(chosen.size, chosen.modifiers);
            if (!firstTarget_) {
                announceWithoutBlits();
                break;
            }
        }
        pacing_.setInterval(negotiation_.interval());
        published_.node()->accept(negotiation_.parameters());
        break;
    }
}

void StreamSink::Stream::bufferAdded(pw_buffer& buffer) {
    const Offer* const format = negotiation_.chosen();
    if (format && format->rung == Rung::direct && !set_.buffers().empty()) {
        pool_.addAlias(buffer, set_.buffers());
    } else if (format && format->rung == Rung::copy) {
        pool_.addMemory(buffer, copyStride(*format), format->size.height);
    } else {
        BufferRef target;
        if (format && format->rung == Rung::blit && !negotiation_.blitsRefused()) {
            target = firstTarget_ ? std::move(firstTarget_) : gpu_.allocate(format->size, format->modifiers);
            if (!target)
                announceWithoutBlits();
        }
        pool_.addTarget(buffer, std::move(target));
    }
    // After the last one of the new pool.
    if (!newPool_ || state_ == NodeState::streaming)
        newPool_ = loop_.nextTurn([this] { beginFrames(); });
}

void StreamSink::Stream::bufferRemoved(pw_buffer& buffer) {
    if (const auto* slot = static_cast<const Slot*>(buffer.user_data); slot && slot->target)
        gpu_.forget(*slot->target);
    pool_.remove(buffer);
}

Withheld StreamSink::Stream::withheld() const noexcept {
    switch (sharedMemoryUse_) {
    case SharedMemoryUse::needed:
        return Withheld::dmaBufs;
    case SharedMemoryUse::excluded:
        return Withheld::memory;
    case SharedMemoryUse::open:
        break;
    }
    return churn_.high() ? Withheld::ownBuffers : Withheld::nothing;
}

std::vector<Pod> StreamSink::Stream::nodeFormats() {
    return negotiation_.formatsFor(picture_.get(), withheld());
}

void StreamSink::Stream::nodeLost() {
    announcement_ = {};
    newPool_ = {};
    pacing_.stop();
    slotTimer_->disarm();
    forgetFormat();
    state_ = NodeState::offline;
    if (demand_)
        demand_->frameNotWanted(sink_);
}

void StreamSink::Stream::consumersChanged() {
    const std::size_t consumers = published_.consumers();
    const std::size_t before = std::exchange(consumers_, consumers);
    const SharedMemoryUse use = published_.sharedMemoryUse();
    const Offer* const format = negotiation_.chosen();
    // Those who are served have dma-bufs already where memory is excluded, and often memory where it is needed. Each
    // new offer counts: GStreamer's source of PipeWire 1.4 gives up at a second format.
    const bool servedSo =
        use == SharedMemoryUse::excluded || (use == SharedMemoryUse::needed && format && format->modifiers.empty());
    bool announceAnew = std::exchange(sharedMemoryUse_, use) != use && !servedSo;
    if (consumers < before)
        lostSlots_.suspect();
    if (consumers == 0) {
        if (before > 0)
            log_.debug("stream: no consumer is left");
        // Whoever comes next chooses from the whole ladder, and may take more slots.
        set_.limit(mostBuffers);
        abandoned_ = format != nullptr;
        announceAnew = churn_.reset() || announceAnew;
        announceAnew = negotiation_.retryBlits() || announceAnew;
    } else if (std::exchange(abandoned_, false) && format && !negotiation_.bestIsChosen()) {
        // Until the daemon takes it back, the next one is given the last one's format, where it takes that at all.
        announceAnew = true;
    }
    if (announceAnew)
        announce();
    else if (consumers > before && state_ == NodeState::streaming)
        // One that joins others gets no event of its own: on a static guest it would wait for its first picture for
        // ever.
        beginFrames();
}

void StreamSink::Stream::consumerExpected() {
    if (state_ != NodeState::idle || !demand_)
        return;
    // The guest may have changed its mode while nobody looked. A refresh, or an unchanged guest would be asked again.
    demand_->refreshWanted(sink_);
    demand_->frameWanted(sink_, loop_.now());
}

void StreamSink::Stream::renewOffer() {
    if (!negotiation_.staleFor(picture_.get()))
        return;
    announce();
    // The daemon would hand the last consumer's format to the next one, whatever is offered.
    if (negotiation_.chosen())
        published_.suspend();
}

void StreamSink::Stream::cycleDone() {
    takeBackBuffers();
    pacing_.cycleDone();
}

void StreamSink::Stream::takeBackBuffers() {
    if (state_ != NodeState::streaming)
        return;
    pool_.collect(*published_.node());
    // The source has none left to draw in: no frame comes, and no consumer says when it has done with one.
    const bool sourceWaits = set_.allBeingRead();
    if (sourceWaits || pool_.doubtful())
        slotTimer_->arm(loop_.now() + pacing_.interval());
    if (sourceWaits)
        noSlotIsFree();
}

void StreamSink::Stream::lookAfterSlots() {
    takeBackBuffers();
    Slot* const doubtful = pool_.doubtful();
    if (doubtful && !pacing_.busy()) {
        writer_.redate(*doubtful);
        pool_.pushAgain(*published_.node(), *doubtful);
        awaitCycle();
    }
}

void StreamSink::Stream::announce() {
    ++counters_.reallocations;
    gathering_ = false;
    lostSlots_.clear();
    log_.debug("stream: formats are offered anew");
    if (state_ == NodeState::streaming)
        pacing_.swapBegun();
    published_.node()->announce(nodeFormats());
}

void StreamSink::Stream::announceWithoutBlits() {
    negotiation_.refuseBlits();
    announcement_ = loop_.nextTurn([this] {
        if (published_.node())
            announce();
    });
}

void StreamSink::Stream::beginFrames() {
    newPool_ = {};
    const Offer* const format = negotiation_.chosen();
    if (format && format->rung == Rung::direct && pool_.size() > 0)
        set_.limit(pool_.size());
    if (state_ == NodeState::streaming)
        pacing_.begin();
}

void StreamSink::Stream::wantWholeFrame() {
    if (state_ != NodeState::streaming)
        return;
    demand_->refreshWanted(sink_);
    demand_->frameWanted(sink_, loop_.now());
}

Slot* StreamSink::Stream::freeSlot(BufferId content) {
    pool_.collect(*published_.node());
    Slot* const slot = pool_.freeSlotFor(content);
    if (slot) {
        lostSlots_.found();
    } else {
        ++*counters_.dropped;
        demand_->refreshWanted(sink_);
        noSlotIsFree();
    }
    return slot;
}

void StreamSink::Stream::noSlotIsFree() {
    if (!lostSlots_.none(loop_.now()))
        return;
    log_.debug("stream: consumers that left took buffers along");
    announce();
}

Slot* StreamSink::Stream::directSlot() {
    if (!picture_)
        return nullptr;
    const bool carried = pool_.carries(picture_->id());
    if (!carried && !gathering_ && !negotiation_.staleFor(picture_.get())) {
        // A guest that brings one new buffer often brings the next with its next frame: one new pool for both.
        gathering_ = true;
        demand_->refreshWanted(sink_);
        return nullptr;
    }
    if (!carried || gathering_) {
        churn_.count(loop_.now());
        announce();
        return nullptr;
    }
    Slot* const slot = freeSlot(picture_->id());
    if (slot && picture_->kind() == BufferKind::memory)
        slot->lock = BufferReadLock(picture_);
    return slot;
}

Slot* StreamSink::Stream::copySlot(const Offer& format, const std::optional<Plane>& cursor) {
    if (negotiation_.staleFor(picture_.get())) {
        announce();
        return nullptr;
    }
    const bool byGpu = format.rung == Rung::blit;
    if (byGpu && !picture_)
        return nullptr;
    Slot* const slot = freeSlot(0);
    if (!slot)
        return nullptr;
    if (!byGpu) {
        counters_.bytesCopied += writer_.copy(*slot, format, picture_.get(), cursor);
    } else if (!writer_.blit(*slot, *picture_, cursor)) {
        announceWithoutBlits();
        return nullptr;
    }
    return slot;
}

void StreamSink::Stream::awaitCycle() {
    pacing_.handedOn(published_.node()->driving() ? FramePacing::Cycle::awaited : FramePacing::Cycle::unknown);
}

void StreamSink::Stream::handOn(Slot& slot, const FrameUpdate& update) {
    const Offer& format = *negotiation_.chosen();
    writer_.describe(slot, format, update, negotiation_.damageIsKnown());
    pool_.push(*published_.node(), slot);
    awaitCycle();
    ++counters_.commits;
    if (format.rung == Rung::direct)
        ++directFrames_;
    counters_.latency.add(loop_.now() - update.frame.queriedAt);
}

StreamSink::StreamSink(EventLoop& loop, Log& log, GpuFactory makeGpu, StreamOptions options)
    : stream_(std::make_unique<Stream>(*this, loop, log, std::move(makeGpu), std::move(options))) {}

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

// SPDX-License-Identifier: MIT
// A PipeWire node's video as a source of frames.
#include "pipewire/node_source.h"

#include "base/error.h"
#include "frame/plane_check.h"
#include "pipewire/stream_format.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spa/param/video/format.h>
#include <spa/pod/builder.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <string_view>
#include <utility>

namespace vgpuview {

namespace {

constexpr std::int64_t answerTime = 3 * SPA_NSEC_PER_SEC;
constexpr Nanoseconds refusalInterval = std::chrono::seconds(10);
constexpr Nanoseconds renegotiationInterval = std::chrono::milliseconds(500);
constexpr std::size_t podBytes = 65536;

std::string_view valueOf(const spa_dict* properties, const char* key) noexcept {
    const char* value = properties ? spa_dict_lookup(properties, key) : nullptr;
    return value ? value : "";
}

/// Pods are built in memory of one's own.
struct PodMemory {
    std::vector<std::uint64_t> words = std::vector<std::uint64_t>(podBytes / sizeof(std::uint64_t));
    spa_pod_builder builder{};

    PodMemory() { spa_pod_builder_init(&builder, words.data(), podBytes); }
};

bool canShrink(int fd) noexcept {
    const int seals = ::fcntl(fd, F_GET_SEALS);
    return seals < 0 || (seals & F_SEAL_SHRINK) == 0;
}

} // namespace

class NodeSource::Locked {
public:
    explicit Locked(pw_thread_loop* loop)
        : loop_(loop) {
        pw_thread_loop_lock(loop_);
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    ~Locked() { pw_thread_loop_unlock(loop_); }

private:
    pw_thread_loop* loop_;
};

NodeSource::NodeSource(std::string nodeName, std::vector<ImportableFormat> importable, const Clock& clock, Log& log)
    : nodeName_(std::move(nodeName))
    , importable_(std::move(importable))
    , clock_(clock)
    , log_(log)
    , cursor_([this](BufferRef image) { retire(std::move(image)); })
    , refusals_(refusalInterval)
    , loop_(pw_thread_loop_new("vgpu-node", nullptr)) {
    if (nodeName_.empty())
        throw Error(EINVAL, {.operation = "connect to",
                             .object = "a PipeWire node",
                             .cause = "none is chosen",
                             .hint = "start vgpu-view stream and choose its node",
                             .exit = ExitCode::usage});
    if (!loop_)
        throw Error(errno, {.operation = "create", .object = "a PipeWire loop"});
    description_ = {.address = "node:" + nodeName_,
                    .name = nodeName_,
                    .vmName = "",
                    .type = "PipeWire node",
                    .display = DisplayKind::memory,
                    .quirks = {}};
    context_.reset(pw_context_new(pw_thread_loop_get_loop(loop_.get()), nullptr, 0));
    if (!context_ || pw_thread_loop_start(loop_.get()) != 0)
        throw Error(errno, {.operation = "start", .object = "a PipeWire loop"});
    try {
        const Locked locked(loop_.get());
        connect();
        awaitNode();
        openStream();
    } catch (...) {
        disconnect();
        throw;
    }
}

NodeSource::~NodeSource() {
    disconnect();
    const auto tellRetired = [&](const BufferRef& buffer) {
        if (observer_ && buffer)
            observer_->bufferRetired(*buffer);
    };
    frame_ = {};
    for (const auto& [slot, buffer] : buffers_)
        tellRetired(buffer);
    for (const BufferRef& buffer : retired_)
        tellRetired(buffer);
    tellRetired(cursor_.image());
}

void NodeSource::disconnect() noexcept {
    {
        const Locked locked(loop_.get());
        stream_.reset();
        registry_.reset();
        core_.reset();
    }
    pw_thread_loop_stop(loop_.get());
    context_.reset();
}

void NodeSource::connect() {
    core_.reset(pw_context_connect(context_.get(), nullptr, 0));
    if (!core_)
        throw Error(errno == EHOSTDOWN || errno == ECONNREFUSED ? ENOENT : errno,
                    {.operation = "connect to",
                     .object = "PipeWire",
                     .cause = "no daemon is listening",
                     .hint = "start it: systemctl --user start pipewire.socket"});
    static constexpr pw_core_events coreEvents{
        .version = PW_VERSION_CORE_EVENTS,
        .done =
            [](void* data, std::uint32_t id, int sequence) {
                auto& self = *static_cast<NodeSource*>(data);
                if (id != PW_ID_CORE || self.awaited_ != sequence)
                    return;
                self.awaited_.reset();
                pw_thread_loop_signal(self.loop_.get(), false);
            },
        .error =
            [](void* data, std::uint32_t id, int, int result, const char*) {
                auto& self = *static_cast<NodeSource*>(data);
                if (id != PW_ID_CORE)
                    return;
                self.connectError_ = -result;
                if (result == -EPIPE)
                    self.end("the PipeWire daemon went away");
                pw_thread_loop_signal(self.loop_.get(), false);
            },
    };
    pw_core_add_listener(core_.get(), &coreHook_, &coreEvents, this);
    registry_.reset(pw_core_get_registry(core_.get(), PW_VERSION_REGISTRY, 0));
    if (!registry_)
        throw Error(errno, {.operation = "list the nodes of", .object = "PipeWire"});
    static constexpr pw_registry_events registryEvents{
        .version = PW_VERSION_REGISTRY_EVENTS,
        .global =
            [](void* data, std::uint32_t id, std::uint32_t, const char* type, std::uint32_t,
               const spa_dict* properties) {
                auto& self = *static_cast<NodeSource*>(data);
                // Only the one that was there at first: a name may come a second time.
                if (self.nodeId_ || std::string_view(type) != PW_TYPE_INTERFACE_Node ||
                    valueOf(properties, PW_KEY_NODE_NAME) != self.nodeName_)
                    return;
                self.nodeId_ = id;
                try {
                    self.serial_ = valueOf(properties, PW_KEY_OBJECT_SERIAL);
                } catch (...) {
                    self.end("memory is short");
                }
            },
        .global_remove =
            [](void* data, std::uint32_t id) {
                auto& self = *static_cast<NodeSource*>(data);
                if (self.nodeId_ == id)
                    self.end("its PipeWire node is gone");
            },
    };
    pw_registry_add_listener(registry_.get(), &registryHook_, &registryEvents, this);
}

void NodeSource::awaitNode() {
    awaited_ = pw_core_sync(core_.get(), PW_ID_CORE, 0);
    timespec deadline{};
    pw_thread_loop_get_time(loop_.get(), &deadline, answerTime);
    while (awaited_ && connectError_ == 0)
        if (pw_thread_loop_timed_wait_full(loop_.get(), &deadline) != 0)
            throw Error(ETIMEDOUT,
                        {.operation = "connect to", .object = "PipeWire", .cause = "the daemon does not answer"});
    if (connectError_ != 0)
        throw Error(connectError_, {.operation = "connect to", .object = "PipeWire"});
    if (!nodeId_)
        throw Error(ENOENT, {.operation = "find",
                             .object = "the PipeWire node " + nodeName_,
                             .cause = "there is none of that name",
                             .hint = "start it: vgpu-view stream",
                             .exit = ExitCode::notFound});
}

void NodeSource::openStream() {
    pw_properties* properties = pw_properties_new(
        PW_KEY_MEDIA_TYPE, "Video", PW_KEY_MEDIA_CATEGORY, "Capture", PW_KEY_MEDIA_ROLE, "Screen", PW_KEY_TARGET_OBJECT,
        serial_.empty() ? nodeName_.c_str() : serial_.c_str(), PW_KEY_NODE_DONT_RECONNECT, "true", nullptr);
    stream_.reset(pw_stream_new(core_.get(), "vGPU capture", properties));
    if (!stream_)
        throw Error(errno, {.operation = "create", .object = "a PipeWire stream"});
    static constexpr pw_stream_events streamEvents{
        .version = PW_VERSION_STREAM_EVENTS,
        .state_changed =
            [](void* data, pw_stream_state, pw_stream_state state, const char* error) {
                auto& self = *static_cast<NodeSource*>(data);
                if (state == PW_STREAM_STATE_ERROR)
                    self.end(error ? error : "PipeWire reports an error");
                else if (state == PW_STREAM_STATE_UNCONNECTED)
                    self.end("PipeWire ended the stream");
            },
        .param_changed =
            [](void* data, std::uint32_t id, const spa_pod* parameter) {
                auto& self = *static_cast<NodeSource*>(data);
                if (id != SPA_PARAM_Format)
                    return;
                try {
                    self.formatChanged(parameter);
                } catch (const std::exception& error) {
                    self.end(error.what());
                }
            },
        .remove_buffer =
            [](void* data, pw_buffer* buffer) {
                auto& self = *static_cast<NodeSource*>(data);
                try {
                    self.bufferRemoved(*buffer);
                } catch (const std::exception& error) {
                    self.end(error.what());
                }
            },
    };
    pw_stream_add_listener(stream_.get(), &streamHook_, &streamEvents, this);
    PodMemory memory;
    std::vector<const spa_pod*> formats = acceptedFormats(memory.builder, importable_);
    const auto flags = static_cast<pw_stream_flags>(PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_DONT_RECONNECT);
    const int result = pw_stream_connect(stream_.get(), PW_DIRECTION_INPUT, PW_ID_ANY, flags, formats.data(),
                                         static_cast<std::uint32_t>(formats.size()));
    if (result < 0)
        throw Error(-result, {.operation = "connect to", .object = "the PipeWire node " + nodeName_});
}

void NodeSource::end(std::string reason) noexcept {
    if (std::exchange(ended_, true))
        return;
    endReason_ = std::move(reason);
}

void NodeSource::setActivity(Activity activity) {
    const Locked locked(loop_.get());
    if (stream_ && !ended_)
        pw_stream_set_active(stream_.get(), activity == Activity::active);
}

void NodeSource::formatChanged(const spa_pod* format) {
    chosen_.reset();
    if (!format)
        return;
    const std::optional<ChosenFormat> parsed = parseFormat(*format);
    // The node chooses one of several modifiers, and then comes back with it.
    if (parsed && parsed->modifierIsOpen)
        return;
    const std::optional<std::uint32_t> fourcc = parsed ? fourccOf(parsed->videoFormat) : std::nullopt;
    if (!fourcc) {
        end("its node's format is none that can be shown");
        return;
    }
    const bool dmaBuf = !parsed->modifiers.empty();
    chosen_ = Chosen{.fourcc = *fourcc,
                     .modifier = dmaBuf ? parsed->modifiers.front() : DRM_FORMAT_MOD_LINEAR,
                     .size = parsed->size,
                     .memory = dmaBuf ? NodeMemory::dmaBuf : NodeMemory::memFd};
    PodMemory memory;
    std::vector<const spa_pod*> wanted = wantedBuffers(memory.builder, chosen_->memory);
    pw_stream_update_params(stream_.get(), wanted.data(), static_cast<std::uint32_t>(wanted.size()));
}

void NodeSource::bufferRemoved(const pw_buffer& buffer) {
    if (shown_ == &buffer)
        shown_ = nullptr;
    if (const auto found = buffers_.find(&buffer); found != buffers_.end()) {
        retire(std::move(found->second));
        buffers_.erase(found);
    }
}

void NodeSource::retire(BufferRef buffer) {
    if (buffer)
        retired_.push_back(std::move(buffer));
}

PollResult NodeSource::poll() {
    PollResult result;
    {
        const Locked locked(loop_.get());
        if (ended_) {
            shownEndReason_ = endReason_;
            return {.status = PollStatus::ended};
        }
        result.primary = takeNewest(result.damage);
        frame_.cursor = cursor_.plane();
        sortOutRetired();
    }
    frame_.queriedAt = clock_.now();
    if (result.primary != PrimaryChange::none)
        ++frame_.sequence;
    for (const BufferRef& buffer : gone_)
        if (observer_)
            observer_->bufferRetired(*buffer);
    gone_.clear();
    return result;
}

/// What is still shown stays until the node gives something newer.
void NodeSource::sortOutRetired() {
    std::erase_if(retired_, [&](BufferRef& buffer) {
        if (frame_.primary && frame_.primary->buffer == buffer)
            return false;
        gone_.push_back(std::move(buffer));
        return true;
    });
}

PrimaryChange NodeSource::takeNewest(Damage& damage) {
    pw_buffer* newest = nullptr;
    bool skipped = false;
    while (pw_buffer* buffer = pw_stream_dequeue_buffer(stream_.get())) {
        // Cursor images come with one frame only.
        cursor_.take(*buffer->buffer);
        const bool picture =
            buffer->buffer->n_datas > 0 && buffer->buffer->datas[0].chunk->size != 0 &&
            (static_cast<std::uint32_t>(buffer->buffer->datas[0].chunk->flags) & SPA_CHUNK_FLAG_CORRUPTED) == 0;
        if (!picture) {
            pw_stream_queue_buffer(stream_.get(), buffer);
            continue;
        }
        if (newest) {
            pw_stream_queue_buffer(stream_.get(), newest);
            skipped = true;
        }
        newest = buffer;
    }
    if (!newest)
        return PrimaryChange::none;
    const Size before = frame_.primary ? frame_.primary->buffer->layout().size : Size{};
    if (!takePicture(*newest, damage)) {
        pw_stream_queue_buffer(stream_.get(), newest);
        return PrimaryChange::none;
    }
    if (pw_buffer* old = std::exchange(shown_, newest))
        pw_stream_queue_buffer(stream_.get(), old);
    const Size now = frame_.primary->buffer->layout().size;
    if (skipped || damage.empty() || before != now)
        damage = Damage::all(now);
    return PrimaryChange::certain;
}

bool NodeSource::takePicture(pw_buffer& buffer, Damage& damage) {
    BufferRef picture = bufferOf(buffer);
    if (!picture)
        return false;
    const Size size = picture->layout().size;
    frame_.primary = Plane{.buffer = std::move(picture), .position = {}, .hotSpot = {}};
    if (const spa_meta* meta = spa_buffer_find_meta(buffer.buffer, SPA_META_VideoDamage)) {
        const auto* regions = static_cast<const spa_meta_region*>(meta->data);
        for (std::size_t i = 0; i < meta->size / sizeof(spa_meta_region) && spa_meta_region_is_valid(&regions[i]); ++i)
            damage.add(intersect({{regions[i].region.position.x, regions[i].region.position.y},
                                  {regions[i].region.size.width, regions[i].region.size.height}},
                                 {{0, 0}, size}));
    }
    return true;
}

BufferRef NodeSource::bufferOf(const pw_buffer& buffer) {
    const spa_data& data = buffer.buffer->datas[0];
    if (!chosen_) {
        refuse("it came without a format");
        return nullptr;
    }
    const bool dmaBuf = chosen_->memory == NodeMemory::dmaBuf;
    if (data.type != (dmaBuf ? SPA_DATA_DmaBuf : SPA_DATA_MemFd)) {
        chooseAnew();
        return nullptr;
    }
    if (data.fd < 0 || data.chunk->stride <= 0) {
        refuse("its memory is not of the kind that was agreed on");
        return nullptr;
    }
    const auto stride = static_cast<std::uint32_t>(data.chunk->stride);
    const std::uint64_t offset = std::uint64_t{data.mapoffset} + data.chunk->offset;
    const PlaneVerdict verdict =
        checkPlane(PlaneType::primary,
                   {.fourcc = chosen_->fourcc,
                    .modifier = chosen_->modifier,
                    .width = chosen_->size.width,
                    .height = chosen_->size.height,
                    .stride = stride,
                    .size = static_cast<std::uint32_t>(std::min<std::uint64_t>(
                        std::uint64_t{stride} * chosen_->size.height, std::numeric_limits<std::uint32_t>::max()))});
    const auto* checked = std::get_if<CheckedPlane>(&verdict);
    if (!checked || offset > std::numeric_limits<std::uint32_t>::max()) {
        const auto* fault = std::get_if<PlaneFault>(&verdict);
        refuse(fault ? std::string(textOf(*fault)) : std::string("it has no size, or lies too far off"));
        return nullptr;
    }
    BufferLayout layout = checked->layout;
    layout.offset = static_cast<std::uint32_t>(offset);
    chosenAnewAt_.reset();
    BufferRef& known = buffers_[&buffer];
    if (known && known->layout() == layout)
        return known;
    retire(std::exchange(known, nullptr));
    UniqueFd fd(::fcntl(static_cast<int>(data.fd), F_DUPFD_CLOEXEC, 0));
    const off_t end = fd ? ::lseek(fd.get(), 0, SEEK_END) : -1;
    if (end < 0 || !fitsInto(layout, static_cast<std::uint64_t>(end))) {
        refuse("it is larger than its memory");
        return nullptr;
    }
    if (!dmaBuf && canShrink(fd.get())) {
        refuse("its memory is not sealed: its owner could cut it off while it is read");
        return nullptr;
    }
    known = std::make_shared<const Buffer>(dmaBuf ? BufferKind::dmaBuf : BufferKind::memory, layout, std::move(fd));
    return known;
}

/// A daemon, seen with 0.3.65 and 1.4.2, may hand a pool on before the node has filled it in: what stands for the
/// memory's type is then the set of those that were asked for. To offer the formats again makes a new pool.
void NodeSource::chooseAnew() {
    const TimePoint now = clock_.now();
    if (chosenAnewAt_ && now - *chosenAnewAt_ < renegotiationInterval)
        return;
    if (chosenAnewAt_)
        refuse("its memory is not of the kind that was agreed on");
    chosenAnewAt_ = now;
    PodMemory memory;
    std::vector<const spa_pod*> formats = acceptedFormats(memory.builder, importable_);
    pw_stream_update_params(stream_.get(), formats.data(), static_cast<std::uint32_t>(formats.size()));
}

void NodeSource::refuse(const std::string& why) {
    ++counters_.planesRejected;
    if (const auto heldBack = refusals_.pass(clock_.now()))
        log_.warning("a frame of the node {} is ignored: {} ({} more since the last message)", nodeName_, why,
                     *heldBack);
}

} // namespace vgpuview

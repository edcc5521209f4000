// SPDX-License-Identifier: MIT
// The node that applications find: its name and serial, kept in the graph through restarts of the daemon.
#include "pipewire/published_node.h"

#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace vgpuview {

namespace {

constexpr Nanoseconds firstRetry = std::chrono::milliseconds(100);
constexpr Nanoseconds longestRetry = std::chrono::seconds(5);

// What a pw_stream that takes video is, by itself.
constexpr std::string_view consumerClass = "Stream/Input/Video";

std::string descriptionOf(const SourceDescription& source) {
    return source.vmName.empty() ? fmt::format("vGPU {} ({})", source.name, source.type)
                                 : fmt::format("{} (vGPU {})", source.vmName, source.type);
}

NodeProperties propertiesOf(const std::string& name, const std::string& description, StreamRole role) {
    return {
        {PW_KEY_MEDIA_CLASS, "Video/Source"},
        {PW_KEY_MEDIA_TYPE, "Video"},
        {PW_KEY_MEDIA_CATEGORY, "Capture"},
        {PW_KEY_MEDIA_ROLE, role == StreamRole::camera ? "Camera" : "Screen"},
        {PW_KEY_NODE_NAME, name},
        {PW_KEY_NODE_DESCRIPTION, description},
        // Any Video/Source is a candidate for the default camera: be the last one.
        {PW_KEY_PRIORITY_SESSION, "1"},
    };
}

} // namespace

PublishedNode::PublishedNode(EventLoop& loop, Log& log, const StreamOptions& options, NodeOwner& owner)
    : loop_(loop)
    , log_(log)
    , options_(options)
    , owner_(owner)
    , name_(options.nodeName)
    , description_(options.description)
    , retryTimer_(loop.makeTimer([this] { reconnect(); })) {
    connect();
    if (!name_.empty())
        refuseNameInUse();
}

void PublishedNode::publish(const SourceDescription& source) {
    wanted_ = true;
    if (description_.empty())
        description_ = descriptionOf(source);
    if (name_.empty()) {
        name_ = "vgpu-view." + source.name + (options_.role == StreamRole::camera ? ".camera" : "");
        if (connection_)
            refuseNameInUse();
    }
    if (connection_)
        createNode();
}

void PublishedNode::renew() {
    renewal_ = loop_.nextTurn([this] {
        node_.reset();
        consumers_.clear();
        if (connection_)
            createNode();
    });
}

void PublishedNode::tellSerial() {
    if (!serial_.empty() || !node_)
        return;
    const std::optional<std::uint32_t> id = node_->id();
    const KnownNode* const known = id ? connection_->node(*id) : nullptr;
    if (!known)
        return;
    serial_ = known->serial;
    log_.info("stream: PipeWire node {}, object.serial {}", name_, serial_);
}

SharedMemoryUse PublishedNode::sharedMemoryUse() const noexcept {
    // A single one takes what it can by itself. One that has not been asked yet takes neither kind.
    if (consumers_.size() < 2)
        return SharedMemoryUse::open;
    bool memoryOnly = false;
    bool dmaBufsOnly = false;
    for (const auto& [link, port] : consumers_) {
        memoryOnly = memoryOnly || (port.takesMemory() && !port.takesDmaBufs());
        dmaBufsOnly = dmaBufsOnly || (port.takesDmaBufs() && !port.takesMemory());
    }
    return dmaBufsOnly ? SharedMemoryUse::excluded : memoryOnly ? SharedMemoryUse::needed : SharedMemoryUse::open;
}

void PublishedNode::updateConsumers() {
    const std::optional<std::uint32_t> id = node_ ? node_->id() : std::nullopt;
    const auto& links = connection_->links();
    std::erase_if(consumers_, [&](const auto& entry) { return !links.contains(entry.first); });
    for (const auto& [linkId, link] : links)
        if (link.outputNode == id)
            consumers_.try_emplace(linkId, connection_->registry(), link.inputPort, [this] { consumersChanged(); });
    owner_.consumersChanged();
}

void PublishedNode::consumersChanged() {
    consumersChange_ = loop_.nextTurn([this] { updateConsumers(); });
}

void PublishedNode::expectConsumer() {
    expectation_ = loop_.nextTurn([this] { owner_.consumerExpected(); });
}

void PublishedNode::suspend() {
    if (const std::optional<std::uint32_t> id = node_->id())
        connection_->suspend(*id);
}

void PublishedNode::tell(SinkReport& report) const {
    report.details.emplace_back("node_name", name_);
    report.details.emplace_back("object_serial", serial_);
    report.details.emplace_back("reconnects", std::to_string(reconnects_));
    if (connection_)
        report.details.emplace_back("daemon_version", connection_->version());
}

void PublishedNode::connect() {
    DaemonConnection::Events events;
    events.lost = [this] { connectionLost(); };
    events.clientKnown = [this] {
        if (unused())
            expectConsumer();
    };
    events.nodeKnown = [this](std::uint32_t nodeId) {
        if (isOurs(nodeId))
            tellSerial();
        else if (unused() && connection_->node(nodeId)->mediaClass == consumerClass)
            expectConsumer();
    };
    events.linksChanged = [this](std::uint32_t nodeId) {
        if (isOurs(nodeId))
            consumersChanged();
    };
    connection_ = std::make_unique<DaemonConnection>(loop_, std::move(events));
}

void PublishedNode::connectionLost() {
    consumersChange_ = {};
    expectation_ = {};
    renewal_ = {};
    node_.reset();
    consumers_.clear();
    connection_.reset();
    owner_.nodeLost();
    if (options_.daemonLoss == DaemonLoss::exit)
        throw Error(EPIPE, {.operation = "stream through",
                            .object = "PipeWire",
                            .cause = "the daemon went away",
                            .exit = ExitCode::failed});
    log_.warning("PipeWire went away; waiting for it to come back");
    retryDelay_ = firstRetry;
    retryTimer_->arm(loop_.now() + retryDelay_);
}

void PublishedNode::reconnect() {
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
    if (wanted_)
        createNode();
}

void PublishedNode::createNode() {
    serial_.clear();
    const std::vector<Pod> formats = owner_.nodeFormats();
    node_ = std::make_unique<StreamNode>(loop_, connection_->core(), description_,
                                         propertiesOf(name_, description_, options_.role), formats, owner_);
}

void PublishedNode::refuseNameInUse() const {
    if (connection_->hasNodeNamed(name_))
        throw Error(EADDRINUSE, {.operation = "create PipeWire node",
                                 .object = name_,
                                 .cause = "another node has this name",
                                 .hint = "choose one with --node-name",
                                 .exit = ExitCode::held});
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The node that applications find: its name and serial, kept in the graph through restarts of the daemon.
#pragma once

#include "base/log.h"
#include "frame/frame_sink.h"
#include "frame/frame_source.h"
#include "loop/event_loop.h"
#include "pipewire/consumer_port.h"
#include "pipewire/daemon_connection.h"
#include "pipewire/stream_node.h"
#include "pipewire/stream_options.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace vgpuview {

enum class SharedMemoryUse {
    open,     ///< each consumer takes both kinds of memory, or there is but one
    needed,   ///< one takes no dma-bufs, and all take shared memory
    excluded, ///< one takes dma-bufs only
};

/// What the owner of a published node answers and hears, besides what the node itself tells.
class NodeOwner : public NodeObserver {
public:
    /// The formats that a new node offers.
    [[nodiscard]] virtual std::vector<Pod> nodeFormats() = 0;
    /// The node is gone, with all its buffers; another one comes when the daemon is back. From the loop.
    virtual void nodeLost() = 0;
    /// Consumers came, went or changed what they take. From the loop.
    virtual void consumersChanged() = 0;
    /// There are no consumers, but now there is a node that could become one, or a program that could bring such a
    /// node. What is announced here, it chooses from, unless it is linked sooner: the daemon asks nobody then. From the
    /// loop.
    virtual void consumerExpected() = 0;
};

/// One connection to the daemon and one node on it. All calls on the loop's thread.
class PublishedNode {
public:
    /// Connects; waits for the daemon's answers, at most a few seconds. Throws Error: notFound where no daemon listens,
    /// notPermitted where it refuses, held where the name in the options is another node's. All outlive it.
    PublishedNode(EventLoop& loop, Log& log, const StreamOptions& options, NodeOwner& owner);
    PublishedNode(const PublishedNode&) = delete;
    PublishedNode& operator=(const PublishedNode&) = delete;

    /// Puts the node into the graph, at once or when the daemon is back. It is named after the source where the options
    /// have no name. Throws Error (held) where another node has the name.
    void publish(const SourceDescription& source);
    [[nodiscard]] bool published() const noexcept { return wanted_; }
    /// nullptr while there is none.
    [[nodiscard]] StreamNode* node() const noexcept { return node_.get(); }
    /// Replaces the node, which failed, in the loop's next turn.
    void renew();
    /// Gives back the format that the last consumer chose, and its buffers. Only with a node.
    void suspend();
    /// Says the node's serial as soon as it is known, once for each node.
    void tellSerial();
    [[nodiscard]] std::size_t consumers() const noexcept { return consumers_.size(); }
    /// What one of several consumers forces upon all. The daemon hands a node's format to those who join, whether they
    /// take it or not.
    [[nodiscard]] SharedMemoryUse sharedMemoryUse() const noexcept;

    /// Name, serial (empty before the daemon has told it), reconnections, and the daemon's version while there is one.
    void tell(SinkReport& report) const;

private:
    void connect();
    void connectionLost();
    void reconnect();
    void createNode();
    void consumersChanged();
    void updateConsumers();
    void expectConsumer();
    void refuseNameInUse() const;
    [[nodiscard]] bool unused() const noexcept { return node_ && consumers_.empty(); }
    [[nodiscard]] bool isOurs(std::uint32_t nodeId) const noexcept { return node_ && node_->id() == nodeId; }

    EventLoop& loop_;
    Log& log_;
    const StreamOptions& options_;
    NodeOwner& owner_;
    std::string name_;
    std::string description_;
    std::string serial_;
    bool wanted_ = false;
    std::uint64_t reconnects_ = 0;
    // The node's end is told to what stands above it.
    Watch consumersChange_;
    Watch expectation_;
    Watch renewal_;
    Nanoseconds retryDelay_{};
    std::unique_ptr<Timer> retryTimer_;
    std::unique_ptr<DaemonConnection> connection_;
    std::map<std::uint32_t, ConsumerPort> consumers_; ///< by the id of the link
    std::unique_ptr<StreamNode> node_;
};

} // namespace vgpuview

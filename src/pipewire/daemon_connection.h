// SPDX-License-Identifier: MIT
// One connection to the PipeWire daemon, run by the program's event loop.
#pragma once

#include "base/log.h"
#include "loop/event_loop.h"
#include "pipewire/handles.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vgpuview {

/// A node of the graph, as the registry tells.
struct KnownNode {
    std::string name;
    std::string serial;
    std::string mediaClass;
};

/// A link between two nodes of the graph.
struct KnownLink {
    std::uint32_t outputNode = 0;
    std::uint32_t inputPort = 0;
};

/// A connection that is up when the constructor returns. What the daemon sends is handled in the loop's turns.
class DaemonConnection {
public:
    struct Events {
        /// The connection is gone for good. Called once, from the loop; it may destroy the connection.
        std::function<void()> lost = {};
        /// Another program has connected. Called from within libpipewire, as are the next ones.
        std::function<void()> clientKnown = {};
        /// The registry told of a node.
        std::function<void(std::uint32_t nodeId)> nodeKnown = {};
        /// The links that leave a node changed. It must not destroy anything of libpipewire.
        std::function<void(std::uint32_t nodeId)> linksChanged = {};
    };

    /// Waits for the daemon's answers, at most a few seconds. Throws Error: notFound where no daemon listens,
    /// notPermitted where it refuses. The loop outlives the connection.
    DaemonConnection(EventLoop& loop, Events events);
    ~DaemonConnection();
    DaemonConnection(const DaemonConnection&) = delete;
    DaemonConnection& operator=(const DaemonConnection&) = delete;

    [[nodiscard]] pw_core* core() const noexcept { return core_.get(); }
    [[nodiscard]] const std::string& version() const noexcept { return version_; }
    [[nodiscard]] const KnownNode* node(std::uint32_t id) const noexcept;
    [[nodiscard]] bool hasNodeNamed(std::string_view name) const noexcept;
    /// All in the graph, by their id.
    [[nodiscard]] const std::map<std::uint32_t, KnownLink>& links() const noexcept { return links_; }
    /// Asks the daemon to take back what was negotiated with a node of ours.
    void suspend(std::uint32_t nodeId) noexcept;
    [[nodiscard]] pw_registry* registry() const noexcept { return registry_.get(); }

private:
    /// libpipewire requires that whoever iterates its loop has entered it.
    class Entered {
    public:
        explicit Entered(pw_loop* loop)
            : loop_(loop) {
            pw_loop_enter(loop_);
        }
        Entered(const Entered&) = delete;
        Entered& operator=(const Entered&) = delete;
        ~Entered() { pw_loop_leave(loop_); }

    private:
        pw_loop* loop_;
    };

    void awaitAnswers();
    void iterate();
    void fail() noexcept;
    void add(std::uint32_t id, std::string_view type, const spa_dict* properties);
    void remove(std::uint32_t id);

    EventLoop& eventLoop_;
    Events events_;
    std::string version_;
    std::map<std::uint32_t, KnownNode> nodes_;
    std::map<std::uint32_t, KnownLink> links_;
    std::optional<int> awaited_; ///< the sequence number of a sync that is under way
    int error_ = 0;              ///< errno of a fatal error
    PipeWireLibrary library_;
    LoopPtr loop_;
    Entered entered_;
    ContextPtr context_;
    spa_hook coreHook_{};
    spa_hook registryHook_{};
    CorePtr core_;
    RegistryPtr registry_;
    Watch watch_;
    Watch loss_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A connected socket that carries one JSON value a line, both ways, as QMP does.
#pragma once

#include "base/unique_fd.h"
#include "loop/event_loop.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>

namespace vgpuview {

class JsonLinesObserver {
public:
    virtual ~JsonLinesObserver() = default;
    /// A line that is a JSON object. The connection must not be destroyed within the call; close() may be called.
    virtual void received(const nlohmann::json& object) = 0;
    /// The peer is gone, or sends or takes what it must not. The connection has closed itself; must not be destroyed
    /// within the call.
    virtual void lost(const std::string& reason) = 0;
};

/// Never blocks, save in wait(). Bounded both ways: a peer that sends an endless line, or takes nothing, is given up.
class JsonLines {
public:
    static constexpr std::size_t longestLine = std::size_t{1} << 20;
    static constexpr std::size_t mostUnsent = std::size_t{1} << 18;

    /// socket: connected and non-blocking. Throws Error where the loop does.
    JsonLines(EventLoop& loop, UniqueFd socket, JsonLinesObserver& observer);
    JsonLines(const JsonLines&) = delete;
    JsonLines& operator=(const JsonLines&) = delete;

    /// Nothing once the connection is closed.
    void send(const nlohmann::json& object);
    void close() noexcept;
    /// Waits until the peer says something or takes something, and handles it. For the end of the program.
    void wait(Nanoseconds longest);

private:
    void handle(std::uint32_t events);
    void read();
    void handleLines(std::size_t unseenFrom);
    void write();
    void watch();
    void fail(const std::string& reason);

    EventLoop& loop_;
    UniqueFd socket_;
    JsonLinesObserver& observer_;
    std::string unread_;
    std::string unsent_;
    Watch watch_;
    std::uint32_t watchedEvents_ = 0;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// An sd-bus connection that lives in the event loop.
#pragma once

#include "base/clock.h"
#include "base/unique_fd.h"
#include "input/message_bus.h"
#include "loop/event_loop.h"

#include <cstdint>
#include <memory>
#include <string>

namespace vgpuview {

class BusConnectionObserver {
public:
    virtual ~BusConnectionObserver() = default;
    /// The connection is closed. Called from the loop or from pump(), never from within a callback of sd-bus's.
    virtual void connectionLost(std::string reason) = 0;
};

/// Takes what came and sends what is queued after every handler of a turn, a bounded number of messages each time.
class BusConnection final {
public:
    /// answerTime: how long a call waits before sd-bus answers it with a timeout.
    BusConnection(EventLoop& loop, Nanoseconds answerTime, BusConnectionObserver& observer);
    BusConnection(const BusConnection&) = delete;
    BusConnection& operator=(const BusConnection&) = delete;

    /// A bus by its address; empty: the session's. Does not wait for it. 0, or a negative errno and nothing is open.
    [[nodiscard]] int openBus(const std::string& address);
    /// A connected socket to a peer; taken over where the answer is 0.
    [[nodiscard]] int openPeer(UniqueFd& socket);
    void close() noexcept;

    /// Null where it is closed.
    [[nodiscard]] sd_bus* get() const noexcept { return bus_.get(); }
    explicit operator bool() const noexcept { return bus_ != nullptr; }
    /// The other side is still there. False also while sd-bus answers what is outstanding at the end.
    [[nodiscard]] bool alive() const noexcept { return bus_ && sd_bus_is_open(bus_.get()) > 0; }

    /// Ends it with the first reason given, once the callback under way has returned.
    void giveUp(std::string reason);
    void giveUp(int negativeErrno);
    [[nodiscard]] bool givenUp() const noexcept { return !reason_.empty(); }

    /// What the loop does by itself.
    void pump();
    /// Blocks until there is something for pump(), or that long.
    void wait(Nanoseconds longest);

private:
    [[nodiscard]] int start(int result);
    void watch();
    void end(std::string reason);

    EventLoop& loop_;
    Nanoseconds answerTime_;
    BusConnectionObserver& observer_;
    BusHandle bus_;
    Watch watch_;
    std::uint32_t watchedEvents_ = 0;
    int watchedFd_ = -1;
    std::unique_ptr<Timer> timer_; ///< for the timeouts of sd-bus's own
    Watch again_;
    std::string reason_;
    Watch pumping_;
};

} // namespace vgpuview

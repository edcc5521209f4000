// SPDX-License-Identifier: MIT
// The event loop: descriptors, timers, signals. The one place that knows the event library (sd-event).
#pragma once

#include "loop/scheduler.h"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

struct sd_event;

namespace vgpuview {

/// A registration; destroying it ends the watch. May be destroyed inside its own handler. Must not outlive the loop.
class Watch {
public:
    struct State;

    Watch() = default;
    explicit Watch(std::shared_ptr<State> state) noexcept
        : state_(std::move(state)) {}
    Watch(Watch&& other) noexcept = default;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch() { end(); }

    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    void end() noexcept;

    std::shared_ptr<State> state_;
};

/// One thread's event loop. Handlers run on the thread that runs the loop. An exception that leaves a handler ends
/// run() or iterate(), which rethrows it. Owners of C callbacks from other libraries hand theirs to fail().
class EventLoop final : public Scheduler {
public:
    using FdHandler = std::function<void(std::uint32_t events)>; ///< events: EPOLLIN and its like
    using Handler = std::function<void()>;

    /// Throws Error.
    EventLoop();
    ~EventLoop() override;
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Watches a descriptor of the caller's, who keeps it open until the watch is gone. events: EPOLLIN, EPOLLOUT...
    [[nodiscard]] Watch watchFd(int fd, std::uint32_t events, FdHandler handler);
    /// Takes the signal out of normal delivery (sigprocmask of the calling thread) and hands it to the handler.
    [[nodiscard]] Watch watchSignal(int signalNumber, Handler handler);
    /// Called before every sleep of the loop, after all handlers of the turn: the place to flush what they queued.
    [[nodiscard]] Watch beforeSleep(Handler handler);
    /// Called once in the next turn, unless the watch is gone by then.
    [[nodiscard]] Watch nextTurn(Handler handler);

    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] std::unique_ptr<Timer> makeTimer(Handler handler) override;

    /// Runs until quit(); rethrows what a handler threw.
    void run();
    /// One turn: waits at most that long for events and handles them. Returns whether there were any.
    bool iterate(Nanoseconds longest);
    /// Ends run() after the running handler.
    void quit() noexcept;
    [[nodiscard]] bool quitting() const noexcept { return quitting_; }
    /// Keeps the first exception and ends run(), which rethrows it. For C callbacks.
    void fail(std::exception_ptr failure) noexcept;
    /// Readable when there is something to handle: nests this loop in another one.
    [[nodiscard]] int fd() const noexcept;

private:
    struct EventDeleter {
        void operator()(sd_event* event) const noexcept;
    };

    void rethrow();

    std::unique_ptr<sd_event, EventDeleter> event_;
    std::exception_ptr failure_;
    bool quitting_ = false;
};

} // namespace vgpuview

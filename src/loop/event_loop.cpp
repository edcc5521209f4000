// SPDX-License-Identifier: MIT
// The event loop on sd-event.
#include "loop/event_loop.h"

#include "base/error.h"

#include <fmt/format.h>
#include <systemd/sd-event.h>

#include <cerrno>
#include <csignal>

namespace vgpuview {

namespace {

struct SourceDeleter {
    void operator()(sd_event_source* source) const noexcept { sd_event_source_disable_unref(source); }
};
using Source = std::unique_ptr<sd_event_source, SourceDeleter>;

void check(int result, const char* operation, std::string object = {}) {
    if (result < 0)
        throw Error(-result, {.operation = operation, .object = std::move(object)});
}

std::uint64_t microseconds(TimePoint when) noexcept {
    // Rounded up: a timer must not fire before its time.
    const auto rounded = std::chrono::ceil<std::chrono::microseconds>(when.time_since_epoch()).count();
    return rounded > 0 ? static_cast<std::uint64_t>(rounded) : 0;
}

// sd-event takes 0 for "a quarter of a second".
constexpr std::uint64_t accuracyMicroseconds = 1;

} // namespace

struct Watch::State : std::enable_shared_from_this<Watch::State> {
    State(EventLoop& owner, EventLoop::FdHandler function)
        : loop(owner)
        , handler(std::move(function)) {}

    static int call(void* self, std::uint32_t events) noexcept {
        // Kept for the length of the call: the handler may destroy its own watch.
        const std::shared_ptr<State> state = static_cast<State*>(self)->weak_from_this().lock();
        try {
            state->handler(events);
        } catch (...) {
            state->loop.fail(std::current_exception());
        }
        return 0;
    }

    EventLoop& loop;
    EventLoop::FdHandler handler;
    Source source;
};

Watch& Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        end();
        state_ = std::move(other.state_);
    }
    return *this;
}

void Watch::end() noexcept {
    if (const std::shared_ptr<State> state = std::move(state_))
        state->source.reset();
}

namespace {

class EventTimer final : public Timer {
public:
    EventTimer(EventLoop& loop, sd_event* event, EventLoop::Handler handler)
        : state_(std::make_shared<Watch::State>(loop, [function = std::move(handler)](std::uint32_t) { function(); })) {
        sd_event_source* source = nullptr;
        check(sd_event_add_time(
                  event, &source, CLOCK_MONOTONIC, 0, accuracyMicroseconds,
                  [](sd_event_source*, std::uint64_t, void* self) { return Watch::State::call(self, 0); },
                  state_.get()),
              "create a timer");
        state_->source.reset(source);
        check(sd_event_source_set_enabled(source, SD_EVENT_OFF), "create a timer");
    }
    EventTimer(const EventTimer&) = delete;
    EventTimer& operator=(const EventTimer&) = delete;
    ~EventTimer() override { state_->source.reset(); }

    void arm(TimePoint when) override {
        check(sd_event_source_set_time(state_->source.get(), microseconds(when)), "set a timer");
        check(sd_event_source_set_enabled(state_->source.get(), SD_EVENT_ONESHOT), "set a timer");
    }
    void disarm() override { sd_event_source_set_enabled(state_->source.get(), SD_EVENT_OFF); }

private:
    std::shared_ptr<Watch::State> state_;
};

} // namespace

void EventLoop::EventDeleter::operator()(sd_event* event) const noexcept {
    sd_event_unref(event);
}

EventLoop::EventLoop() {
    sd_event* event = nullptr;
    check(sd_event_new(&event), "create the event loop");
    event_.reset(event);
}

EventLoop::~EventLoop() = default;

Watch EventLoop::watchFd(int fd, std::uint32_t events, FdHandler handler) {
    auto state = std::make_shared<Watch::State>(*this, std::move(handler));
    sd_event_source* source = nullptr;
    check(sd_event_add_io(
              event_.get(), &source, fd, events,
              [](sd_event_source*, int, std::uint32_t happened, void* self) {
                  return Watch::State::call(self, happened);
              },
              state.get()),
          "watch", fmt::format("descriptor {}", fd));
    state->source.reset(source);
    return Watch(std::move(state));
}

Watch EventLoop::watchSignal(int signalNumber, Handler handler) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signalNumber);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    auto state = std::make_shared<Watch::State>(*this, [function = std::move(handler)](std::uint32_t) { function(); });
    sd_event_source* source = nullptr;
    check(sd_event_add_signal(
              event_.get(), &source, signalNumber,
              [](sd_event_source*, const signalfd_siginfo*, void* self) { return Watch::State::call(self, 0); },
              state.get()),
          "watch", fmt::format("signal {}", signalNumber));
    state->source.reset(source);
    return Watch(std::move(state));
}

Watch EventLoop::beforeSleep(Handler handler) {
    auto state = std::make_shared<Watch::State>(*this, [function = std::move(handler)](std::uint32_t) { function(); });
    // A disabled timer whose only use is its prepare callback, which sd-event calls before each poll.
    sd_event_source* source = nullptr;
    check(sd_event_add_time(
              event_.get(), &source, CLOCK_MONOTONIC, UINT64_MAX, accuracyMicroseconds,
              [](sd_event_source*, std::uint64_t, void*) { return 0; }, state.get()),
          "add a handler");
    state->source.reset(source);
    check(sd_event_source_set_prepare(source, [](sd_event_source*, void* self) { return Watch::State::call(self, 0); }),
          "add a handler");
    return Watch(std::move(state));
}

Watch EventLoop::nextTurn(Handler handler) {
    auto state = std::make_shared<Watch::State>(*this, [function = std::move(handler)](std::uint32_t) { function(); });
    sd_event_source* source = nullptr;
    check(sd_event_add_defer(
              event_.get(), &source, [](sd_event_source*, void* self) { return Watch::State::call(self, 0); },
              state.get()),
          "add a handler");
    state->source.reset(source);
    return Watch(std::move(state));
}

TimePoint EventLoop::now() const noexcept {
    return MonotonicClock().now();
}

std::unique_ptr<Timer> EventLoop::makeTimer(Handler handler) {
    return std::make_unique<EventTimer>(*this, event_.get(), std::move(handler));
}

void EventLoop::run() {
    quitting_ = false;
    while (!quitting_ && !failure_)
        check(sd_event_run(event_.get(), UINT64_MAX), "wait for events");
    rethrow();
}

bool EventLoop::iterate(Nanoseconds longest) {
    const auto microsecondsLongest = std::chrono::ceil<std::chrono::microseconds>(longest).count();
    const int handled =
        sd_event_run(event_.get(), microsecondsLongest > 0 ? static_cast<std::uint64_t>(microsecondsLongest) : 0);
    check(handled, "wait for events");
    rethrow();
    return handled > 0;
}

void EventLoop::quit() noexcept {
    quitting_ = true;
}

void EventLoop::fail(std::exception_ptr failure) noexcept {
    if (!failure_)
        failure_ = std::move(failure);
}

void EventLoop::rethrow() {
    if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
}

int EventLoop::fd() const noexcept {
    return sd_event_get_fd(event_.get());
}

} // namespace vgpuview

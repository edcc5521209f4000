// SPDX-License-Identifier: MIT
// An sd-bus connection that lives in the event loop.
#include "input/bus_connection.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace vgpuview {

namespace {

using namespace std::chrono_literals;

constexpr int mostMessagesATurn = 64;

std::string errorText(int negativeErrno) {
    return std::generic_category().message(-negativeErrno);
}

} // namespace

BusConnection::BusConnection(EventLoop& loop, Nanoseconds answerTime, BusConnectionObserver& observer)
    : loop_(loop)
    , answerTime_(answerTime)
    , observer_(observer)
    , timer_(loop.makeTimer([] {})) // pump() follows
    , pumping_(loop.beforeSleep([this] { pump(); })) {}

int BusConnection::openBus(const std::string& address) {
    sd_bus* bus = nullptr;
    if (address.empty()) {
        const int result = sd_bus_open_user(&bus);
        bus_.reset(bus);
        return start(result);
    }
    int result = sd_bus_new(&bus);
    bus_.reset(bus);
    if (result >= 0)
        result = sd_bus_set_address(bus, address.c_str());
    if (result >= 0)
        result = sd_bus_set_bus_client(bus, 1);
    if (result >= 0)
        result = sd_bus_start(bus);
    return start(result);
}

int BusConnection::openPeer(UniqueFd& socket) {
    sd_bus* bus = nullptr;
    int result = sd_bus_new(&bus);
    bus_.reset(bus);
    if (result >= 0)
        result = sd_bus_set_fd(bus, socket.get(), socket.get());
    if (result >= 0) {
        (void)socket.release(); // the bus closes it
        result = sd_bus_start(bus);
    }
    return start(result);
}

int BusConnection::start(int result) {
    if (result >= 0)
        result = sd_bus_set_method_call_timeout(bus_.get(), static_cast<std::uint64_t>(answerTime_ / 1us));
    if (result < 0)
        close();
    return std::min(result, 0);
}

void BusConnection::close() noexcept {
    watch_ = {};
    timer_->disarm();
    bus_.reset();
    reason_.clear();
}

void BusConnection::giveUp(std::string reason) {
    if (reason_.empty())
        reason_ = std::move(reason);
}

void BusConnection::giveUp(int negativeErrno) {
    giveUp(errorText(negativeErrno));
}

void BusConnection::end(std::string reason) {
    close();
    observer_.connectionLost(std::move(reason));
}

void BusConnection::pump() {
    if (!bus_)
        return;
    int result = 1;
    for (int i = 0; i < mostMessagesATurn && result > 0 && !givenUp(); ++i)
        result = sd_bus_process(bus_.get(), nullptr);
    if (!givenUp() && !alive())
        giveUp("the other side closed the connection");
    else if (result < 0)
        giveUp(result);
    if (givenUp()) {
        end(std::move(reason_));
        return;
    }
    if (result > 0)
        again_ = loop_.nextTurn([] {});
    watch();
}

void BusConnection::watch() {
    const int fd = sd_bus_get_fd(bus_.get());
    const int wanted = sd_bus_get_events(bus_.get());
    if (fd < 0 || wanted < 0) {
        end(errorText(std::min(fd, wanted)));
        return;
    }
    const auto events = static_cast<std::uint32_t>(wanted); // POLLIN is EPOLLIN, and so on
    if (!watch_ || events != watchedEvents_ || fd != watchedFd_) {
        watch_ = {};
        watch_ = loop_.watchFd(fd, events, [](std::uint32_t) {}); // pump() follows
        watchedEvents_ = events;
        watchedFd_ = fd;
    }
    std::uint64_t microseconds = UINT64_MAX;
    if (sd_bus_get_timeout(bus_.get(), &microseconds) > 0 && microseconds != UINT64_MAX)
        timer_->arm(TimePoint(std::chrono::microseconds(microseconds)));
    else
        timer_->disarm();
}

void BusConnection::wait(Nanoseconds longest) {
    if (bus_)
        sd_bus_wait(bus_.get(), static_cast<std::uint64_t>(std::max(longest / 1us, std::int64_t{0})));
}

} // namespace vgpuview

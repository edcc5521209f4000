// SPDX-License-Identifier: MIT
// A connected socket that carries one JSON value a line, both ways, as QMP does.
#include "input/json_lines.h"

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace vgpuview {

namespace {

std::string errorText(int errorNumber) {
    return std::generic_category().message(errorNumber);
}

} // namespace

JsonLines::JsonLines(EventLoop& loop, UniqueFd socket, JsonLinesObserver& observer)
    : loop_(loop)
    , socket_(std::move(socket))
    , observer_(observer) {
    watch();
}

void JsonLines::send(const nlohmann::json& object) {
    if (!socket_)
        return;
    unsent_ += object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    unsent_ += '\n';
    write();
}

void JsonLines::close() noexcept {
    watch_ = {};
    socket_.reset();
    unread_.clear();
    unsent_.clear();
}

void JsonLines::wait(Nanoseconds longest) {
    if (!socket_)
        return;
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (!unsent_.empty())
        waiting.events |= POLLOUT;
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(longest).count();
    if (::poll(&waiting, 1, static_cast<int>(milliseconds)) > 0)
        handle(static_cast<std::uint32_t>(waiting.revents));
}

void JsonLines::handle(std::uint32_t events) {
    // What the peer said before it left is read first: read() finds the end itself.
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        read();
    if (socket_ && (events & EPOLLOUT) != 0)
        write();
}

void JsonLines::read() {
    // One chunk a turn, so that a flood leaves the loop its other work.
    std::array<char, 65536> chunk;
    const ssize_t length = ::recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR)
            fail(errorText(errno));
        return;
    }
    if (length == 0) {
        fail("the other side closed the connection");
        return;
    }
    const std::size_t before = unread_.size();
    unread_.append(chunk.data(), static_cast<std::size_t>(length));
    handleLines(before);
}

void JsonLines::handleLines(std::size_t unseenFrom) {
    std::size_t start = 0;
    for (std::size_t end = unread_.find('\n', unseenFrom); end != std::string::npos; end = unread_.find('\n', start)) {
        const auto line = nlohmann::json::parse(unread_.begin() + static_cast<std::ptrdiff_t>(start),
                                                unread_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
        if (!line.is_object()) {
            fail("what it says is not QMP");
            return;
        }
        start = end + 1;
        observer_.received(line);
        if (!socket_)
            return;
    }
    unread_.erase(0, start);
    if (unread_.size() > longestLine)
        fail("what it says is not QMP: a line without end");
}

void JsonLines::write() {
    while (!unsent_.empty()) {
        const ssize_t length = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (length < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN)
                break;
            fail(errorText(errno));
            return;
        }
        unsent_.erase(0, static_cast<std::size_t>(length));
    }
    if (unsent_.size() > mostUnsent) {
        fail("it takes nothing");
        return;
    }
    watch();
}

void JsonLines::watch() {
    const std::uint32_t events = unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (watch_ && events == watchedEvents_)
        return;
    watch_ = {};
    watch_ = loop_.watchFd(socket_.get(), events, [this](std::uint32_t happened) { handle(happened); });
    watchedEvents_ = events;
}

void JsonLines::fail(const std::string& reason) {
    close();
    observer_.lost(reason);
}

} // namespace vgpuview

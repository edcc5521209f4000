// SPDX-License-Identifier: MIT
// Input through a QMP socket: the connection and what QEMU says.
#include "input/qmp_backend.h"

#include "base/error.h"
#include "input/peer_words.h"
#include "input/qmp_events.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace vgpuview {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr Nanoseconds firstPause = 250ms;
constexpr Nanoseconds longestPause = 10s;
// The guest may change its pointing device without a word of QEMU's: asked again, while the pointer is used.
constexpr Nanoseconds miceAge = 1s;

constexpr std::string_view notGreeted = "no greeting: another client holds the socket, or it is not QMP";
constexpr std::string_view doesNotAnswer = "QEMU does not answer";

constexpr auto eventsThatChangeThings =
    std::to_array<std::string_view>({"STOP", "RESUME", "RESET", "SHUTDOWN", "POWERDOWN", "SUSPEND", "SUSPEND_DISK",
                                     "WAKEUP", "GUEST_PANICKED", "DEVICE_DELETED", "MIGRATION"});

/// A member that is a string, as it goes to people.
std::string wordsIn(const json& object, const char* member) {
    const auto found = object.find(member);
    if (found == object.end() || !found->is_string())
        return {};
    return peerWords(found->get_ref<const std::string&>());
}

bool isTrue(const json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

} // namespace

QmpBackend::QmpBackend(EventLoop& loop, Log& log, const std::filesystem::path& socket, Nanoseconds answerTime)
    : loop_(loop)
    , log_(log)
    , path_(socket.string())
    , state_(loop, log, fmt::format("QMP {}", path_))
    , connectTimer_(loop.makeTimer([this] { connect(); }))
    , answerTimer_(loop.makeTimer([this] { waitedTooLong(); }))
    , answerTime_(answerTime)
    , nextPause_(firstPause) {
    if (path_.empty() || path_.size() >= sizeof(sockaddr_un::sun_path))
        throw Error(ENAMETOOLONG, {.operation = "use QMP socket",
                                   .object = fmt::format("'{}'", path_),
                                   .cause = path_.empty() ? "no path" : "the path is too long for a socket",
                                   .hint = "",
                                   .exit = ExitCode::usage});
    connectTimer_->arm(loop_.now());
}

QmpBackend::~QmpBackend() = default;

void QmpBackend::connect() {
    connection_.reset();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        lost(errno == EAGAIN ? "the socket is busy" : std::generic_category().message(errno));
        return;
    }
    stage_ = Stage::greeting;
    JsonLinesObserver& observer = *this;
    connection_ = std::make_unique<JsonLines>(loop_, std::move(socket), observer);
    answerTimer_->arm(loop_.now() + answerTime_);
}

void QmpBackend::lost(const std::string& reason) {
    stage_ = Stage::unconnected;
    unanswered_.clear();
    inputsUnanswered_ = 0;
    silent_ = running_ = takesTouch_ = false;
    pointerMode_ = PointerMode::none;
    answerTimer_->disarm();
    connectTimer_->arm(loop_.now() + nextPause_);
    nextPause_ = std::min(2 * nextPause_, longestPause);
    trouble_ = reason;
    update();
}

void QmpBackend::received(const json& object) {
    if (object.contains("QMP"))
        greeted(object);
    else if (object.contains("event"))
        happened(object);
    else if (object.contains("return") || object.contains("error"))
        answered(object);
}

void QmpBackend::greeted(const json&) {
    if (stage_ != Stage::greeting)
        return;
    stage_ = Stage::negotiating;
    silent_ = false;
    answerTimer_->disarm();
    send(Command::capabilities, {{"execute", "qmp_capabilities"}});
}

void QmpBackend::happened(const json& event) {
    const std::string name = wordsIn(event, "event");
    if (stage_ >= Stage::asking && std::ranges::find(eventsThatChangeThings, name) != eventsThatChangeThings.end())
        askAll();
}

void QmpBackend::answered(const json& answer) {
    const auto id = answer.find("id");
    if (unanswered_.empty() || id == answer.end() || *id != unanswered_.front().id) {
        connection_->close();
        lost("what it says is not QMP: an answer that nobody asked for");
        return;
    }
    const Command command = unanswered_.front().command;
    unanswered_.pop_front();
    if (unanswered_.empty())
        answerTimer_->disarm();
    else
        answerTimer_->arm(loop_.now() + answerTime_);
    silent_ = false;
    if (command == Command::input && --inputsUnanswered_ == mostMotionUnanswered - 1)
        state_.motionTaken();
    if (const auto error = answer.find("error"); error != answer.end()) {
        refused(command, *error);
        return;
    }
    const json& result = answer["return"];
    switch (command) {
    case Command::capabilities:
        stage_ = Stage::asking;
        askAll();
        break;
    case Command::status:
        setRunning(result);
        break;
    case Command::mice:
        setMice(result);
        break;
    case Command::touchProbe:
        takesTouch_ = true;
        break;
    case Command::input:
        lastRefusal_.clear();
        break;
    }
    update();
}

void QmpBackend::refused(Command command, const json& error) {
    const std::string words = error.is_object() ? wordsIn(error, "desc") : "";
    switch (command) {
    case Command::touchProbe:
        takesTouch_ = false;
        return;
    case Command::input:
        if (words != lastRefusal_) {
            log_.warning("the guest did not take an input event: {}", words);
            lastRefusal_ = words;
            askAll();
        }
        return;
    case Command::capabilities:
    case Command::status:
    case Command::mice:
        connection_->close();
        lost(fmt::format("QEMU refuses: {}", words));
        return;
    }
}

void QmpBackend::setRunning(const json& answer) {
    const std::string words = answer.is_object() ? wordsIn(answer, "status") : "";
    // A suspended guest is woken by a key.
    const bool running = answer.is_object() && (isTrue(answer, "running") || words == "suspended");
    running_ = running;
    trouble_ = running ? "" : fmt::format("the VM is {}", words.empty() ? "not running" : words);
}

void QmpBackend::setMice(const json& answer) {
    pointerMode_ = PointerMode::none;
    if (answer.is_array())
        for (const json& mouse : answer)
            if (mouse.is_object() && isTrue(mouse, "current"))
                pointerMode_ = isTrue(mouse, "absolute") ? PointerMode::absolute : PointerMode::relative;
    if (stage_ == Stage::asking) {
        stage_ = Stage::answered;
        nextPause_ = firstPause;
    }
}

void QmpBackend::askAll() {
    ask(Command::status);
    ask(Command::mice);
    sendEvents(Command::touchProbe, qmpTouchProbe());
}

void QmpBackend::ask(Command command) {
    if (command == Command::mice)
        miceAskedAt_ = loop_.now();
    send(command, {{"execute", command == Command::status ? "query-status" : "query-mice"}});
}

void QmpBackend::sendEvents(Command command, json events) {
    json message{{"execute", "input-send-event"}};
    message["arguments"]["events"] = std::move(events);
    send(command, std::move(message));
}

void QmpBackend::send(Command command, json message) {
    if (!connection_ || stage_ == Stage::unconnected)
        return;
    if (unanswered_.size() >= mostUnanswered) {
        connection_->close();
        lost(std::string(doesNotAnswer));
        return;
    }
    message["id"] = ++lastId_;
    if (unanswered_.empty())
        answerTimer_->arm(loop_.now() + answerTime_);
    unanswered_.push_back({.id = lastId_, .command = command});
    if (command == Command::input)
        ++inputsUnanswered_;
    connection_->send(message);
}

void QmpBackend::key(const KeyMapping& key, KeyState state) {
    if (state_.ready())
        sendEvents(Command::input, qmpKey(key, state));
}

void QmpBackend::pointer(const PointerChange& change) {
    if (!state_.ready())
        return;
    if (loop_.now() - miceAskedAt_ > miceAge)
        ask(Command::mice);
    json events = qmpPointer(change, pointerMode_);
    if (!events.empty())
        sendEvents(Command::input, std::move(events));
}

void QmpBackend::touch(const TouchChange& change) {
    if (!state_.ready())
        return;
    if (change.phase == TouchPhase::begin)
        trackingId_ = (trackingId_ + 1) & 0xffff;
    sendEvents(Command::input, qmpTouch(change, trackingId_));
}

void QmpBackend::drain(Nanoseconds longest) {
    const TimePoint end = loop_.now() + longest;
    while (stage_ != Stage::unconnected && !unanswered_.empty() && loop_.now() < end)
        connection_->wait(end - loop_.now());
}

void QmpBackend::waitedTooLong() {
    // A client before this one may yet leave, and a QEMU that is stopped by a debugger may yet go on.
    silent_ = true;
    update();
}

void QmpBackend::update() {
    InputStatus next;
    if (stage_ == Stage::unconnected || (stage_ == Stage::answered && !running_))
        next = {.state = InputState::off, .reason = trouble_};
    else if (silent_)
        next = {.state = InputState::off,
                .reason = std::string(stage_ == Stage::greeting ? notGreeted : doesNotAnswer)};
    else if (stage_ == Stage::answered)
        next = {.state = InputState::ready};
    else
        next = state_.status(); // until it is known
    state_.set(std::move(next), pointerMode_);
}

} // namespace vgpuview

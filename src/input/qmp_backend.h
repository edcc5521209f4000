// SPDX-License-Identifier: MIT
// Input through a QMP socket: input-send-event, query-mice, query-status (QEMU's qapi/ui.json, qapi/run-state.json).
#pragma once

#include "base/log.h"
#include "input/backend_state.h"
#include "input/input_backend.h"
#include "input/json_lines.h"
#include "loop/event_loop.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace vgpuview {

/// A QMP socket serves one client at a time: this one holds it as long as it lives. Where the socket is missing, busy,
/// not QMP or gone, status() says so, the log has a line, and the next try follows, at most 10 seconds later.
class QmpBackend final : public InputBackend, private JsonLinesObserver {
public:
    /// Throws Error (usage) where the path is none of a socket: empty or too long. Connects from the loop.
    /// answerTime: after so long without a greeting or an answer input is off, until it comes.
    QmpBackend(EventLoop& loop, Log& log, const std::filesystem::path& socket,
               Nanoseconds answerTime = std::chrono::seconds(3));
    ~QmpBackend() override;
    QmpBackend(const QmpBackend&) = delete;
    QmpBackend& operator=(const QmpBackend&) = delete;

    void key(const KeyMapping& key, KeyState state) override;
    void pointer(const PointerChange& change) override;
    void touch(const TouchChange& change) override;
    [[nodiscard]] bool takesMotion() const noexcept override { return inputsUnanswered_ < mostMotionUnanswered; }
    [[nodiscard]] bool takesTouch() const noexcept override { return takesTouch_; }
    void drain(Nanoseconds longest) override;

    [[nodiscard]] PointerMode pointerMode() const noexcept override { return state_.pointerMode(); }
    [[nodiscard]] const InputStatus& status() const noexcept override { return state_.status(); }
    [[nodiscard]] const std::string& description() const noexcept override { return state_.description(); }
    void observe(InputBackendObserver* observer) noexcept override { state_.observe(observer); }

private:
    enum class Stage { unconnected, greeting, negotiating, asking, answered };
    enum class Command { capabilities, status, mice, input, touchProbe };
    struct Asked {
        std::uint64_t id;
        Command command;
    };

    static constexpr std::size_t mostMotionUnanswered = 4;
    static constexpr std::size_t mostUnanswered = 2048;

    void received(const nlohmann::json& object) override;
    void lost(const std::string& reason) override;

    void connect();
    void greeted(const nlohmann::json& greeting);
    void answered(const nlohmann::json& answer);
    void refused(Command command, const nlohmann::json& error);
    void happened(const nlohmann::json& event);
    void setRunning(const nlohmann::json& answer);
    void setMice(const nlohmann::json& answer);
    void ask(Command command);
    void askAll();
    void sendEvents(Command command, nlohmann::json events);
    void send(Command command, nlohmann::json message);
    void waitedTooLong();
    void update();

    EventLoop& loop_;
    Log& log_;
    std::string path_;
    BackendState state_;
    std::unique_ptr<JsonLines> connection_;
    std::unique_ptr<Timer> connectTimer_;
    std::unique_ptr<Timer> answerTimer_;
    Nanoseconds answerTime_;
    Nanoseconds nextPause_;
    Stage stage_ = Stage::unconnected;
    std::deque<Asked> unanswered_;
    std::size_t inputsUnanswered_ = 0;
    std::uint64_t lastId_ = 0;
    TimePoint miceAskedAt_;
    bool silent_ = false; ///< an answer is overdue
    bool running_ = false;
    bool takesTouch_ = false;
    std::int64_t trackingId_ = 0;
    std::string trouble_; ///< why the VM takes no events, or the connection is none
    PointerMode pointerMode_ = PointerMode::none;
    std::string lastRefusal_;
};

} // namespace vgpuview

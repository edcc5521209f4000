// SPDX-License-Identifier: MIT
// Opens and closes sessions on a thread of its own, because either may take long.
#pragma once

#include "base/log.h"
#include "obs/capture_settings.h"
#include "obs/session.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

namespace vgpuview {

/// Why a session could not be opened.
struct OpenFailure {
    std::string message; ///< one line
    std::string hint;    ///< the cure, or empty
};

using OpenResult = std::variant<std::unique_ptr<Session>, OpenFailure>;

/// Jobs are done in the order they were given: a device that is closed and opened anew is free by then. All calls but
/// the destructor return at once. The thread sleeps while there is nothing to do.
class SessionWorker {
public:
    /// The log outlives it and takes messages from any thread.
    explicit SessionWorker(Log& log);
    /// Waits for the job under way and closes what is left.
    ~SessionWorker();
    SessionWorker(const SessionWorker&) = delete;
    SessionWorker& operator=(const SessionWorker&) = delete;

    /// The answer to an earlier request that was not taken yet is dropped.
    void open(Origin origin);
    /// Nobody else refers to the session or its buffers any more.
    void close(std::unique_ptr<Session> session);
    /// The answer to the last request, once.
    [[nodiscard]] std::optional<OpenResult> takeResult();

private:
    struct OpenJob {
        Origin origin;
        unsigned request;
    };
    using Job = std::variant<OpenJob, std::unique_ptr<Session>>;

    void run();
    [[nodiscard]] OpenResult tryToOpen(const Origin& origin) const;

    Log& log_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    unsigned lastRequest_ = 0;
    std::optional<OpenResult> result_; ///< to lastRequest_
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace vgpuview

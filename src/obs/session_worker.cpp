// SPDX-License-Identifier: MIT
// Opens and closes sessions on a thread of its own, because either may take long.
#include "obs/session_worker.h"

#include "base/error.h"

#include <pthread.h>

#include <exception>
#include <utility>

namespace vgpuview {

SessionWorker::SessionWorker(Log& log)
    : log_(log)
    , thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "vgpu-capture");
}

SessionWorker::~SessionWorker() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void SessionWorker::open(Origin origin) {
    std::optional<OpenResult> dropped;
    {
        const std::lock_guard lock(mutex_);
        dropped = std::exchange(result_, std::nullopt);
        if (dropped)
            if (auto* session = std::get_if<std::unique_ptr<Session>>(&*dropped))
                jobs_.emplace_back(std::move(*session));
        jobs_.emplace_back(OpenJob{std::move(origin), ++lastRequest_});
    }
    wake_.notify_one();
}

void SessionWorker::close(std::unique_ptr<Session> session) {
    if (!session)
        return;
    {
        const std::lock_guard lock(mutex_);
        jobs_.emplace_back(std::move(session));
    }
    wake_.notify_one();
}

std::optional<OpenResult> SessionWorker::takeResult() {
    const std::lock_guard lock(mutex_);
    return std::exchange(result_, std::nullopt);
}

void SessionWorker::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty())
            break;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        const auto* request = std::get_if<OpenJob>(&job);
        if (request && (stopping_ || request->request != lastRequest_))
            continue;
        lock.unlock();
        std::optional<OpenResult> result;
        if (request)
            result = tryToOpen(request->origin);
        const unsigned answered = request ? request->request : 0;
        job = OpenJob{}; // a session that is to be closed goes here
        lock.lock();
        if (result && answered == lastRequest_)
            std::swap(result_, result);
        if (!result)
            continue;
        lock.unlock();
        result.reset();
        lock.lock();
    }
    lock.unlock();
    result_.reset();
}

OpenResult SessionWorker::tryToOpen(const Origin& origin) const {
    try {
        return std::make_unique<Session>(origin, log_);
    } catch (const Error& error) {
        return OpenFailure{error.what(), error.hint()};
    } catch (const std::exception& error) {
        return OpenFailure{error.what(), {}};
    }
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A PipeWire daemon and consumers of the test's own.
#pragma once

#include "base/unique_fd.h"
#include "pipewire_report.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace vgpuview::component {

/// A child process with a pipe to its standard input; killed and reaped when destroyed.
class Child {
public:
    Child() = default;
    /// inherited: a descriptor that the child keeps, or -1.
    Child(const std::vector<std::string>& arguments, int inherited);
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();

    void write(char command) const;
    void kill();
    /// Whether it has ended by itself.
    [[nodiscard]] bool ended();
    /// Whether it ended by itself within this time.
    [[nodiscard]] bool endsWithin(unsigned milliseconds);
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

private:
    pid_t pid_ = -1;
    UniqueFd input_;
};

enum class SessionManager { none, wirePlumber };

/// A daemon with its own run-time directory, into which it points this process' environment.
class Bed {
public:
    explicit Bed(SessionManager manager);
    Bed(const Bed&) = delete;
    Bed& operator=(const Bed&) = delete;
    ~Bed();

    void startDaemon();
    void killDaemon();
    [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
    [[nodiscard]] pid_t daemonPid() const noexcept { return daemon_.pid(); }

private:
    std::string directory_;
    SessionManager manager_;
    Child daemon_;
    Child bus_;
    Child wirePlumber_;
};

class Consumer {
public:
    Consumer(const std::string& target, const std::vector<std::string>& words);
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;
    ~Consumer();

    void pause() { child_.write('p'); }
    void resume() { child_.write('r'); }
    /// Only for one that was told to wait.
    void link() { child_.write('l'); }
    void releaseHeld() { child_.write('h'); }
    void holdNone() { child_.write('n'); }
    void quit();
    void kill() { child_.kill(); }

    [[nodiscard]] const ConsumerReport& report() const noexcept { return *report_; }

private:
    UniqueFd memory_;
    ConsumerReport* report_;
    Child child_;
};

} // namespace vgpuview::component

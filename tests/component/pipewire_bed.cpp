// SPDX-License-Identifier: MIT
// A PipeWire daemon and consumers of the test's own.
#include "pipewire_bed.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace vgpuview::component {

namespace {

// What a graph needs and no more: no session manager, no devices, no D-Bus.
constexpr const char* daemonConfig = R"(
context.properties = { core.daemon = true  core.name = pipewire-0  link.max-buffers = 16  support.dbus = false
                       mem.mlock-all = false  log.level = 1 }
context.spa-libs = { support.* = support/libspa-support  audio.convert.* = audioconvert/libspa-audioconvert }
context.modules = [
    { name = libpipewire-module-protocol-native }
    { name = libpipewire-module-metadata }
    { name = libpipewire-module-spa-node-factory }
    { name = libpipewire-module-client-node }
    { name = libpipewire-module-client-device }
    { name = libpipewire-module-access args = { } }
    { name = libpipewire-module-adapter }
    { name = libpipewire-module-link-factory }
    { name = libpipewire-module-session-manager }
]
)";

bool listens(const std::string& path) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

} // namespace

Child::Child(const std::vector<std::string>& arguments, int inherited) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    const UniqueFd reading(ends[0]);
    input_ = UniqueFd(ends[1]);
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(reading.get(), STDIN_FILENO);
        if (inherited >= 0)
            ::fcntl(inherited, F_SETFD, 0);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1))
    , input_(std::move(other.input_)) {}

Child& Child::operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(input_, other.input_);
    return *this;
}

Child::~Child() {
    kill();
}

void Child::write(char command) const {
    if (::write(input_.get(), &command, 1) != 1)
        throw std::runtime_error("the child does not listen");
}

void Child::kill() {
    if (pid_ < 0)
        return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

bool Child::ended() {
    if (pid_ >= 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
        pid_ = -1;
    return pid_ < 0;
}

bool Child::endsWithin(unsigned milliseconds) {
    for (unsigned i = 0; i < milliseconds; ++i) {
        if (ended())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

Bed::Bed(SessionManager manager)
    : manager_(manager) {
    std::string pattern = "/tmp/vgpu-view-pipewire-XXXXXX";
    if (!::mkdtemp(pattern.data()))
        throw std::system_error(errno, std::generic_category(), "mkdtemp");
    directory_ = pattern;
    std::ofstream(directory_ + "/daemon.conf") << daemonConfig;
    for (const char* name : {"XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR", "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"})
        ::setenv(name, directory_.c_str(), 1);
    ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", 1);
    startDaemon();
}

Bed::~Bed() {
    wirePlumber_.kill();
    bus_.kill();
    daemon_.kill();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void Bed::startDaemon() {
    std::filesystem::remove(directory_ + "/pipewire-0");
    std::filesystem::remove(directory_ + "/bus");
    daemon_ = Child({"pipewire", "-c", directory_ + "/daemon.conf"}, -1);
    for (int i = 0; i < 5000 && !listens(directory_ + "/pipewire-0"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (manager_ != SessionManager::wirePlumber)
        return;
    // Not by dbus-run-session, whose children outlive it when it is killed.
    const std::string bus = "unix:path=" + directory_ + "/bus";
    ::setenv("DBUS_SESSION_BUS_ADDRESS", bus.c_str(), 1);
    bus_ = Child({"dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog", "--address=" + bus}, -1);
    for (int i = 0; i < 5000 && !listens(directory_ + "/bus"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    wirePlumber_ = Child({"wireplumber"}, -1);
}

void Bed::killDaemon() {
    daemon_.kill();
    wirePlumber_.kill();
    bus_.kill();
}

Consumer::Consumer(const std::string& target, const std::vector<std::string>& words)
    : memory_(::memfd_create("report", MFD_CLOEXEC)) {
    if (::ftruncate(memory_.get(), sizeof(ConsumerReport)) != 0)
        throw std::system_error(errno, std::generic_category(), "ftruncate");
    void* const shared = ::mmap(nullptr, sizeof(ConsumerReport), PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
    if (shared == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "mmap");
    report_ = new (shared) ConsumerReport;
    std::vector<std::string> arguments{PIPEWIRE_CONSUMER, std::to_string(memory_.get()), target};
    arguments.insert(arguments.end(), words.begin(), words.end());
    child_ = Child(arguments, memory_.get());
}

Consumer::~Consumer() {
    child_.kill();
    ::munmap(report_, sizeof(ConsumerReport));
}

void Consumer::quit() {
    child_.write('q');
    if (!child_.endsWithin(5000))
        throw std::runtime_error("the consumer does not end");
}

} // namespace vgpuview::component

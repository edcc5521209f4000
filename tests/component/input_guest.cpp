// SPDX-License-Identifier: MIT
// A real QEMU with a guest that writes down the input events that reach it.
#include "input_guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

namespace vgpuview::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto longestBoot = 180s;
constexpr auto longestWait = 30s;

std::filesystem::path imageFolder() {
    return std::filesystem::path(INPUT_GUEST_BUILD_FOLDER) / "input_guest_image";
}

int connectTo(const std::filesystem::path& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(static_cast<char*>(address.sun_path), path.c_str(), sizeof address.sun_path - 1);
    const auto end = Clock::now() + longestWait;
    while (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (Clock::now() > end) {
            ::close(fd);
            return -1;
        }
        std::this_thread::sleep_for(20ms);
    }
    return fd;
}

pid_t start(std::vector<std::string> line) {
    std::vector<char*> pointers;
    for (std::string& word : line)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const pid_t process = ::fork();
    if (process == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::execvp(pointers[0], pointers.data());
        ::_exit(127);
    }
    return process;
}

// Up to the answer, past the events before it.
std::string answerOn(int fd) {
    std::string text;
    std::string line;
    char c = 0;
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    while (::poll(&waiting, 1, 30'000) > 0 && ::recv(fd, &c, 1, 0) == 1) {
        line += c;
        if (c != '\n')
            continue;
        text += line;
        if (!line.starts_with("{\"timestamp\"")) // as events begin, and QEMU's own schema names them too
            break;
        line.clear();
    }
    return text;
}

} // namespace

const std::optional<std::string>& whyNoGuest() {
    static const std::optional<std::string> reason = []() -> std::optional<std::string> {
        for (const char* program : {"qemu-system-x86_64", "dbus-daemon"})
            if (std::system(fmt::format("command -v {} >/dev/null", program).c_str()) != 0)
                return fmt::format("{} is not installed", program);
        const std::string make =
            fmt::format("'{}' '{}' '{}'", INPUT_GUEST_IMAGE_TOOL, INPUT_GUEST_INIT, imageFolder().string());
        if (std::system(make.c_str()) != 0)
            return "there is no kernel with its modules for the guest";
        return {};
    }();
    return reason;
}

InputGuest::InputGuest(Display display, const std::vector<std::string>& arguments) {
    std::string name = (std::filesystem::temp_directory_path() / "guest-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        return;
    folder_ = name;
    std::ofstream(folder_ / "events");
    std::vector<std::string> line{"qemu-system-x86_64",
                                  "-machine",
                                  "pc",
                                  "-accel",
                                  "tcg",
                                  "-m",
                                  "256",
                                  "-nodefaults",
                                  "-no-user-config",
                                  "-kernel",
                                  imageFolder() / "kernel",
                                  "-initrd",
                                  imageFolder() / "initrd",
                                  "-append",
                                  "console=ttyS0 quiet",
                                  "-serial",
                                  fmt::format("file:{}", (folder_ / "console").string()),
                                  "-serial",
                                  fmt::format("file:{}", (folder_ / "events").string()),
                                  "-device",
                                  "qemu-xhci,id=usb",
                                  "-qmp",
                                  fmt::format("unix:{},server=on,wait=off", qmpSocket().string()),
                                  "-qmp",
                                  fmt::format("unix:{},server=on,wait=off", (folder_ / "control").string())};
    line.insert(line.end(), arguments.begin(), arguments.end());
    line.insert(line.end(), {"-vga", "std", "-display"});
    if (display == Display::bus) {
        bus_ = start({"dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=" + busAddress()});
        ::close(connectTo(folder_ / "bus"));
        line.push_back("dbus,addr=" + busAddress());
    } else {
        line.emplace_back("dbus,p2p=yes");
    }
    process_ = start(line);
    control_ = connectTo(folder_ / "control");
    answerOn(control_);
    command(R"({"execute":"qmp_capabilities"})");
}

InputGuest::~InputGuest() {
    for (const pid_t process : {process_, bus_})
        if (process > 0) {
            ::kill(process, SIGKILL);
            ::waitpid(process, nullptr, 0);
        }
    ::close(control_);
    std::filesystem::remove_all(folder_);
}

bool InputGuest::waitForDevices(const std::vector<std::string>& names) {
    const auto end = Clock::now() + longestBoot;
    const auto there = [&](const std::string& name) {
        auto all = lines();
        all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(forgotten_, all.size())));
        return std::ranges::any_of(all, [&](const std::string& line) {
            return line.starts_with("device ") && line.find(name) != std::string::npos;
        });
    };
    while (!std::ranges::all_of(names, there)) {
        if (Clock::now() > end)
            return false;
        std::this_thread::sleep_for(100ms);
    }
    return true;
}

bool InputGuest::waitUntil(EventLoop& loop, const std::function<bool()>& condition) {
    const auto end = Clock::now() + longestWait;
    while (!condition()) {
        if (Clock::now() > end)
            return false;
        loop.iterate(20ms);
    }
    return true;
}

std::vector<std::string> InputGuest::lines() const {
    std::ifstream file(folder_ / "events");
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);)
        if (!file.eof()) // else it is not yet complete
            all.push_back(line);
    return all;
}

std::vector<GuestEvent> InputGuest::events() const {
    const auto all = lines();
    std::map<int, std::string> names;
    std::vector<GuestEvent> found;
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::istringstream line(all[i]);
        std::string kind;
        int device = 0;
        line >> kind >> device >> std::ws;
        if (kind == "device")
            std::getline(line, names[device]);
        GuestEvent event{.device = names[device]};
        if (kind == "event" && i >= forgotten_ && line >> event.type >> event.code >> event.value)
            found.push_back(event);
    }
    return found;
}

void InputGuest::forget() {
    forgotten_ = lines().size();
}

void InputGuest::settle(EventLoop& loop) {
    const auto end = Clock::now() + 1s;
    while (Clock::now() < end)
        loop.iterate(20ms);
    forget();
}

int InputGuest::openDisplaySocket() {
    std::array<int, 2> ends{-1, -1};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data());
    command(R"({"execute":"getfd","arguments":{"fdname":"display"}})", ends[1]);
    command(R"({"execute":"add_client","arguments":{"protocol":"@dbus-display","fdname":"display"}})");
    ::close(ends[1]);
    return ends[0];
}

std::string InputGuest::command(std::string_view json, int fd) {
    std::string text(json);
    text += '\n';
    iovec data{.iov_base = text.data(), .iov_len = text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    if (::sendmsg(control_, &message, MSG_NOSIGNAL) < 0)
        return "";
    return answerOn(control_);
}

} // namespace vgpuview::test

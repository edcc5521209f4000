// SPDX-License-Identifier: MIT
// The only program of a test guest: writes every input event that the guest's kernel sees to its second serial port.
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

constexpr int mostDevices = 16;

void loadModules() {
    std::FILE* order = std::fopen("/modules/order", "re");
    std::array<char, 256> name{};
    while (order != nullptr && std::fgets(name.data(), name.size(), order) != nullptr) {
        name[std::strcspn(name.data(), "\n")] = '\0';
        const int fd = ::open((std::string("/modules/") + name.data()).c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0 || ::syscall(SYS_finit_module, fd, "", 0) != 0)
            std::printf("cannot load %s: %s\n", name.data(), std::strerror(errno));
        ::close(fd);
    }
}

struct Devices {
    std::array<int, mostDevices> fds{};
    std::FILE* out = nullptr;

    void look() {
        for (int i = 0; i < mostDevices; ++i) {
            int& fd = fds[static_cast<std::size_t>(i)];
            if (fd >= 0)
                continue;
            fd = ::open(("/dev/input/event" + std::to_string(i)).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
            if (fd < 0)
                continue;
            std::array<char, 128> name{};
            ::ioctl(fd, EVIOCGNAME(name.size() - 1), name.data());
            std::fprintf(out, "device %d %s\n", i, name.data());
        }
    }

    void read(int index) {
        int& fd = fds[static_cast<std::size_t>(index)];
        input_event event{};
        ssize_t length = 0;
        while ((length = ::read(fd, &event, sizeof event)) == sizeof event)
            if (event.type != EV_SYN || event.code == SYN_DROPPED)
                std::fprintf(out, "event %d %u %u %d\n", index, event.type, event.code, event.value);
        if (length >= 0 || errno != EAGAIN) {
            std::fprintf(out, "gone %d\n", index);
            ::close(fd);
            fd = -1;
        }
    }
};

} // namespace

int main() {
    ::mkdir("/dev", 0755);
    ::mount("dev", "/dev", "devtmpfs", 0, nullptr);
    ::dup2(::open("/dev/console", O_RDWR | O_CLOEXEC), STDOUT_FILENO);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    loadModules();
    const int port = ::open("/dev/ttyS1", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    termios mode{};
    ::tcgetattr(port, &mode);
    ::cfmakeraw(&mode);
    ::cfsetspeed(&mode, B115200);
    ::tcsetattr(port, TCSANOW, &mode);
    Devices devices;
    devices.fds.fill(-1);
    devices.out = ::fdopen(port, "w");
    if (devices.out == nullptr)
        std::puts("no second serial port");
    std::setvbuf(devices.out, nullptr, _IOLBF, 0);
    for (;;) {
        devices.look();
        std::array<pollfd, mostDevices> waiting{};
        for (std::size_t i = 0; i < waiting.size(); ++i)
            waiting[i] = {.fd = devices.fds[i], .events = POLLIN, .revents = 0};
        ::poll(waiting.data(), waiting.size(), 200);
        for (int i = 0; i < mostDevices; ++i)
            if (waiting[static_cast<std::size_t>(i)].revents != 0)
                devices.read(i);
    }
}

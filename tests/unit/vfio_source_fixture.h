// SPDX-License-Identifier: MIT
// A source on a device that a process holds: the double of a driver, its host, and who listens.
#pragma once

#include "doubles/fake_host.h"
#include "doubles/fake_vfio_io.h"
#include "doubles/recording_log.h"
#include "loop/event_loop.h"
#include "vfio/source.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vgpuview::doubles {

class RetiredBuffers final : public FrameSourceObserver {
public:
    void bufferRetired(const Buffer& buffer) override { retired.push_back(buffer.id()); }
    void sourceEnded() override {
        ++ended;
        if (onEnd)
            onEnd();
    }
    std::vector<BufferId> retired;
    unsigned ended = 0;
    std::function<void()> onEnd;
};

/// A source on a device that a process holds.
class VfioSourceTest : public testing::Test {
protected:
    static std::string uuid() { return "0a000000-0000-0000-0000-00000000000a"; }

    VfioSourceTest() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
            io.processes[5].alive = UniqueFd(ends[0]);
            killer = UniqueFd(ends[1]);
        }
        io.processes[5].descriptors = {{9, &device}};
        host.addProcess(5, "qemu", std::string("qemu\0-name\0desk\0", 16));
        host.addDescriptor("5", 8, "/dev/vfio/7");
        host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
        device.show(DRM_FORMAT_XRGB8888, 64, 32, 1);
        device.addDmaBuf(1, 64 * 32 * 4);
    }
    void open(const std::string& parent = "mdev-parent", const std::string& driver = "nvidia") {
        host.addMdev(uuid(), parent, "t", 7, {}, driver);
        source = openVfioSource(ProcessAddress{.pid = 5}, host.paths(), io, loop, log);
        source->observe(&observer);
    }
    PollResult poll() { return source->poll(); }
    [[nodiscard]] BufferId shown() const { return source->frame().primary ? source->frame().primary->buffer->id() : 0; }
    [[nodiscard]] ino_t shownInode() const {
        return source->frame().primary ? inodeOf(source->frame().primary->buffer->fd()) : 0;
    }
    [[nodiscard]] const std::vector<std::string>& quirks() const { return source->description().quirks; }
    void showCursor(std::uint32_t x, std::uint32_t y, std::uint32_t token) {
        device.cursor = {};
        device.cursor.drm_format = DRM_FORMAT_ARGB8888;
        device.cursor.width = 16;
        device.cursor.height = 16;
        device.cursor.stride = 64;
        device.cursor.size = 1024;
        device.cursor.x_pos = x;
        device.cursor.y_pos = y;
        device.cursor.x_hot = 3;
        device.cursor.y_hot = 4;
        device.cursor.dmabuf_id = token;
    }

    FakeHost host;
    FakeVfioIo io;
    FakeDevice device;
    UniqueFd killer;
    EventLoop loop;
    RecordingLog log{LogLevel::warning};
    RetiredBuffers observer;
    std::unique_ptr<FrameSource> source;
};

} // namespace vgpuview::doubles

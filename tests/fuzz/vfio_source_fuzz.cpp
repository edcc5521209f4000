// SPDX-License-Identifier: MIT
// A driver that lies with every answer: no poll throws, reads outside of a buffer, or shows what does not fit into it.
#include "doubles/fake_vfio_io.h"
#include "fuzz/fuzz_target.h"
#include "vfio/vfio_source.h"

#include <drm_fourcc.h>

using namespace vgpuview;
using doubles::FakeDevice;
using doubles::FakeVfioIo;
using fuzz::require;

namespace {

class SilentLog final : public Log {
public:
    SilentLog()
        : Log(LogLevel::warning) {}

protected:
    void write(LogLevel, std::string_view) override {}
};

// Half of the values are within reason, so that the lies get past the first checks.
std::uint32_t value(fuzz::Input& input, std::uint32_t reasonable) {
    const auto raw = input.take<std::uint32_t>();
    return (raw & 0x100) != 0 ? raw % reasonable + 1 : raw;
}

vfio_device_gfx_plane_info answer(fuzz::Input& input) {
    vfio_device_gfx_plane_info info{};
    const auto choice = input.take<std::uint8_t>();
    info.drm_format = (choice & 1) != 0   ? DRM_FORMAT_XRGB8888
                      : (choice & 2) != 0 ? DRM_FORMAT_RGB565
                                          : input.take<std::uint32_t>();
    info.drm_format_mod = (choice & 4) != 0 ? input.take<std::uint64_t>() : 0;
    info.width = value(input, 64);
    info.height = value(input, 64);
    info.stride = (choice & 8) != 0 ? info.width * 4 : value(input, 512);
    info.size = (choice & 16) != 0 ? info.stride * info.height : value(input, 65536);
    info.x_pos = input.take<std::uint32_t>();
    info.y_pos = input.take<std::uint32_t>();
    info.x_hot = input.take<std::uint32_t>();
    info.y_hot = input.take<std::uint32_t>();
    info.dmabuf_id = input.take<std::uint8_t>() % 6;
    return info;
}

void check(const std::optional<Plane>& plane) {
    if (!plane)
        return;
    const Buffer& buffer = *plane->buffer;
    require(fitsInto(buffer.layout(), static_cast<std::uint64_t>(::lseek(buffer.fd(), 0, SEEK_END))),
            "what is shown lies within its buffer");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static EventLoop loop;
    static SilentLog log;
    fuzz::Input input(data, size);
    FakeVfioIo io;
    FakeDevice device;
    const auto setUp = input.take<std::uint8_t>();
    device.offersRegion = (setUp & 1) != 0;
    device.offersDmaBuf = !device.offersRegion;
    for (std::uint32_t id = 0; id < 5; ++id) {
        device.addDmaBuf(id, std::uint64_t{1} << (8 + 2 * id));
        device.regions[id].offset = std::uint64_t{id} << 20;
        device.regions[id].memory.resize(std::size_t{1} << (8 + 2 * id));
    }
    OpenedDevice opened;
    opened.device = io.descriptorOf(device);
    VfioSource source(std::move(opened), "fd:3", io, loop, log);
    std::vector<BufferReadLock> readers;
    for (unsigned polls = 0; polls < 32 && !input.empty(); ++polls) {
        device.primary = answer(input);
        if ((setUp & 2) != 0)
            device.cursor = answer(input);
        const auto trouble = input.take<std::uint8_t>();
        if (trouble % 8 == 0)
            device.fetchErrors = {trouble / 8};
        if (auto memory = device.regions.find(device.primary.dmabuf_id); memory != device.regions.end())
            memory->second.memory[trouble % 256] = std::byte{trouble};
        (void)source.poll();
        check(source.frame().primary);
        check(source.frame().cursor);
        if (trouble % 3 == 0 && source.frame().primary)
            readers.emplace_back(source.frame().primary->buffer);
        if (trouble % 7 == 0)
            readers.clear();
    }
    return 0;
}

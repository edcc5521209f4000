// SPDX-License-Identifier: MIT
// From SOURCE, as the user wrote it, to a frame source.
#include "sources/source_opener.h"

#include "base/error.h"
#include "synthetic/test_source.h"
#include "vfio/devices.h"
#include "vfio/source.h"

#include <fmt/format.h>

#include <cerrno>

namespace vgpuview {

SourceAddress resolveAddress(const std::string& text, const HostPaths& paths) {
    if (!text.empty())
        return parseSourceAddress(text);
    const std::vector<VgpuDevice> devices = findDevices(paths);
    if (devices.empty())
        throw Error(ENODEV,
                    {.operation = "find",
                     .object = "a vGPU",
                     .cause = "this host has none",
                     .hint = "vgpu-view doctor tells what is missing; vgpu-view test shows the built-in test vGPU"});
    if (devices.size() > 1) {
        std::string list;
        for (const VgpuDevice& device : devices)
            list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", device.uuid,
                                device.holder && !device.holder->vmName.empty() ? device.holder->vmName : device.type);
        throw Error(EINVAL, {.operation = "choose",
                             .object = "a vGPU",
                             .cause = fmt::format("this host has {}: {}", devices.size(), list),
                             .hint = "name one as SOURCE",
                             .exit = ExitCode::usage});
    }
    return MdevAddress{devices.front().uuid};
}

SourceOpener::SourceOpener(EventLoop& loop, Log& log)
    : loop_(loop)
    , log_(log) {}

std::unique_ptr<FrameSource> SourceOpener::open(const std::string& address) {
    const SourceAddress resolved = resolveAddress(address, paths_);
    if (const auto* test = std::get_if<TestAddress>(&resolved))
        return std::make_unique<TestSource>(parseTestOptions(test->options), loop_, log_);
    return openVfioSource(resolved, paths_, io_, loop_, log_);
}

} // namespace vgpuview

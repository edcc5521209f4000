// SPDX-License-Identifier: MIT
// Whatever a user, a process or a driver writes: it is understood or refused, and comes to an end.
#include "base/error.h"
#include "fuzz/fuzz_target.h"
#include "vfio/address.h"
#include "vfio/device.h"
#include "vfio/host_files.h"
#include "vfio/processes.h"

using namespace vgpuview;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::string text = input.text();
    try {
        const SourceAddress address = parseSourceAddress(text);
        require(parseSourceAddress(textOf(address)) == address, "the canonical text is the same address");
    } catch (const Error& error) {
        require(error.exitCode() == ExitCode::usage && !error.hint().empty(), "a wrong address is wrong usage");
    }
    require(vmNameFromCommandLine(text).size() <= text.size(), "a name is part of the command line");
    (void)vmNameFromCommandLine(std::string("qemu\0-name\0", 11) + text);
    for (const char c : printable(text))
        require(c < 0 || (c >= ' ' && c != '\x7f'), "no control character is left");

    const auto firstOffset = input.take<std::uint32_t>();
    for (const std::uint32_t offset : {firstOffset, firstOffset % 64}) {
        RegionInfo info;
        readRegionCapabilities(input.bytes(), offset, info);
        require(info.areas.size() * 16 <= input.bytes().size(), "every area was in the answer");
    }
    return 0;
}

// SPDX-License-Identifier: MIT
// What a user writes to name a source of frames.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vgpuview {

/// `UUID` or `mdev:UUID`: a mediated device, whoever holds it.
struct MdevAddress {
    std::string uuid; ///< lower case, as sysfs writes it
    friend bool operator==(const MdevAddress&, const MdevAddress&) = default;
};

/// `pid:N` or `pid:N/INDEX`: a VFIO device that a process holds.
struct ProcessAddress {
    pid_t pid = 0;
    std::optional<unsigned> index = {}; ///< which of its VFIO devices, counted from 0 in the order of its descriptors
    friend bool operator==(const ProcessAddress&, const ProcessAddress&) = default;
};

/// `vm:NAME`: the VFIO device of a libvirt domain, or of a QEMU that was started with `-name NAME`.
struct VmAddress {
    std::string name;
    friend bool operator==(const VmAddress&, const VmAddress&) = default;
};

/// `fd:N`: a VFIO device descriptor that this process inherited.
struct DescriptorAddress {
    int fd = -1;
    friend bool operator==(const DescriptorAddress&, const DescriptorAddress&) = default;
};

/// `test` or `test:OPTIONS`: the built-in test vGPU, which is none of this room's business.
struct TestAddress {
    std::string options;
    friend bool operator==(const TestAddress&, const TestAddress&) = default;
};

using SourceAddress = std::variant<MdevAddress, ProcessAddress, VmAddress, DescriptorAddress, TestAddress>;

/// Throws Error (exit code "usage") whose hint shows the forms.
[[nodiscard]] SourceAddress parseSourceAddress(std::string_view text);
/// The canonical form, which parses to the same address: "mdev:UUID", "pid:17/1".
[[nodiscard]] std::string textOf(const SourceAddress& address);
/// Whether the text has the form of a UUID, 8-4-4-4-12 hexadecimal digits.
[[nodiscard]] bool isUuid(std::string_view text) noexcept;

} // namespace vgpuview

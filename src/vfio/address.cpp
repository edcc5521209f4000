// SPDX-License-Identifier: MIT
// What a user writes to name a source of frames.
#include "vfio/address.h"

#include "base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>

namespace vgpuview {

namespace {

constexpr const char* forms =
    "a source is UUID, mdev:UUID, pid:N, pid:N/INDEX, vm:NAME, fd:N or test[:OPTIONS]; `vgpu-view list` shows what "
    "there is";

[[noreturn]] void refuse(std::string_view text, std::string cause) {
    throw Error(EINVAL, {.operation = "understand source",
                         .object = fmt::format("'{}'", text),
                         .cause = std::move(cause),
                         .hint = forms,
                         .exit = ExitCode::usage});
}

bool isHexDigit(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string lowerCase(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

// All of it, without sign.
template<typename Number>
std::optional<Number> numberFrom(std::string_view text) noexcept {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty() || text.front() == '-')
        return {};
    return number;
}

SourceAddress mdevFrom(std::string_view text, std::string_view uuid) {
    if (!isUuid(uuid))
        refuse(text, "not a UUID of the form 01234567-89ab-cdef-0123-456789abcdef");
    return MdevAddress{.uuid = lowerCase(uuid)};
}

SourceAddress processFrom(std::string_view text, std::string_view rest) {
    const std::size_t slash = rest.find('/');
    const auto pid = numberFrom<pid_t>(rest.substr(0, slash));
    if (!pid || *pid == 0)
        refuse(text, "not a process number");
    if (slash == std::string_view::npos)
        return ProcessAddress{.pid = *pid};
    const auto index = numberFrom<unsigned>(rest.substr(slash + 1));
    if (!index)
        refuse(text, "not a number after the slash");
    return ProcessAddress{.pid = *pid, .index = index};
}

// The name becomes part of a path.
SourceAddress vmFrom(std::string_view text, std::string_view name) {
    if (name.empty() || name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
        refuse(text, "not a VM's name");
    return VmAddress{.name = std::string(name)};
}

SourceAddress descriptorFrom(std::string_view text, std::string_view rest) {
    const auto fd = numberFrom<int>(rest);
    if (!fd)
        refuse(text, "not a descriptor number");
    return DescriptorAddress{.fd = *fd};
}

} // namespace

bool isUuid(std::string_view text) noexcept {
    constexpr std::string_view pattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.size() != pattern.size())
        return false;
    for (std::size_t i = 0; i < pattern.size(); ++i)
        if (pattern[i] == '-' ? text[i] != '-' : !isHexDigit(text[i]))
            return false;
    return true;
}

SourceAddress parseSourceAddress(std::string_view text) {
    if (isUuid(text))
        return mdevFrom(text, text);
    if (text == "test")
        return TestAddress{};
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        refuse(text, "neither a UUID nor one of the other forms");
    const std::string_view scheme = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    if (scheme == "mdev")
        return mdevFrom(text, rest);
    if (scheme == "pid")
        return processFrom(text, rest);
    if (scheme == "vm")
        return vmFrom(text, rest);
    if (scheme == "fd")
        return descriptorFrom(text, rest);
    if (scheme == "test")
        return TestAddress{.options = std::string(rest)};
    refuse(text, fmt::format("'{}:' is none of the forms", scheme));
}

namespace {

struct TextOfAddress {
    std::string operator()(const MdevAddress& mdev) const { return fmt::format("mdev:{}", mdev.uuid); }
    std::string operator()(const ProcessAddress& process) const {
        return process.index ? fmt::format("pid:{}/{}", process.pid, *process.index)
                             : fmt::format("pid:{}", process.pid);
    }
    std::string operator()(const VmAddress& vm) const { return fmt::format("vm:{}", vm.name); }
    std::string operator()(const DescriptorAddress& descriptor) const { return fmt::format("fd:{}", descriptor.fd); }
    std::string operator()(const TestAddress& test) const {
        return test.options.empty() ? std::string("test") : fmt::format("test:{}", test.options);
    }
};

} // namespace

std::string textOf(const SourceAddress& address) {
    return std::visit(TextOfAddress{}, address);
}

} // namespace vgpuview

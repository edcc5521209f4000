// SPDX-License-Identifier: MIT
// Bounded reading of sysfs and procfs, whose content is not trusted.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

/// At most 64 KiB of a file, or nothing where it can't be read.
[[nodiscard]] std::optional<std::string> readHostFile(const std::filesystem::path& path);
/// The first line, with control characters shown as '?', or empty.
[[nodiscard]] std::string readHostLine(const std::filesystem::path& path);
/// Control characters become '?': what a process calls itself must not steer a terminal.
[[nodiscard]] std::string printable(std::string_view text);
/// The last component of where a symbolic link points to, or empty.
[[nodiscard]] std::string linkName(const std::filesystem::path& link);
/// Where a symbolic link points to, as it is written, or empty.
[[nodiscard]] std::string linkTarget(const std::filesystem::path& link);
/// The names in a directory, sorted; none where it can't be read, and then *errorNumber says why.
[[nodiscard]] std::vector<std::string> namesIn(const std::filesystem::path& directory, int* errorNumber = nullptr);
/// A decimal number and nothing else.
[[nodiscard]] std::optional<unsigned> decimal(std::string_view text) noexcept;

} // namespace vgpuview

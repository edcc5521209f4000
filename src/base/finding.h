// SPDX-License-Identifier: MIT
// What an examination of the host found, and the cure.
#pragma once

#include <string>
#include <string_view>

namespace vgpuview {

enum class Severity {
    ok,      ///< as it should be
    note,    ///< a way that this host does not have; another serves
    warning, ///< some uses fail
    problem, ///< nothing can be shown until it is mended
};
[[nodiscard]] std::string_view nameOf(Severity severity) noexcept;

struct Finding {
    Severity severity = Severity::ok;
    std::string text; ///< one line
    std::string cure; ///< the command that mends it, or a sentence; empty where there is nothing to do
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What a peer says, made fit for people.
#pragma once

#include <string>
#include <string_view>

namespace vgpuview {

/// At most 200 characters of printable ASCII; '?' stands for any other byte.
[[nodiscard]] std::string peerWords(std::string_view said);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The file that a run's report goes to.
#pragma once

#include "base/unique_fd.h"

#include <string>
#include <string_view>

namespace vgpuview {

/// Opened before the run, so that a place that can't be written ends the program at once and not after an hour.
class ReportFile {
public:
    /// path: "-" is standard output, "" is none. Throws Error.
    explicit ReportFile(std::string path);
    /// Replaces what the file held. Throws Error.
    void write(std::string_view text);
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

private:
    std::string path_;
    UniqueFd fd_;
};

} // namespace vgpuview

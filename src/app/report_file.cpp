// SPDX-License-Identifier: MIT
// The file that a run's report goes to.
#include "app/report_file.h"

#include "base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace vgpuview {

ReportFile::ReportFile(std::string path)
    : path_(std::move(path)) {
    if (path_.empty())
        return;
    if (path_ == "-") {
        fd_ = UniqueFd::duplicateOf(STDOUT_FILENO);
        return;
    }
    fd_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (!fd_)
        throw Error(errno, {.operation = "write the report",
                            .object = path_,
                            .hint = "name a file in a folder that exists and that you may write"});
}

void ReportFile::write(std::string_view text) {
    // Standard output belongs to others too; a pipe or a device can't be truncated, and need not be.
    if (path_ != "-" && ::ftruncate(fd_.get(), 0) != 0 && errno != EINVAL)
        throw Error(errno, {.operation = "write the report", .object = path_});
    while (!text.empty()) {
        const ssize_t written = ::write(fd_.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            throw Error(errno, {.operation = "write the report", .object = path_});
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace vgpuview

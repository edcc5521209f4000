// SPDX-License-Identifier: MIT
// The one exception type: what was tried, on what, why it failed, and the cure.
#include "base/error.h"

#include <fmt/format.h>

#include <cerrno>

namespace vgpuview {

Error::Error(int errorNumber, ErrorDetails details)
    : std::system_error(errorNumber, std::generic_category())
    , details_(std::move(details)) {
    const std::string cause = details_.cause.empty() ? code().message() : details_.cause;
    message_ = details_.object.empty() ? fmt::format("cannot {}: {}", details_.operation, cause)
                                       : fmt::format("cannot {} {}: {}", details_.operation, details_.object, cause);
}

ExitCode Error::exitCode() const noexcept {
    return details_.exit.value_or(exitCodeOf(errorNumber()));
}

ExitCode exitCodeOf(int errorNumber) noexcept {
    switch (errorNumber) {
    case 0:
        return ExitCode::done;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ESRCH:
        return ExitCode::notFound;
    case EACCES:
    case EPERM:
        return ExitCode::notPermitted;
    case EBUSY:
        return ExitCode::held;
    case EOPNOTSUPP:
    case ENOSYS:
    case ENOTTY:
        return ExitCode::notSupported;
    default:
        return ExitCode::failed;
    }
}

} // namespace vgpuview

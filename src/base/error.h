// SPDX-License-Identifier: MIT
// The one exception type: what was tried, on what, why it failed, and the cure.
#pragma once

#include <optional>
#include <string>
#include <system_error>

namespace vgpuview {

/// Exit codes of the program; scripts rely on them.
enum class ExitCode : int {
    done = 0,
    failed = 1,
    usage = 2,
    notFound = 3,
    notPermitted = 4,
    held = 5,
    notSupported = 6,
};

struct ErrorDetails {
    std::string operation;             ///< a verb: "open", "attach to"
    std::string object;                ///< what it was done to: a path, a UUID, "pid 17"
    std::string cause = {};            ///< empty: the errno's text
    std::string hint = {};             ///< a sentence with the cure, or empty
    std::optional<ExitCode> exit = {}; ///< empty: derived from the errno
};

/// A set-up step that failed. Thrown once, printed once, in main as
/// `cannot OPERATION OBJECT: CAUSE`. Never thrown per frame, never across a C callback.
class Error : public std::system_error {
public:
    /// errorNumber: an errno value, positive.
    Error(int errorNumber, ErrorDetails details);

    /// One line, without the program's name and without the hint.
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
    [[nodiscard]] int errorNumber() const noexcept { return code().value(); }
    [[nodiscard]] const std::string& hint() const noexcept { return details_.hint; }
    [[nodiscard]] const ErrorDetails& details() const noexcept { return details_; }
    [[nodiscard]] ExitCode exitCode() const noexcept;

private:
    ErrorDetails details_;
    std::string message_;
};

/// The exit code that an errno stands for where nothing more is known.
[[nodiscard]] ExitCode exitCodeOf(int errorNumber) noexcept;

} // namespace vgpuview

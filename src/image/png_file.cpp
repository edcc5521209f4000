// SPDX-License-Identifier: MIT
// Pictures as PNG files.
#include "image/png_file.h"

#include "base/error.h"
#include "base/unique_fd.h"

#include <fcntl.h>
#include <png.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace vgpuview {

namespace {

struct StreamCloser {
    void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
};
using Stream = std::unique_ptr<std::FILE, StreamCloser>;

[[noreturn]] void fail(int errorNumber, const std::string& path, std::string cause = {}) {
    throw Error(errorNumber, {.operation = "write", .object = path, .cause = std::move(cause)});
}

/// Writes and closes; errors are reported with the name that the user knows.
void writeTo(UniqueFd fd, const std::string& shownPath, Size size, std::span<const std::uint32_t> argb) {
    std::vector<png_byte> rgb;
    rgb.reserve(argb.size() * 3);
    for (const std::uint32_t pixel : argb) {
        rgb.push_back(static_cast<png_byte>(pixel >> 16));
        rgb.push_back(static_cast<png_byte>(pixel >> 8));
        rgb.push_back(static_cast<png_byte>(pixel));
    }
    Stream stream(::fdopen(fd.get(), "wb"));
    if (!stream)
        fail(errno, shownPath);
    static_cast<void>(fd.release());

    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = size.width;
    image.height = size.height;
    image.format = PNG_FORMAT_RGB;
    errno = 0;
    const int written = png_image_write_to_stdio(&image, stream.get(), 0, rgb.data(), 0, nullptr);
    // libpng's message ("Write Error") says less than the errno, where there is one.
    const int writeError = errno;
    const std::string message = image.message;
    png_image_free(&image);
    if (written == 0)
        fail(writeError != 0 ? writeError : EIO, shownPath, writeError != 0 ? std::string() : message);
    if (std::fflush(stream.get()) != 0 || std::fclose(stream.release()) != 0)
        fail(errno, shownPath);
}

/// A file beside its future place, gone again unless it got there.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& target)
        : path_(target + ".XXXXXX")
        , fd_(::mkostemp(path_.data(), O_CLOEXEC)) {
        if (!fd_)
            fail(errno, target);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (!path_.empty())
            ::unlink(path_.c_str());
    }

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] UniqueFd takeFd() noexcept { return std::move(fd_); }
    void moveTo(const std::string& target) {
        if (::rename(path_.c_str(), target.c_str()) != 0)
            fail(errno, target);
        path_.clear();
    }

private:
    std::string path_;
    UniqueFd fd_;
};

mode_t newFileMode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

void replaceFile(const std::string& path, const std::optional<mode_t>& mode, Size size,
                 std::span<const std::uint32_t> argb) {
    // A link stays, its target is replaced.
    std::error_code noTarget;
    const std::filesystem::path resolved = std::filesystem::canonical(path, noTarget);
    const std::string target = noTarget ? path : resolved.string();
    TemporaryFile file(target);
    if (::fchmod(file.fd(), mode.value_or(newFileMode())) != 0)
        fail(errno, path);
    writeTo(file.takeFd(), path, size, argb);
    file.moveTo(target);
}

} // namespace

void writePng(const std::string& path, Size size, std::span<const std::uint32_t> argb) {
    if (path == "-") {
        if (::isatty(STDOUT_FILENO) != 0)
            throw Error(EINVAL, {.operation = "write",
                                 .object = "a PNG to a terminal",
                                 .cause = "it is binary data",
                                 .hint = "redirect standard output, or name a file",
                                 .exit = ExitCode::usage});
        return writeTo(UniqueFd::duplicateOf(STDOUT_FILENO), "standard output", size, argb);
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno != ENOENT)
            fail(errno, path);
        return replaceFile(path, {}, size, argb);
    }
    if (S_ISREG(status.st_mode))
        return replaceFile(path, status.st_mode & 07777, size, argb);
    UniqueFd device(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!device)
        fail(errno, path);
    writeTo(std::move(device), path, size, argb);
}

} // namespace vgpuview

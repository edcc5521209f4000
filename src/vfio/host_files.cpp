// SPDX-License-Identifier: MIT
// Bounded reading of sysfs and procfs, whose content is not trusted.
#include "vfio/host_files.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace vgpuview {

namespace fs = std::filesystem;

std::optional<std::string> readHostFile(const fs::path& path) {
    constexpr std::size_t limit = 65536;
    // O_NONBLOCK: a fifo in the place of a file must not stop the program.
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd)
        return {};
    std::string content(limit, '\0');
    std::size_t size = 0;
    while (size < limit) {
        const ssize_t got = ::read(fd.get(), content.data() + size, limit - size);
        if (got < 0)
            return {};
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    content.resize(size);
    return content;
}

std::string readHostLine(const fs::path& path) {
    const std::optional<std::string> content = readHostFile(path);
    return content ? printable(std::string_view(*content).substr(0, content->find('\n'))) : std::string();
}

std::string printable(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if ((c >= 0 && c < ' ') || c == '\x7f')
            c = '?';
    return result;
}

std::string linkTarget(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    return error ? std::string() : target.string();
}

std::string linkName(const fs::path& link) {
    return fs::path(linkTarget(link)).filename().string();
}

std::vector<std::string> namesIn(const fs::path& directory, int* errorNumber) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    if (errorNumber)
        *errorNumber = error.value();
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
        names.push_back(entry->path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<unsigned> decimal(std::string_view text) noexcept {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        return {};
    return number;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Pictures of the guest's screen in the user's pictures folder.
#include "app/screenshot.h"

#include "app/late_gpu_reader.h"
#include "base/error.h"
#include "image/picture.h"
#include "image/png_file.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <optional>

namespace vgpuview {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longestName = 100;
constexpr unsigned mostInOneSecond = 1000;

/// The value of XDG_PICTURES_DIR="$HOME/..." or ="/...", the two forms that the file may have.
std::optional<fs::path> namedFolder(const fs::path& file, const fs::path& home) {
    std::ifstream lines(file);
    std::optional<fs::path> found;
    for (std::string line; std::getline(lines, line);) {
        constexpr std::string_view key = "XDG_PICTURES_DIR=\"";
        const std::size_t end = line.rfind('"');
        if (!line.starts_with(key) || end < key.size())
            continue;
        const std::string value = line.substr(key.size(), end - key.size());
        constexpr std::string_view inHome = "$HOME/";
        if (value.starts_with(inHome))
            found = home / value.substr(inHome.size());
        else if (value.starts_with('/'))
            found = value;
    }
    return found;
}

fs::path fromEnvironment(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr ? value : "";
}

std::string fileNameOf(std::string_view name) {
    std::string kept;
    for (const char c : name.substr(0, longestName))
        if (c != '/' && static_cast<unsigned char>(c) >= ' ' && c != 0x7f)
            kept += c;
    return kept;
}

} // namespace

fs::path picturesFolder(const fs::path& home, const fs::path& configFolder) {
    std::error_code ignored;
    if (const auto named = namedFolder(configFolder / "user-dirs.dirs", home);
        named && fs::is_directory(*named, ignored))
        return *named;
    if (home.empty())
        return ".";
    return fs::is_directory(home / "Pictures", ignored) ? home / "Pictures" : home;
}

fs::path picturesFolder() {
    const fs::path home = fromEnvironment("HOME");
    const fs::path config = fromEnvironment("XDG_CONFIG_HOME");
    return picturesFolder(home, config.empty() ? home / ".config" : config);
}

fs::path screenshotPath(const fs::path& folder, std::string_view name, std::time_t when) {
    std::tm local{};
    ::localtime_r(&when, &local);
    const std::string stem = fmt::format("vgpu-view {} {:%Y-%m-%d %H-%M-%S}", fileNameOf(name), local);
    fs::path path = folder / (stem + ".png");
    std::error_code ignored;
    for (unsigned i = 2; fs::exists(path, ignored) && i < mostInOneSecond; ++i)
        path = folder / fmt::format("{} {}.png", stem, i);
    return path;
}

void saveScreenshot(const Frame& frame, std::string_view name, Log& log) {
    try {
        LateGpuReader reader(log);
        const Picture picture = composePicture(frame, CursorVisibility::visible, &reader);
        const fs::path path = screenshotPath(picturesFolder(), name, std::time(nullptr));
        writePng(path.string(), picture.size, picture.argb);
        log.info("saved {}", path.string());
    } catch (const Error& error) {
        log.error("{}", error.what());
    }
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Pictures of the guest's screen in the user's pictures folder.
#pragma once

#include "base/log.h"
#include "frame/frame.h"

#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>

namespace vgpuview {

/// XDG_PICTURES_DIR of user-dirs.dirs (XDG's xdg-user-dirs), else Pictures in the home folder where there is one, else
/// the home folder, else the current one. home and configFolder may be empty.
[[nodiscard]] std::filesystem::path picturesFolder(const std::filesystem::path& home,
                                                   const std::filesystem::path& configFolder);
/// The same for this process, by $HOME and $XDG_CONFIG_HOME.
[[nodiscard]] std::filesystem::path picturesFolder();

/// "vgpu-view NAME 2026-01-31 17-05-09.png" in that folder, which is not there yet; local time. What a file's name
/// can't have is left out of name.
[[nodiscard]] std::filesystem::path screenshotPath(const std::filesystem::path& folder, std::string_view name,
                                                   std::time_t when);

/// Saves the frame, cursor and all, and says where; or says why not. Takes as long as that takes.
void saveScreenshot(const Frame& frame, std::string_view name, Log& log);

} // namespace vgpuview

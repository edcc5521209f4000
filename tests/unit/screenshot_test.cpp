// SPDX-License-Identifier: MIT
// Where screenshots go and what they are called.
#include "app/screenshot.h"
#include "doubles/fake_host.h"
#include "doubles/fake_source.h"
#include "doubles/recording_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace vgpuview {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Screenshot : public testing::Test {
protected:
    doubles::FakeHost host; // a folder of the test's own
    fs::path home = host.root() / "home";
    fs::path config = host.root() / "home/.config";
    doubles::RecordingLog log{LogLevel::debug};
};

TEST_F(Screenshot, GoesWhereTheDesktopKeepsPictures) {
    host.write("home/Bilder/x", "");
    host.write("home/.config/user-dirs.dirs",
               "# comment\nXDG_MUSIC_DIR=\"$HOME/Musik\"\nXDG_PICTURES_DIR=\"$HOME/Bilder\"\n");
    EXPECT_EQ(picturesFolder(home, config), home / "Bilder");
    host.write("home/.config/user-dirs.dirs", "XDG_PICTURES_DIR=\"" + host.root().string() + "/sys\"\n");
    EXPECT_EQ(picturesFolder(home, config), host.root() / "sys");
}

TEST_F(Screenshot, GoesHomeWhereNoFolderIsNamedOrThere) {
    EXPECT_EQ(picturesFolder(home, config), home);
    host.write("home/Pictures/x", "");
    EXPECT_EQ(picturesFolder(home, config), home / "Pictures");
    for (const char* text : {"XDG_PICTURES_DIR=\"$HOME/gone\"\n", "XDG_PICTURES_DIR=\"\n",
                             "XDG_PICTURES_DIR=", "XDG_PICTURES_DIR=\"relative\"", ""}) {
        host.write("home/.config/user-dirs.dirs", text);
        EXPECT_EQ(picturesFolder(home, config), home / "Pictures") << text;
    }
    EXPECT_EQ(picturesFolder("", ""), ".");
}

TEST_F(Screenshot, NeverReplacesAnother) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    const fs::path first = screenshotPath(host.root(), "../a/b\n", 1767225599);
    EXPECT_EQ(first, host.root() / "vgpu-view ..ab 2025-12-31 23-59-59.png");
    host.write(first.filename(), "");
    EXPECT_EQ(screenshotPath(host.root(), "../a/b\n", 1767225599),
              host.root() / "vgpu-view ..ab 2025-12-31 23-59-59 2.png");
}

TEST_F(Screenshot, IsSavedAndSaysWhere) {
    host.write("home/Pictures/x", "");
    ::setenv("HOME", home.c_str(), 1);
    ::unsetenv("XDG_CONFIG_HOME");
    Frame frame;
    frame.primary = Plane{.buffer = doubles::makeMemoryBuffer({64, 48}), .position = {}, .hotSpot = {}};
    saveScreenshot(frame, "win", log);
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_THAT(log.lines[0], HasSubstr("saved " + home.string() + "/Pictures/vgpu-view win "));
    EXPECT_TRUE(fs::is_regular_file(log.lines[0].substr(6)));
}

TEST_F(Screenshot, OfNoPictureSaysWhy) {
    saveScreenshot({}, "win", log);
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_THAT(log.lines[0], HasSubstr("cannot"));
}

} // namespace
} // namespace vgpuview

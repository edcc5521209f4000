// SPDX-License-Identifier: MIT
// What users type, and what comes of it.
#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vgpuview {
namespace {

using testing::HasSubstr;

std::variant<Options, PrintAndExit> parse(std::vector<const char*> words) {
    return parseCommandLine(words);
}

Options options(std::vector<const char*> words) {
    return std::get<Options>(parse(std::move(words)));
}

/// The error of a wrong command line.
Error usageError(std::vector<const char*> words) {
    try {
        (void)parse(std::move(words));
    } catch (const Error& error) {
        return error;
    }
    return {0, {.operation = "nothing", .object = "was wrong"}};
}

TEST(CommandLine, PlainSourceIsAWindow) {
    EXPECT_EQ(options({}).command, Command::window);
    EXPECT_EQ(options({}).source, "");
    EXPECT_EQ(options({"test:640x480"}).source, "test:640x480");
    EXPECT_EQ(options({"--seconds", "2.5", "test"}).seconds, 2.5);
    EXPECT_EQ(options({"window", "pid:12/1"}).source, "pid:12/1");
}

TEST(CommandLine, CommandsAreTakenByTheirNames) {
    EXPECT_EQ(options({"list", "--json"}).format, OutputFormat::json);
    EXPECT_EQ(options({"list"}).command, Command::list);
    EXPECT_EQ(options({"probe", "vm:win"}).command, Command::probe);
    EXPECT_EQ(options({"doctor"}).command, Command::doctor);
}

TEST(CommandLine, AShotNamesItsFileLast) {
    EXPECT_EQ(options({"shot", "a.png"}).picturePath, "a.png");
    EXPECT_EQ(options({"shot", "a.png"}).source, "");
    const Options both = options({"shot", "test", "a.png", "--cursor"});
    EXPECT_EQ(both.source, "test");
    EXPECT_EQ(both.picturePath, "a.png");
    EXPECT_TRUE(both.pictureWithCursor);
    EXPECT_EQ(usageError({"shot"}).exitCode(), ExitCode::usage);
    EXPECT_EQ(usageError({"shot", "a", "b", "c"}).exitCode(), ExitCode::usage);
}

#if VGPUVIEW_WINDOW
TEST(CommandLine, TheGuestsSizeIsTheWindowsToSay) {
    EXPECT_EQ(options({"test"}).resize, GuestResize::follow);
    EXPECT_EQ(options({"test", "--resize", "fixed"}).resize, GuestResize::fixed);
    EXPECT_EQ(options({"test", "--size", "2560x1440@59.94"}).size,
              (ModeRequest{.size = {2560, 1440}, .refreshMilliHz = 59'940}));
    EXPECT_EQ(usageError({"test", "--size", "2560"}).exitCode(), ExitCode::usage);
    EXPECT_EQ(usageError({"test", "--resize", "never"}).exitCode(), ExitCode::usage);
}
#endif

TEST(CommandLine, RunOptionsAreTaken) {
    const Options run =
        options({"test", "--frames", "10", "--stats", "--report", "-", "--wait", "--log-level", "debug"});
    EXPECT_EQ(run.frames, 10U);
    EXPECT_TRUE(run.stats);
    EXPECT_EQ(run.reportPath, "-");
    EXPECT_EQ(run.absentSource, AbsentSource::waitFor);
    EXPECT_EQ(run.logLevel, LogLevel::debug);
}

class WrongUsage : public testing::TestWithParam<std::vector<const char*>> {};

TEST_P(WrongUsage, IsExitCodeTwoOneLineAndAHint) {
    const Error error = usageError(GetParam());
    EXPECT_EQ(error.exitCode(), ExitCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("command line"));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    EXPECT_THAT(error.hint(), HasSubstr("--help"));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongUsage,
    testing::Values(std::vector<const char*>{"--no-such-option"}, std::vector<const char*>{"window", "a", "b"},
                    std::vector<const char*>{"--seconds", "-1"}, std::vector<const char*>{"--seconds", "nan"},
                    std::vector<const char*>{"--seconds", "soon"}, std::vector<const char*>{"--frames", "0"},
                    std::vector<const char*>{"--frames", "99999999999999999999999"},
                    std::vector<const char*>{"--log-level", "loud"}, std::vector<const char*>{"list", "extra"},
                    std::vector<const char*>{"--report"}));

TEST(CommandLine, EventsGoWhereTheUserSays) {
    EXPECT_FALSE(options({"test"}).input.named());
    EXPECT_EQ(options({"test", "--qmp", "/run/vm.sock"}).input.qmpSocket, "/run/vm.sock");
    EXPECT_EQ(options({"--dbus", "unix:path=/run/bus"}).input.dbusAddress, "unix:path=/run/bus");
    EXPECT_EQ(options({"--dbus", "session"}).input.dbusAddress, "");
    EXPECT_EQ(options({"monitor", "--dbus-fd", "7"}).input.dbusFd, 7);
    EXPECT_EQ(options({"--view-only"}).input.interaction, Interaction::viewOnly);
    EXPECT_EQ(usageError({"--qmp", "a", "--dbus", "b"}).exitCode(), ExitCode::usage);
    EXPECT_EQ(usageError({"--qmp", ""}).exitCode(), ExitCode::usage);
    EXPECT_EQ(usageError({"--dbus-fd", "-1"}).exitCode(), ExitCode::usage);
    EXPECT_EQ(usageError({"stream", "--qmp", "a"}).exitCode(), ExitCode::usage) << "nobody sits before a stream";
}

TEST(CommandLine, HotKeysAreBoundAndListed) {
    const auto keys = [](std::vector<const char*> words) {
        return std::get<PrintAndExit>(parse(std::move(words))).text;
    };
    EXPECT_THAT(keys({"--help", "keys"}), HasSubstr("grab              ctrl+alt+g"));
    EXPECT_THAT(keys({"window", "--grab-key", "scroll_lock", "--help", "keys"}), HasSubstr("ctrl+alt+g, scroll_lock"));
    EXPECT_THAT(keys({"--bind", "quit=ctrl+f4", "--bind", "grab=f9,f10", "--help", "keys"}),
                testing::AllOf(HasSubstr("quit              ctrl+f4 "), HasSubstr("grab              f9, f10")));
    EXPECT_EQ(usageError({"--bind", "dance=f1"}).exitCode(), ExitCode::usage);
    EXPECT_THAT(usageError({"--bind", "dance=f1"}).what(), HasSubstr("dance"));
    EXPECT_THAT(usageError({"--grab-key", "anykey"}).hint(), HasSubstr("--help keys"));
}

#if VGPUVIEW_STREAM
TEST(CommandLine, AStreamBesideAnotherSinkHasTheStreamsOptions) {
    const Options both =
        options({"window", "--stream", "--node-name", "desk", "--fps", "30", "--role", "both", "test"});
    EXPECT_TRUE(both.alsoStream);
    EXPECT_TRUE(both.alsoCamera);
    EXPECT_EQ(both.stream.nodeName, "desk");
    EXPECT_EQ(both.stream.maxFps, 30U);
    EXPECT_THAT(usageError({"window", "--node-name", "desk"}).what(), HasSubstr("--node-name requires --stream"));
    EXPECT_THAT(usageError({"monitor", "--role", "both"}).what(), HasSubstr("--role requires --stream"));
}
#endif

TEST(CommandLine, HelpFitsAScreen) {
    for (const char* command : {"", "list", "probe", "window", "stream", "monitor", "shot", "doctor"}) {
        std::vector<const char*> words{command, "--help"};
        if (words[0][0] == 0)
            words.erase(words.begin());
        const auto result = parse(words);
        ASSERT_TRUE(std::holds_alternative<PrintAndExit>(result)) << command;
        const std::string& text = std::get<PrintAndExit>(result).text;
        EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40) << text;
        EXPECT_THAT(text, HasSubstr("vgpu-view"));
    }
}

TEST(CommandLine, VersionIsPrinted) {
    EXPECT_THAT(std::get<PrintAndExit>(parse({"--version"})).text, testing::StartsWith("vgpu-view "));
}

} // namespace
} // namespace vgpuview

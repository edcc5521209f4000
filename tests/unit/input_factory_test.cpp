// SPDX-License-Identifier: MIT
// The way to a guest's input, as the options or its QEMU's command line name it.
#include "app/attached_input.h"
#include "app/input_factory.h"
#include "base/error.h"
#include "doubles/fake_host.h"
#include "doubles/recording_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int qemu = 4711;

std::string commandLine(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words) {
        text += word;
        text += '\0';
    }
    return text;
}

class InputFactory : public testing::Test {
protected:
    FoundInput find(const std::vector<std::string_view>& words) {
        host.addProcess(qemu, "qemu-system-x86", commandLine(words));
        host.link("proc/4711/cwd", "/srv/vm");
        return findInput(host.paths(), qemu, loop, log);
    }

    doubles::FakeHost host;
    EventLoop loop;
    doubles::RecordingLog log{LogLevel::debug};
};

TEST_F(InputFactory, TheLastQmpSocketOfAQemuIsTaken) {
    const FoundInput found = find({"qemu-system-x86_64", "-qmp", "unix:/run/manager,server=on,wait=off", "-qmp",
                                   "unix:spare.sock,server=on,wait=off", "-display", "dbus"});
    ASSERT_TRUE(found.sink);
    EXPECT_EQ(found.sink->description(), "QMP /srv/vm/spare.sock");
}

TEST_F(InputFactory, WithoutQmpItIsTheDisplayOnTheBus) {
    const FoundInput found = find({"qemu-system-x86_64", "-display", "dbus,addr=unix:path=/run/vm-bus"});
    ASSERT_TRUE(found.sink);
    EXPECT_EQ(found.sink->description(), "D-Bus unix:path=/run/vm-bus");
}

TEST_F(InputFactory, WithoutAnyWayItSaysHowToMakeOne) {
    const FoundInput found = find({"qemu-system-x86_64", "-name", "win"});
    EXPECT_FALSE(found.sink);
    EXPECT_EQ(found.reason, "QEMU has no spare QMP socket");
    EXPECT_THAT(log.lines,
                Contains(testing::AllOf(HasSubstr("4711"), HasSubstr("-qmp unix:PATH"), HasSubstr("--qmp"))));
}

TEST_F(InputFactory, WhatIsNoQemuIsNotCalledOne) {
    const FoundInput found = find({"/usr/bin/cloud-hypervisor", "--api-socket", "/run/ch"});
    EXPECT_FALSE(found.sink);
    EXPECT_THAT(log.lines, Contains(testing::AllOf(HasSubstr("4711 is no QEMU"), HasSubstr("--qmp"))));
}

TEST_F(InputFactory, AProcessThatIsGoneHasNoWay) {
    EXPECT_FALSE(findInput(host.paths(), 99, loop, log).sink);
}

TEST_F(InputFactory, APathThatIsNoSocketsDoesNotEndTheProgram) {
    const std::string socket = "unix:/" + std::string(200, 'x') + ",server=on";
    const FoundInput found = find({"qemu-system-x86_64", "-qmp", socket});
    EXPECT_FALSE(found.sink);
    EXPECT_EQ(found.reason, "QEMU's socket can't be used");
    EXPECT_THAT(log.lines, Contains(HasSubstr("too long")));
}

TEST_F(InputFactory, ADescriptorThatIsNotOpenIsWrongUsage) {
    try {
        (void)makeNamedInput({.dbusFd = 987}, loop, log);
        FAIL() << "used what is not there";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::usage);
        EXPECT_THAT(error.what(), HasSubstr("987"));
    }
}

TEST_F(InputFactory, WhatAGuestHoldsIsFoundByWhateverNameItsSocketHas) {
    std::string folder = (std::filesystem::temp_directory_path() / "vgpu-view-held-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const char* set = std::getenv("XDG_RUNTIME_DIR");
    const std::optional<std::string> before = set != nullptr ? std::optional<std::string>(set) : std::nullopt;
    ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
    const std::filesystem::path here = std::filesystem::current_path();
    std::filesystem::create_directory_symlink(here, folder + "/link");
    const auto records = [&] {
        std::error_code none;
        return std::distance(std::filesystem::directory_iterator(folder + "/vgpu-view", none), {});
    };
    for (const std::filesystem::path& name : {std::filesystem::path("vm.sock"), std::filesystem::path("./vm.sock"),
                                              here / "vm.sock", std::filesystem::path(folder + "/link/vm.sock")}) {
        (void)makeNamedInput({.qmpSocket = name}, loop, log);
        EXPECT_EQ(records(), 1) << name;
    }
    (void)makeNamedInput({.qmpSocket = "other.sock"}, loop, log);
    EXPECT_EQ(records(), 2);
    if (before)
        ::setenv("XDG_RUNTIME_DIR", before->c_str(), 1);
    else
        ::unsetenv("XDG_RUNTIME_DIR");
    std::filesystem::remove_all(folder);
}

struct CountingObserver final : InputObserver {
    void inputChanged() override { ++changes; }
    unsigned changes = 0;
};

TEST_F(InputFactory, GuestsComeAndGo) {
    AttachedInput input({}, host.paths(), loop, log);
    CountingObserver observer;
    input.observe(&observer);
    EXPECT_EQ(input.status().state, InputState::off);
    EXPECT_THAT(input.status().reason, IsEmpty()) << "nothing is amiss";
    host.addProcess(qemu, "qemu-system-x86", commandLine({"qemu-system-x86_64", "-qmp", "unix:/run/a,server=on"}));
    SourceDescription source;
    source.vmProcess = qemu;
    input.attach(source);
    EXPECT_EQ(input.description(), "QMP /run/a");
    EXPECT_EQ(input.status().state, InputState::connecting);
    EXPECT_EQ(observer.changes, 1U);
    input.detach();
    EXPECT_EQ(input.status().state, InputState::off);
    EXPECT_THAT(input.status().reason, IsEmpty());
    EXPECT_EQ(observer.changes, 2U);
    host.addProcess(qemu + 1, "qemu-system-x86", commandLine({"qemu-system-x86_64"}));
    source.vmProcess = qemu + 1;
    input.attach(source);
    EXPECT_EQ(input.status().reason, "QEMU has no spare QMP socket");
    input.key(1, KeyState::pressed); // into the void
    input.observe(nullptr);
}

TEST_F(InputFactory, ANamedWayOutlastsItsGuests) {
    AttachedInput input({.qmpSocket = "/run/mine"}, host.paths(), loop, log);
    host.addProcess(qemu, "qemu-system-x86", commandLine({"qemu-system-x86_64", "-qmp", "unix:/run/a,server=on"}));
    SourceDescription source;
    source.vmProcess = qemu;
    input.attach(source);
    EXPECT_EQ(input.description(), "QMP /run/mine");
    input.detach();
    EXPECT_EQ(input.description(), "QMP /run/mine");
}

} // namespace
} // namespace vgpuview

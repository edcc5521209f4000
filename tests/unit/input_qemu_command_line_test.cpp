// SPDX-License-Identifier: MIT
// The ways to a guest's input that a QEMU's command line tells of.
#include "input/qemu_command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vgpuview {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> qmpSockets(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "qemu-system-x86_64");
    std::vector<std::string> paths;
    for (const auto& path : qmpSocketsOf(arguments, "/home/user"))
        paths.push_back(path.string());
    return paths;
}

TEST(QmpSockets, ShortForm) {
    EXPECT_THAT(qmpSockets({"-qmp", "unix:/run/a,server=on,wait=off"}), ElementsAre("/run/a"));
    EXPECT_THAT(qmpSockets({"--qmp", "unix:/run/a,server,nowait"}), ElementsAre("/run/a"));
    EXPECT_THAT(qmpSockets({"-qmp-pretty", "unix:path=/run/a,server=yes"}), ElementsAre("/run/a"));
}

TEST(QmpSockets, CharacterDeviceAndMonitorInAnyOrder) {
    EXPECT_THAT(qmpSockets({"-mon", "chardev=m,mode=control", "-chardev", "socket,id=m,path=/run/b,server=on"}),
                ElementsAre("/run/b"));
    EXPECT_THAT(qmpSockets({"-chardev", "socket,path=/run/b,server=on,id=m", "-mon", "m,mode=control,pretty=on"}),
                ElementsAre("/run/b"));
    EXPECT_THAT(qmpSockets({"-chardev", "socket,id=m,path=/run/b,server=on", "-qmp", "chardev:m"}),
                ElementsAre("/run/b"));
}

TEST(QmpSockets, CommasInAPathAreDoubled) {
    EXPECT_THAT(qmpSockets({"-qmp", "unix:/run/a,,b,server=on"}), ElementsAre("/run/a,b"));
}

TEST(QmpSockets, ARelativePathIsCompleted) {
    EXPECT_THAT(qmpSockets({"-qmp", "unix:vm.sock,server=on"}), ElementsAre("/home/user/vm.sock"));
}

TEST(QmpSockets, WhatNobodyCanConnectToIsLeftOut) {
    EXPECT_THAT(qmpSockets({"-qmp", "unix:/run/a"}), IsEmpty());
    EXPECT_THAT(qmpSockets({"-qmp", "tcp:127.0.0.1:4444,server=on"}), IsEmpty());
    EXPECT_THAT(qmpSockets({"-qmp", "stdio"}), IsEmpty());
    EXPECT_THAT(qmpSockets({"-monitor", "unix:/run/a,server=on"}), IsEmpty());
    EXPECT_THAT(qmpSockets({"-qmp", "unix:/run/a,server=on,abstract=on"}), IsEmpty());
    EXPECT_THAT(qmpSockets({"-chardev", "socket,id=m,fd=17,server=on", "-mon", "chardev=m,mode=control"}), IsEmpty());
    EXPECT_THAT(qmpSockets({"-chardev", "socket,id=m,path=/run/b,server=on", "-mon", "chardev=m,mode=readline"}),
                IsEmpty());
    EXPECT_THAT(qmpSockets({"-chardev", "socket,id=m,path=/run/b,server=on", "-mon", "chardev=n,mode=control"}),
                IsEmpty());
    EXPECT_THAT(qmpSockets({"-qmp"}), IsEmpty());
    EXPECT_THAT(qmpSocketsOf({}, "/"), IsEmpty());
}

TEST(QmpSockets, LibvirtsOwnMonitorIsLeftOutAndASpareOneIsFound) {
    EXPECT_THAT(
        qmpSockets({"-chardev", "socket,id=charmonitor,path=/var/lib/libvirt/qemu/d/monitor.sock,server=on,wait=off",
                    "-mon", "chardev=charmonitor,id=monitor,mode=control", "-qmp", "unix:/run/spare,server=on"}),
        ElementsAre("/run/spare"));
}

TEST(DisplayBus, IsTheAddressOrTheSessions) {
    const auto bus = [](const std::string& display) {
        return displayBusOf(std::vector<std::string>{"qemu", "-display", display});
    };
    EXPECT_EQ(bus("dbus"), "");
    EXPECT_EQ(bus("dbus,gl=on"), "");
    EXPECT_EQ(bus("dbus,addr=unix:path=/run/bus"), "unix:path=/run/bus");
    EXPECT_EQ(bus("type=dbus,addr=unix:path=/a,,guid=1"), "unix:path=/a,guid=1");
    EXPECT_EQ(bus("dbus,p2p=on"), std::nullopt);
    EXPECT_EQ(bus("none"), std::nullopt);
    EXPECT_EQ(displayBusOf({}), std::nullopt);
}

} // namespace
} // namespace vgpuview

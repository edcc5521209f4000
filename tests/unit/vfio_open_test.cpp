// SPDX-License-Identifier: MIT
// The ways into a device, their order, its lock, and the errors of each with exit code and hint.
#include "base/error.h"
#include "doubles/fake_host.h"
#include "doubles/fake_vfio_io.h"
#include "vfio/device.h"
#include "vfio/opened_device.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <array>
#include <functional>
#include <string>

namespace vgpuview {
namespace {

using namespace std::string_literals;
using doubles::FakeDevice;
using doubles::FakeHost;
using doubles::FakeVfioIo;
using NodeKind = FakeVfioIo::NodeKind;

const std::string uuid = "0a000000-0000-0000-0000-00000000000a";
const std::string otherUuid = "0b000000-0000-0000-0000-00000000000b";

class OpenDeviceTest : public testing::Test {
protected:
    void addGroup(int group, FakeDevice& in, const std::string& name) {
        io.nodes[host.node("vfio/vfio")] = {.kind = NodeKind::container};
        io.nodes[host.node("vfio/" + std::to_string(group))] = {
            .kind = NodeKind::group, .device = &in, .deviceName = name};
    }
    void addCdev(const std::string& name, FakeDevice& of) {
        of.needsBind = true;
        io.nodes[host.node("iommu")] = {.kind = NodeKind::iommu};
        io.nodes[host.node("vfio/devices/" + name)] = {.kind = NodeKind::cdev, .device = &of};
    }
    /// A process that is alive until the pipe's writer says otherwise.
    void addProcess(int pid, std::map<int, FakeDevice*> descriptors) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        writers.emplace_back(ends[1]);
        io.processes[pid].alive = UniqueFd(ends[0]);
        io.processes[pid].descriptors = std::move(descriptors);
    }
    OpenedDevice open(const SourceAddress& address) { return openDevice(address, host.paths(), io); }
    [[nodiscard]] bool answers(const OpenedDevice& opened) {
        return DeviceCalls(io, opened.device.get()).offers(DisplayKind::dmaBuf) == 0;
    }
    void expectError(const SourceAddress& address, ExitCode code, const std::string& message, const std::string& hint) {
        try {
            (void)open(address);
            FAIL() << "was opened";
        } catch (const Error& error) {
            EXPECT_EQ(error.exitCode(), code) << error.what();
            EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
            EXPECT_NE(error.hint().find(hint), std::string::npos) << error.hint();
        }
    }

    FakeHost host;
    FakeVfioIo io;
    FakeDevice device;
    FakeDevice other;
    std::vector<UniqueFd> writers;
};

TEST_F(OpenDeviceTest, ACharacterDeviceIsBoundToAnIommufdAndGoesFirst) {
    host.addMdev(uuid, "mbochs", "t", 7, "vfio0");
    addGroup(7, device, uuid);
    addCdev("vfio0", device);
    const OpenedDevice opened = open(MdevAddress{uuid});
    EXPECT_EQ(opened.way, WayIn::cdev);
    EXPECT_TRUE(answers(opened));
    EXPECT_EQ(io.opened, (std::vector{host.node("vfio/devices/vfio0"), host.node("iommu")}));
    EXPECT_EQ(opened.vgpu->uuid, uuid);
    EXPECT_FALSE(opened.process);
}

TEST_F(OpenDeviceTest, AGroupIsOpenedByAContainer) {
    host.addMdev(uuid, "mbochs", "t", 7);
    addGroup(7, device, uuid);
    const OpenedDevice opened = open(MdevAddress{uuid});
    EXPECT_EQ(opened.way, WayIn::group);
    EXPECT_TRUE(opened.container);
    EXPECT_TRUE(opened.group);
    EXPECT_TRUE(answers(opened));
}

TEST_F(OpenDeviceTest, TheGroupServesWhereIommufdDoesNot) {
    host.addMdev(uuid, "mbochs", "t", 7, "vfio0");
    addGroup(7, device, uuid);
    io.nodes[host.node("vfio/devices/vfio0")] = {.kind = NodeKind::cdev, .device = &device};
    EXPECT_EQ(open(MdevAddress{uuid}).way, WayIn::group);
}

TEST_F(OpenDeviceTest, AHeldDeviceIsHadFromItsHolder) {
    host.addMdev(uuid, "mbochs", "t", 7);
    addGroup(7, device, uuid);
    device.heldElsewhere = true;
    host.addProcess(4711, "qemu-system-x86", "qemu-system-x86_64\0-name\0desk\0"s);
    host.addDescriptor("4711", 20, "/dev/vfio/7");
    host.addDescriptor("4711", 21, "anon_inode:[vfio-device]");
    addProcess(4711, {{21, &device}});
    const OpenedDevice opened = open(MdevAddress{uuid});
    EXPECT_EQ(opened.way, WayIn::process);
    EXPECT_EQ(opened.holder, (Holder{.pid = 4711, .processName = "qemu-system-x86", .vmName = "desk"}));
    EXPECT_TRUE(opened.process);
    EXPECT_TRUE(opened.lock);
    EXPECT_TRUE(answers(opened));
}

TEST_F(OpenDeviceTest, AHolderThatUsesIommufdIsKnownByItsCharacterDevice) {
    host.addMdev(uuid, "mbochs", "t", 7, "vfio0");
    addGroup(7, device, uuid);
    addCdev("vfio0", device);
    device.heldElsewhere = true;
    device.bound = true;
    host.addProcess(4711, "qemu");
    host.addDescriptor("4711", 30, "/dev/vfio/devices/vfio9");
    host.addDescriptor("4711", 31, "/dev/vfio/devices/vfio0");
    other.offersDmaBuf = false;
    addProcess(4711, {{30, &other}, {31, &device}});
    const OpenedDevice opened = open(MdevAddress{uuid});
    EXPECT_EQ(opened.way, WayIn::process);
    EXPECT_TRUE(answers(opened));
}

TEST_F(OpenDeviceTest, AmongSeveralDescriptorsTheKernelsWordIsTaken) {
    host.addMdev(uuid, "mbochs", "t", 7);
    host.addMdev(otherUuid, "mbochs", "t", 8);
    host.addProcess(5, "x");
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]", "vfio-device-syspath: /sys/devices/mbochs/" + otherUuid);
    host.addDescriptor("5", 10, "anon_inode:[vfio-device]", "vfio-device-syspath: /sys/devices/mbochs/" + uuid + "\n");
    device.dmaBufs.clear();
    addProcess(5, {{9, &other}, {10, &device}});
    other.removed = true;
    EXPECT_TRUE(answers(open(MdevAddress{uuid}))) << "the other one would not have answered";
}

TEST_F(OpenDeviceTest, AmongSeveralUnknownDescriptorsTheOneWithADisplayIsTaken) {
    host.addProcess(5, "x");
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
    host.addDescriptor("5", 10, "anon_inode:[vfio-device]");
    other.offersDmaBuf = false;
    addProcess(5, {{9, &other}, {10, &device}});
    EXPECT_TRUE(answers(open(ProcessAddress{.pid = 5})));
}

TEST_F(OpenDeviceTest, TwoDisplaysAreListedAndAnIndexPicks) {
    host.addProcess(5, "x");
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
    host.addDescriptor("5", 10, "anon_inode:[vfio-device]");
    addProcess(5, {{9, &other}, {10, &device}});
    expectError(ProcessAddress{.pid = 5}, ExitCode::usage, "2 of its VFIO devices have a display", "pid:5/0, pid:5/1");
    other.offersDmaBuf = false;
    EXPECT_TRUE(answers(open(ProcessAddress{.pid = 5, .index = 1})));
    EXPECT_FALSE(answers(open(ProcessAddress{.pid = 5, .index = 0})));
    expectError(ProcessAddress{.pid = 5, .index = 2}, ExitCode::notFound, "it has 2 VFIO devices", "counted from 0");
}

TEST_F(OpenDeviceTest, ADuplicatedDescriptorIsOneDevice) {
    host.addMdev(uuid, "mbochs", "t", 7);
    host.addProcess(5, "x");
    host.addDescriptor("5", 8, "/dev/vfio/7");
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
    host.addDescriptor("5", 10, "anon_inode:[vfio-device]");
    addProcess(5, {{9, &device}, {10, &device}});
    const OpenedDevice opened = open(ProcessAddress{.pid = 5});
    ASSERT_TRUE(opened.vgpu) << "one device of one group is known for certain";
    EXPECT_EQ(opened.vgpu->uuid, uuid);
    expectError(ProcessAddress{.pid = 5, .index = 1}, ExitCode::notFound, "it has 1 VFIO device open",
                "counted from 0");
}

TEST_F(OpenDeviceTest, AProcessesOnlyDeviceIsKnownByItsGroupAndLocked) {
    host.addMdev(uuid, "mbochs", "t", 7);
    host.addProcess(5, "x");
    host.addDescriptor("5", 8, "/dev/vfio/7");
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
    addProcess(5, {{9, &device}});
    const OpenedDevice opened = open(ProcessAddress{.pid = 5});
    ASSERT_TRUE(opened.vgpu);
    EXPECT_EQ(opened.vgpu->uuid, uuid);
    expectError(MdevAddress{uuid}, ExitCode::held, "shows it", "");
}

TEST_F(OpenDeviceTest, AVmIsFoundByItsName) {
    host.addProcess(5, "qemu", "qemu\0-name\0desk\0"s);
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
    addProcess(5, {{9, &device}});
    EXPECT_TRUE(answers(open(VmAddress{"desk"})));
    expectError(VmAddress{"garden"}, ExitCode::notFound, "cannot find VM garden", "virsh");
}

TEST_F(OpenDeviceTest, AnInheritedDescriptorIsDuplicated) {
    const UniqueFd inherited = io.descriptorOf(device);
    host.addDescriptor("self", inherited.get(), "anon_inode:[vfio-device]");
    const OpenedDevice opened = open(DescriptorAddress{inherited.get()});
    EXPECT_EQ(opened.way, WayIn::descriptor);
    EXPECT_NE(opened.device.get(), inherited.get());
    EXPECT_TRUE(answers(opened));
}

TEST_F(OpenDeviceTest, ADescriptorThatIsNoVfioDeviceIsRefusedWithoutAnIoctl) {
    const UniqueFd file = doubles::makeMemory("file");
    host.addDescriptor("self", file.get(), "/tmp/file");
    expectError(DescriptorAddress{file.get()}, ExitCode::notSupported, "it is no VFIO device", "fd:N");
    expectError(DescriptorAddress{9999}, ExitCode::notFound, "it is not open", "inherits");
}

TEST_F(OpenDeviceTest, TheLockKeepsASecondViewerAwayAndNamesTheFirst) {
    host.addMdev(uuid, "mbochs", "t", 7);
    addGroup(7, device, uuid);
    {
        const OpenedDevice first = open(MdevAddress{uuid});
        struct stat status {};
        ASSERT_EQ(::fstat(first.lock.get(), &status), 0);
        host.write("proc/locks", fmt::format("1: POSIX  ADVISORY  WRITE 77 00:01:1 0 EOF\n"
                                             "2: FLOCK  ADVISORY  WRITE 4711 {:02x}:{:02x}:{} 0 EOF\n",
                                             major(status.st_dev), minor(status.st_dev), status.st_ino));
        const std::size_t opens = io.opened.size();
        expectError(MdevAddress{uuid}, ExitCode::held,
                    "cannot open " + uuid + ": another vgpu-view (pid 4711) shows it", "--stream");
        EXPECT_EQ(io.opened.size(), opens) << "a locked device is not touched";
    }
    EXPECT_TRUE(answers(open(MdevAddress{uuid}))) << "the lock goes with its owner";
}

TEST_F(OpenDeviceTest, AUuidThatDoesNotExistIsNotFound) {
    expectError(MdevAddress{uuid}, ExitCode::notFound, uuid, "vgpu-view list");
}

TEST_F(OpenDeviceTest, ADeviceWithoutAnyNodeNeedsItsModules) {
    host.addMdev(uuid, "mbochs", "t", -1);
    expectError(MdevAddress{uuid}, ExitCode::notFound, "neither an IOMMU group", "modprobe");
    host.addMdev(uuid, "mbochs", "t", 7);
    expectError(MdevAddress{uuid}, ExitCode::notFound, host.node("vfio/7"), "modprobe");
}

TEST_F(OpenDeviceTest, ANodeWithoutRightsNamesItselfAndTheCure) {
    host.addMdev(uuid, "mbochs", "t", 7, "vfio0");
    addGroup(7, device, uuid);
    io.nodes[host.node("vfio/7")].error = EACCES;
    expectError(MdevAddress{uuid}, ExitCode::notPermitted, "cannot open " + host.node("vfio/7") + ": Permission denied",
                "setfacl -m u:$USER:rw");
}

TEST_F(OpenDeviceTest, AHolderThatMayNotBeTracedIsAMatterOfRights) {
    host.addMdev(uuid, "mbochs", "t", 7);
    addGroup(7, device, uuid);
    device.heldElsewhere = true;
    host.addProcess(5, "x");
    host.addDescriptor("5", 8, "/dev/vfio/7");
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
    addProcess(5, {{9, &device}});
    io.processes[5].error = EPERM;
    expectError(MdevAddress{uuid}, ExitCode::notPermitted, "pid 5", "ptrace_scope");
}

TEST_F(OpenDeviceTest, AHolderThatCannotBeSeenIsSaidToBe) {
    host.addMdev(uuid, "mbochs", "t", 7);
    addGroup(7, device, uuid);
    device.heldElsewhere = true;
    expectError(MdevAddress{uuid}, ExitCode::held, "another process holds it", "run as root");
}

TEST_F(OpenDeviceTest, AGroupThatIsNotViableIsHeld) {
    host.addMdev(uuid, "mbochs", "t", 7);
    addGroup(7, device, uuid);
    io.groupIsViable = false;
    expectError(MdevAddress{uuid}, ExitCode::held, uuid, "");
}

TEST_F(OpenDeviceTest, ADriverThatWantsAVmSaysSo) {
    host.addMdev(uuid, "0000:00:02.0", "i915-GVTg_V5_4", 7, {}, "i915");
    addGroup(7, device, uuid);
    io.nodes[host.node("vfio/7")].error = ESRCH;
    expectError(MdevAddress{uuid}, ExitCode::notFound, host.node("vfio/7"), "start the VM first");
}

TEST_F(OpenDeviceTest, ProcessesWithoutVfioDevicesAreNotFound) {
    expectError(ProcessAddress{.pid = 77}, ExitCode::notFound, "pid 77", "");
    host.addProcess(5, "sh");
    addProcess(5, {});
    expectError(ProcessAddress{.pid = 5}, ExitCode::notFound, "it has no VFIO device open", "vgpu-view list");
}

TEST_F(OpenDeviceTest, AFailureLeavesNothingOpen) {
    host.addMdev(uuid, "mbochs", "t", 7, "vfio0");
    addGroup(7, device, "another name");
    addCdev("vfio0", device);
    device.heldElsewhere = true;
    const auto countOpen = [] {
        int count = 0;
        for (int fd = 0; fd < 256; ++fd)
            count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
        return count;
    };
    const int before = countOpen();
    EXPECT_THROW((void)open(MdevAddress{uuid}), Error);
    EXPECT_EQ(countOpen(), before);
}

TEST_F(OpenDeviceTest, ATestAddressIsNotForThisRoom) {
    expectError(TestAddress{}, ExitCode::usage, "test", "");
}

} // namespace
} // namespace vgpuview

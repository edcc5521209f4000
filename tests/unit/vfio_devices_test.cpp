// SPDX-License-Identifier: MIT
// What sysfs and procfs tell about vGPUs and their holders, garbage included.
#include "doubles/fake_host.h"
#include "vfio/devices.h"
#include "vfio/host_files.h"
#include "vfio/processes.h"

#include <gtest/gtest.h>

#include <string>

namespace vgpuview {
namespace {

using namespace std::string_literals;
using doubles::FakeHost;

const std::string uuidA = "0a000000-0000-0000-0000-00000000000a";
const std::string uuidB = "0b000000-0000-0000-0000-00000000000b";

TEST(FindDevices, TellsWhatSysfsTells) {
    FakeHost host;
    host.addMdev(uuidB, "mbochs", "mbochs-small", 8);
    host.addMdev(uuidA, "0000:00:02.0", "i915-GVTg_V5_4", 7, "vfio0", "i915");
    const auto devices = findDevices(host.paths());
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_EQ(devices[0], (VgpuDevice{.uuid = uuidA,
                                      .type = "i915-GVTg_V5_4",
                                      .typeName = "type i915-GVTg_V5_4",
                                      .parent = "0000:00:02.0",
                                      .parentDriver = "i915",
                                      .iommuGroup = 7,
                                      .cdevName = "vfio0",
                                      .holder = {}}));
    EXPECT_EQ(devices[1].uuid, uuidB);
    EXPECT_EQ(devices[1].parentDriver, "mbochs") << "a parent without driver: the device's own";
    EXPECT_EQ(devices[1].iommuGroup, 8U);
    EXPECT_EQ(devices[1].cdevName, "");
}

TEST(FindDevices, AHostWithoutMdevsHasNone) {
    EXPECT_TRUE(findDevices(HostPaths("/nonexistent")).empty());
    EXPECT_FALSE(findDevice(HostPaths("/nonexistent"), uuidA));
}

TEST(FindDevices, OneIsFoundByItsUuidAndNothingElse) {
    FakeHost host;
    host.addMdev(uuidA, "mbochs", "mbochs-small", 8);
    EXPECT_TRUE(findDevice(host.paths(), uuidA));
    EXPECT_FALSE(findDevice(host.paths(), uuidB));
    EXPECT_FALSE(findDevice(host.paths(), "."));
    EXPECT_FALSE(findDevice(host.paths(), "../devices"));
}

TEST(FindDevices, SurvivesGarbage) {
    FakeHost host;
    host.write("sys/bus/mdev/devices/not-a-uuid", "");
    host.link("sys/bus/mdev/devices/" + uuidA, "../../../devices/gone");
    host.addMdev(uuidB, "mbochs", "mbochs-small", 8);
    host.link("sys/devices/mbochs/" + uuidB + "/iommu_group", "../../8x");
    host.write("sys/devices/mbochs/mdev_supported_types/mbochs-small/name", "\x1b[2Jred\x00\xff\n"s);
    host.addProcess(12, "\x1b]0;title");
    host.addDescriptor("12", 5, "/dev/vfio/99999999999999999999");
    host.addDescriptor("12", 6, "/dev/vfio/noiommu-0");
    host.addDescriptor("12", 7, "anon_inode:[vfio-device]", "vfio-device-syspath:");
    host.write("proc/12/fd/garbage", "");
    host.write("proc/13", "a file");
    host.write("proc/99999999999999/fd/1", "");
    const auto devices = findDevices(host.paths());
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_EQ(devices[0].type, "");
    EXPECT_FALSE(devices[1].iommuGroup);
    EXPECT_EQ(devices[1].typeName, "?[2Jred?\xff") << "control characters must not reach a terminal";
    EXPECT_EQ(describeHolder(host.paths(), 12).processName, "?]0;title");
}

class HolderTest : public testing::Test {
protected:
    HolderTest() {
        host.addMdev(uuidA, "mbochs", "mbochs-small", 7, "vfio3");
        host.addMdev(uuidB, "mbochs", "mbochs-small", 8);
    }
    std::optional<Holder> holderOf(const std::string& uuid) { return findDevice(host.paths(), uuid)->holder; }

    FakeHost host;
};

TEST_F(HolderTest, IsFoundByItsGroup) {
    host.addProcess(4711, "qemu-system-x86", "/usr/bin/qemu-system-x86_64\0-name\0guest=win10,debug-threads=on\0"s);
    host.addDescriptor("4711", 20, "/dev/vfio/7");
    host.addDescriptor("4711", 21, "anon_inode:[vfio-device]");
    EXPECT_EQ(holderOf(uuidA), (Holder{.pid = 4711, .processName = "qemu-system-x86", .vmName = "win10"}));
    EXPECT_FALSE(holderOf(uuidB));
}

TEST_F(HolderTest, IsFoundByItsCharacterDevice) {
    host.addProcess(50, "cloud-hypervisor");
    host.addDescriptor("50", 9, "/dev/vfio/devices/vfio3");
    EXPECT_EQ(holderOf(uuidA)->pid, 50);
    EXPECT_EQ(holderOf(uuidA)->vmName, "");
    EXPECT_FALSE(holderOf(uuidB));
}

TEST_F(HolderTest, IsFoundByWhatTheKernelTellsOfTheDescriptor) {
    host.addProcess(50, "x");
    host.addDescriptor("50", 9, "anon_inode:[vfio-device]",
                       "pos:\t0\nvfio-device-syspath: /sys/devices/virtual/mbochs/mbochs/" + uuidB + "\nflags: 02\n");
    EXPECT_EQ(holderOf(uuidB)->pid, 50);
    EXPECT_FALSE(holderOf(uuidA));
}

TEST_F(HolderTest, LibvirtsNameOfAVmGoesFirst) {
    host.addProcess(4711, "qemu-kvm", "qemu-kvm\0-name\0other\0"s);
    host.addDescriptor("4711", 20, "/dev/vfio/7");
    host.write("run/libvirt/qemu/desk.pid", "4711");
    host.write("run/libvirt/qemu/broken.pid", "x");
    EXPECT_EQ(holderOf(uuidA)->vmName, "desk");
}

TEST_F(HolderTest, AVmIsPreferredToAnotherHolderOfACopy) {
    host.addProcess(10, "obs");
    host.addDescriptor("10", 3, "/dev/vfio/devices/vfio3");
    host.addProcess(11, "qemu-system-x86", "qemu-system-x86_64\0-name\0vm\0"s);
    host.addDescriptor("11", 3, "/dev/vfio/devices/vfio3");
    EXPECT_EQ(holderOf(uuidA)->pid, 11);
}

TEST_F(HolderTest, AVmIsFoundByPidFileOrByName) {
    host.addProcess(10, "qemu-system-x86", "qemu-system-x86_64\0-name\0one\0"s);
    host.addProcess(11, "qemu-system-x86", "qemu-system-x86_64\0-name\0guest=two\0"s);
    host.write("run/libvirt/qemu/three.pid", "10\n");
    host.write("run/libvirt/qemu/two.pid", "999");
    EXPECT_EQ(findVm(host.paths(), "one"), 10);
    EXPECT_EQ(findVm(host.paths(), "two"), 11) << "a stale pid file is not believed";
    EXPECT_EQ(findVm(host.paths(), "three"), 10);
    EXPECT_FALSE(findVm(host.paths(), "four"));
}

TEST(VmDisplay, IsReadFromQemusCommandLine) {
    const auto shows = [](const std::string& options) {
        return showsDisplayItself("qemu\0-device\0"s + options + "\0"s, uuidA);
    };
    const std::string device = "/sys/bus/mdev/devices/" + uuidA;
    EXPECT_TRUE(shows("vfio-pci,sysfsdev=" + device + ",display=on"));
    EXPECT_TRUE(shows("vfio-pci-nohotplug,display=auto,sysfsdev=" + device));
    EXPECT_TRUE(shows(R"({"driver":"vfio-pci","sysfsdev":")" + device + R"(","display":"on"})"));
    EXPECT_TRUE(shows("vfio-pci,fd=9,display=on")) << "it may be this one";
    EXPECT_FALSE(shows("vfio-pci,sysfsdev=" + device + ",display=off"));
    EXPECT_FALSE(shows("vfio-pci,sysfsdev=" + device)) << "off where nothing is said";
    EXPECT_FALSE(shows("vfio-pci,sysfsdev=/sys/bus/mdev/devices/" + uuidB + ",display=on")) << "another device";
    EXPECT_FALSE(shows("vfio-pci,sysfsdev=" + device + ",x-no-display=on"));
    EXPECT_FALSE(shows("virtio-gpu,display=on"));
}

TEST(VmName, IsReadFromQemusCommandLine) {
    EXPECT_EQ(vmNameFromCommandLine("qemu-system-x86_64\0-m\0001G\0-name\0plain\0"s), "plain");
    EXPECT_EQ(vmNameFromCommandLine("/usr/libexec/qemu-kvm\0-name\0guest=a,,b,process=c\0"s), "a,b");
    EXPECT_EQ(vmNameFromCommandLine("qemu\0-name\0debug-threads=on,guest=x\0"s), "x");
    EXPECT_EQ(vmNameFromCommandLine("qemu\0--name\0y,process=z\0"s), "y");
    EXPECT_EQ(vmNameFromCommandLine("find\0/\0-name\0qemu\0"s), "") << "no QEMU";
    EXPECT_EQ(vmNameFromCommandLine("qemu\0-name"s), "");
    EXPECT_EQ(vmNameFromCommandLine("qemu\0-name\0,,,\0"s), ",");
    EXPECT_EQ(vmNameFromCommandLine(""), "");
}

TEST(Processes, DescriptorsComeInTheOrderOfTheirNumbers) {
    FakeHost host;
    host.addProcess(5, "x");
    for (const int fd : {100, 9, 20})
        host.addDescriptor("5", fd, "anon_inode:[vfio-device]");
    host.addDescriptor("5", 3, "/dev/null");
    const VfioProcess process = inspectProcess(host.paths(), 5);
    ASSERT_EQ(process.devices.size(), 3U);
    EXPECT_EQ(process.devices[0].fd, 9);
    EXPECT_EQ(process.devices[1].fd, 20);
    EXPECT_EQ(process.devices[2].fd, 100);
    EXPECT_EQ(inspectProcess(host.paths(), 6).errorNumber, ENOENT);
}

TEST(HostFiles, AFileThatNeverEndsIsReadInPart) {
    const auto content = readHostFile("/dev/zero");
    ASSERT_TRUE(content);
    EXPECT_EQ(content->size(), 65536U);
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What probe and doctor tell, regions with capabilities, and the EDID region.
#include "base/error.h"
#include "doubles/fake_edid_region.h"
#include "doubles/fake_host.h"
#include "doubles/fake_vfio_io.h"
#include "vfio/edid_region.h"
#include "vfio/host_check.h"
#include "vfio/probe.h"
#include "vfio/quirks.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <span>
#include <string>

namespace vgpuview {
namespace {

using namespace std::string_literals;
using doubles::addEdidRegion;
using doubles::FakeDevice;
using doubles::FakeHost;
using doubles::FakeRegion;
using doubles::FakeVfioIo;
using doubles::typeCapability;
using NodeKind = FakeVfioIo::NodeKind;

const std::string uuid = "0a000000-0000-0000-0000-00000000000a";

template<typename Struct>
void append(std::vector<std::byte>& bytes, const Struct& value) {
    for (const std::byte byte : std::as_bytes(std::span(&value, 1)))
        bytes.push_back(byte);
}

/// struct vfio_region_info_cap_sparse_mmap without the areas that follow it.
struct SparseAreas {
    vfio_info_cap_header header;
    std::uint32_t count;
    std::uint32_t reserved;
};

TEST(RegionCapabilities, TypeAndAreasAreRead) {
    std::vector<std::byte> bytes(32);
    std::vector<std::byte> type = typeCapability(7, 8);
    const std::uint32_t next = 32 + static_cast<std::uint32_t>(type.size());
    std::memcpy(type.data() + offsetof(vfio_info_cap_header, next), &next, sizeof(next));
    for (const std::byte byte : type)
        bytes.push_back(byte);
    SparseAreas sparse{};
    sparse.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
    sparse.count = 2;
    append(bytes, sparse);
    append(bytes, vfio_region_sparse_mmap_area{.offset = 0, .size = 4096});
    append(bytes, vfio_region_sparse_mmap_area{.offset = 8192, .size = 100});
    RegionInfo info;
    readRegionCapabilities(bytes, 32, info);
    EXPECT_EQ(info.type, 7U);
    EXPECT_EQ(info.subtype, 8U);
    EXPECT_EQ(info.areas, (std::vector<RegionArea>{{0, 4096}, {8192, 100}}));
}

TEST(RegionCapabilities, NonsenseEndsTheReading) {
    std::vector<std::byte> bytes = typeCapability(7, 8);
    RegionInfo info;
    readRegionCapabilities(bytes, 0xffffffff, info);
    readRegionCapabilities(bytes, static_cast<std::uint32_t>(bytes.size()) - 1, info);
    EXPECT_EQ(info.type, 0U);
    std::vector<std::byte> loop(8);
    for (const std::byte byte : bytes)
        loop.push_back(byte);
    const std::uint32_t itself = 8;
    std::memcpy(loop.data() + 8 + offsetof(vfio_info_cap_header, next), &itself, sizeof(itself));
    readRegionCapabilities(loop, 8, info);
    EXPECT_EQ(info.type, 7U) << "and it came to an end";
    SparseAreas sparse{};
    sparse.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
    sparse.count = 0xffffffff;
    std::vector<std::byte> many(8);
    append(many, sparse);
    readRegionCapabilities(many, 8, info);
    EXPECT_TRUE(info.areas.empty());
}

class EdidRegionTest : public testing::Test {
protected:
    EdidRegionTest() {
        addEdidRegion(device);
        fd = io.descriptorOf(device);
    }
    FakeVfioIo io;
    FakeDevice device;
    UniqueFd fd;
};

TEST_F(EdidRegionTest, IsFoundThroughADriverThatRefusesMoreRoomThanItFills) {
    const auto region = EdidRegion::find(DeviceCalls(io, fd.get()));
    ASSERT_TRUE(region);
    EXPECT_EQ(region->limits().maxBytes, 256U);
    EXPECT_EQ(region->limits().maxSize, (Size{1920, 1200}));
    EXPECT_TRUE(region->limits().linkUp);
}

TEST_F(EdidRegionTest, ADriverWithoutOneIsFine) {
    device.regions.clear();
    EXPECT_FALSE(EdidRegion::find(DeviceCalls(io, fd.get())));
    device.removed = true;
    EXPECT_FALSE(EdidRegion::find(DeviceCalls(io, fd.get())));
}

TEST_F(EdidRegionTest, ABlobIsWrittenAfterItsSize) {
    auto region = EdidRegion::find(DeviceCalls(io, fd.get()));
    ASSERT_TRUE(region);
    EXPECT_EQ(region->setLink(LinkState::down), 0);
    std::vector<std::byte> blob(256, std::byte{0x5a});
    EXPECT_EQ(region->write(blob), 0);
    EXPECT_EQ(region->setLink(LinkState::up), 0);
    const std::uint64_t base = 0x20000;
    std::vector<std::uint64_t> offsets;
    for (const auto& write : io.writes)
        offsets.push_back(write.first - base);
    EXPECT_EQ(offsets, (std::vector<std::uint64_t>{20, 8, 2048, 2148, 2248, 20}));
    const auto& memory = device.regions[9].memory;
    EXPECT_TRUE(std::equal(blob.begin(), blob.end(), memory.begin() + 2048));
    vfio_region_gfx_edid registers{};
    std::memcpy(&registers, memory.data(), sizeof(registers));
    EXPECT_EQ(registers.edid_size, 256U);
    EXPECT_EQ(registers.link_state, static_cast<std::uint32_t>(VFIO_DEVICE_GFX_LINK_STATE_UP));
}

TEST_F(EdidRegionTest, ABlobThatIsTooLargeIsNotWritten) {
    auto region = EdidRegion::find(DeviceCalls(io, fd.get()));
    const std::vector<std::byte> blob(257);
    EXPECT_EQ(region->write(blob), -EMSGSIZE);
    EXPECT_TRUE(io.writes.empty());
}

TEST(Quirks, TheTableIsInTheOrderOfTheEnumeration) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < quirkCount; ++i) {
        EXPECT_EQ(static_cast<std::size_t>(quirkTable()[i].quirk), i);
        EXPECT_FALSE(quirkTable()[i].foundBy.empty());
        EXPECT_FALSE(quirkTable()[i].remedy.empty());
        names.insert(quirkTable()[i].name);
    }
    EXPECT_EQ(names.size(), quirkCount);
}

class ProbeTest : public testing::Test {
protected:
    ProbeTest() {
        host.addMdev(uuid, "mbochs", "mbochs-small", 7);
        io.nodes[host.node("vfio/vfio")] = {.kind = NodeKind::container};
        io.nodes[host.node("vfio/7")] = {.kind = NodeKind::group, .device = &device, .deviceName = uuid};
        host.write("dev/vfio/vfio", "");
        host.write("sys/bus/mdev/uevent", "");
    }
    ProbeReport report() { return probe(MdevAddress{uuid}, host.paths(), io); }
    std::vector<Finding> examine(const std::optional<SourceAddress>& source = {}) {
        return examineHost(host.paths(), io, source);
    }
    static const Finding* find(const std::vector<Finding>& findings, const std::string& text) {
        for (const Finding& finding : findings)
            if (finding.text.find(text) != std::string::npos)
                return &finding;
        return nullptr;
    }

    FakeHost host;
    FakeVfioIo io;
    FakeDevice device;
};

TEST_F(ProbeTest, TellsPlanesLimitsAndQuirksAndFetchesNothing) {
    device.show(DRM_FORMAT_XRGB8888, 64, 32, 5);
    device.queryErrors = {ENOMEM};
    addEdidRegion(device);
    const ProbeReport told = report();
    EXPECT_EQ(told.wayIn, WayIn::group);
    EXPECT_TRUE(told.dmaBuf);
    EXPECT_FALSE(told.region);
    ASSERT_EQ(told.planes.size(), 2U);
    EXPECT_EQ(told.planes[0].state, PlaneState::shown);
    EXPECT_EQ(told.planes[0].reported.width, 64U);
    EXPECT_EQ(told.planes[0].token, 5U);
    EXPECT_EQ(told.planes[1].state, PlaneState::off);
    ASSERT_TRUE(told.edid);
    EXPECT_EQ(told.edid->maxSize.width, 1920U);
    EXPECT_EQ(device.fetches, 0U);
    ASSERT_FALSE(told.quirks.empty());
    EXPECT_EQ(told.quirks[0].name, "first-query-enomem");
    EXPECT_FALSE(told.quirks[0].remedy.empty());
}

TEST_F(ProbeTest, ABadPlaneAndARefusedCursorAreToldApart) {
    device.show(DRM_FORMAT_XRGB8888, 64, 32, 5);
    device.primary.width = 1U << 30;
    device.cursorError = EINVAL;
    const ProbeReport told = report();
    EXPECT_EQ(told.planes[0].state, PlaneState::bad);
    EXPECT_EQ(told.planes[0].fault, PlaneFault::tooLarge);
    EXPECT_EQ(told.planes[1].state, PlaneState::unsupported);
    EXPECT_EQ(told.planes[1].errorNumber, EINVAL);
}

TEST_F(ProbeTest, ADeviceWithoutDisplayIsAReport) {
    device.offersDmaBuf = false;
    const ProbeReport told = report();
    EXPECT_FALSE(told.dmaBuf || told.region);
    EXPECT_TRUE(told.planes.empty());
}

TEST_F(ProbeTest, ARegionDisplayThatAnswersEverythingWithThePrimaryIsSeenThrough) {
    device.offersDmaBuf = false;
    device.offersRegion = true;
    device.ignoresPlaneType = true;
    device.show(DRM_FORMAT_XRGB8888, 64, 32, 16);
    const ProbeReport told = report();
    EXPECT_TRUE(told.region);
    EXPECT_EQ(told.planes[1].state, PlaneState::unsupported);
    std::vector<std::string> names;
    for (const QuirkReport& quirk : told.quirks)
        names.push_back(quirk.name);
    EXPECT_TRUE(std::count(names.begin(), names.end(), "cursor-answers-primary"));
    EXPECT_TRUE(std::count(names.begin(), names.end(), "region-index-beyond"));
}

TEST_F(ProbeTest, TheDoctorFindsAHealthyHostHealthy) {
    for (const Finding& finding : examine())
        EXPECT_TRUE(finding.severity == Severity::ok || finding.severity == Severity::note) << finding.text;
}

TEST_F(ProbeTest, TheDoctorNamesTheNodeThatMayNotBeOpenedAndItsCure) {
    io.nodes[host.node("vfio/7")].error = EACCES;
    const auto findings = examine(MdevAddress{uuid});
    const Finding* finding = find(findings, host.node("vfio/7"));
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::problem);
    EXPECT_EQ(finding->cure, "sudo setfacl -m u:$USER:rw " + host.node("vfio/7"));
    EXPECT_TRUE(io.opened.empty());
}

TEST_F(ProbeTest, TheDoctorKnowsAboutTracing) {
    host.addProcess(5, "qemu", "qemu\0-name\0desk\0"s);
    host.addDescriptor("5", 8, "/dev/vfio/7");
    host.addDescriptor("5", 9, "anon_inode:[vfio-device]");
    host.write("proc/sys/kernel/yama/ptrace_scope", "1\n");
    host.write("proc/self/status", "Name:\tx\nCapEff:\t0000000000000000\n");
    auto findings = examine();
    ASSERT_TRUE(find(findings, "ptrace_scope 1"));
    EXPECT_NE(find(findings, "ptrace_scope 1")->cure.find("setcap cap_sys_ptrace"), std::string::npos);
    EXPECT_TRUE(find(findings, "pid 5, VM desk"));
    host.write("proc/self/status", "Name:\tx\nCapEff:\t0000000000080000\n");
    findings = examine();
    EXPECT_FALSE(find(findings, "ptrace_scope"));
    EXPECT_TRUE(find(findings, "any process' descriptor may be copied"));
    host.write("proc/sys/kernel/yama/ptrace_scope", "3\n");
    findings = examine(ProcessAddress{.pid = 5});
    ASSERT_TRUE(find(findings, "ptrace_scope 3"));
    EXPECT_EQ(find(findings, "ptrace_scope 3")->severity, Severity::problem);
}

TEST_F(ProbeTest, TheDoctorMissesWhatIsMissing) {
    FakeHost bare;
    auto findings = examineHost(bare.paths(), io, {});
    ASSERT_TRUE(find(findings, "VFIO is not loaded"));
    EXPECT_TRUE(find(findings, "no mediated device"));
    EXPECT_TRUE(find(examine(MdevAddress{"0b000000-0000-0000-0000-00000000000b"}), "there is no mediated device"));
    EXPECT_TRUE(find(examine(ProcessAddress{.pid = 77}), "there is no process 77"));
    EXPECT_TRUE(find(examine(VmAddress{"desk"}), "no VM desk runs"));
    EXPECT_TRUE(examine(TestAddress{}).empty());
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Every form of a source's name is understood, and every other one refused as wrong usage.
#include "base/error.h"
#include "vfio/address.h"

#include <gtest/gtest.h>

#include <string>

namespace vgpuview {
namespace {

constexpr const char* uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

TEST(SourceAddress, AUuidIsAMediatedDevice) {
    EXPECT_EQ(parseSourceAddress(uuid), SourceAddress(MdevAddress{uuid}));
    EXPECT_EQ(parseSourceAddress(std::string("mdev:") + uuid), SourceAddress(MdevAddress{uuid}));
}

TEST(SourceAddress, AUuidIsKeptInLowerCaseAsSysfsHasIt) {
    EXPECT_EQ(parseSourceAddress("83B8F4F2-509F-382F-3C1E-E6BFE0FA1001"), SourceAddress(MdevAddress{uuid}));
}

TEST(SourceAddress, AProcessMayHaveAnIndex) {
    EXPECT_EQ(parseSourceAddress("pid:4711"), SourceAddress(ProcessAddress{.pid = 4711}));
    EXPECT_EQ(parseSourceAddress("pid:4711/1"), SourceAddress(ProcessAddress{.pid = 4711, .index = 1}));
}

TEST(SourceAddress, VmDescriptorAndTestAreUnderstood) {
    EXPECT_EQ(parseSourceAddress("vm:my: guest"), SourceAddress(VmAddress{"my: guest"}));
    EXPECT_EQ(parseSourceAddress("fd:0"), SourceAddress(DescriptorAddress{0}));
    EXPECT_EQ(parseSourceAddress("test"), SourceAddress(TestAddress{}));
    EXPECT_EQ(parseSourceAddress("test:1920x1080@60,cursor=on"), SourceAddress(TestAddress{"1920x1080@60,cursor=on"}));
}

TEST(SourceAddress, TheCanonicalTextParsesToTheSameAddress) {
    for (const char* text : {uuid, "pid:1", "pid:1/0", "vm:a", "fd:3", "test", "test:quirk=x"}) {
        const SourceAddress address = parseSourceAddress(text);
        EXPECT_EQ(parseSourceAddress(textOf(address)), address) << text;
    }
    EXPECT_EQ(textOf(parseSourceAddress(uuid)), std::string("mdev:") + uuid);
    EXPECT_EQ(textOf(parseSourceAddress("pid:17/1")), "pid:17/1");
}

class WrongAddress : public testing::TestWithParam<std::string> {};

TEST_P(WrongAddress, IsWrongUsageWithAHintThatShowsTheForms) {
    try {
        (void)parseSourceAddress(GetParam());
        FAIL() << "was taken";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::usage);
        EXPECT_NE(std::string(error.what()).find("'" + GetParam() + "'"), std::string::npos) << error.what();
        EXPECT_NE(error.hint().find("pid:N/INDEX"), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(All, WrongAddress,
                         testing::Values("", ":", "mdev:", "window", "mdev:83b8f4f2", "pid:", "pid:0", "pid:-1",
                                         "pid:1x", "pid:99999999999", "pid:1/", "pid:1/-1", "pid:1/2/3",
                                         "vm:", "vm:../x", "fd:", "fd:-1", "fd:1 ", "disk:1", "PID:1",
                                         "83b8f4f2-509f-382f-3c1e-e6bfe0fa100g",
                                         "83b8f4f2-509f-382f-3c1e-e6bfe0fa10011",
                                         "83b8f4f25509f-382f-3c1e-e6bfe0fa1001"));

} // namespace
} // namespace vgpuview

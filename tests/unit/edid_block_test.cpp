// SPDX-License-Identifier: MIT
// The EDID says what was asked for, and edid-decode finds no fault with it.
#include "vfio/edid_block.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>

namespace vgpuview {
namespace {

struct PipeCloser {
    void operator()(std::FILE* pipe) const noexcept { ::pclose(pipe); }
};

std::string outputOf(const std::string& command) {
    const std::unique_ptr<std::FILE, PipeCloser> pipe(::popen(command.c_str(), "re"));
    std::string output;
    std::array<char, 4096> chunk{};
    while (pipe) {
        const std::size_t length = std::fread(chunk.data(), 1, chunk.size(), pipe.get());
        if (length == 0)
            break;
        output.append(chunk.data(), length);
    }
    return output;
}

bool haveDecoder() {
    return outputOf("edid-decode --help 2>/dev/null").find("--check") != std::string::npos;
}

std::string decoded(const EdidBlock& block) {
    std::string path = (std::filesystem::temp_directory_path() / "edid-XXXXXX").string();
    const int fd = ::mkstemp(path.data());
    if (fd < 0)
        return "no file";
    ::close(fd);
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(block.data()), block.size());
    std::string text = outputOf("edid-decode --check --preferred-timings " + path + " 2>&1");
    std::filesystem::remove(path);
    return text;
}

unsigned at(const EdidBlock& block, std::size_t index) {
    return std::to_integer<unsigned>(block.at(index));
}

Size preferredSize(const EdidBlock& block) {
    return {.width = at(block, 56) | (at(block, 58) & 0xf0U) << 4,
            .height = at(block, 59) | (at(block, 61) & 0xf0U) << 4};
}

unsigned checksum(const EdidBlock& block) {
    unsigned sum = 0;
    for (std::size_t i = 0; i < block.size(); ++i)
        sum += at(block, i);
    return sum & 0xff;
}

struct Case {
    Size size;
    std::uint32_t refreshMilliHz;
    Size limit;
};

std::string nameOfCase(const testing::TestParamInfo<Case>& info) {
    return std::to_string(info.param.size.width) + "x" + std::to_string(info.param.size.height) + "at" +
           std::to_string(info.param.refreshMilliHz) + "within" + std::to_string(info.param.limit.width);
}

class ConformingEdid : public testing::TestWithParam<Case> {};

TEST_P(ConformingEdid, SatisfiesEdidDecode) {
    if (!haveDecoder())
        GTEST_SKIP() << "edid-decode is not installed";
    const auto& [size, refresh, limit] = GetParam();
    const EdidBlock block =
        makeEdid({.size = size, .refreshMilliHz = refresh, .name = "a guest", .serial = "0001", .limit = limit});
    const std::string text = decoded(block);
    EXPECT_NE(text.find("EDID conformity: PASS"), std::string::npos) << text;
    EXPECT_EQ(text.find("Warnings:"), std::string::npos) << text;
    const Size clamped = clampToEdid(size, limit);
    EXPECT_NE(text.find(std::to_string(clamped.width) + "x" + std::to_string(clamped.height)), std::string::npos)
        << text;
}

TEST_P(ConformingEdid, ItsPreferredModeIsTheOneAskedFor) {
    const auto& [size, refresh, limit] = GetParam();
    const EdidBlock block = makeEdid({.size = size, .refreshMilliHz = refresh, .limit = limit});
    EXPECT_EQ(checksum(block), 0U);
    EXPECT_EQ(preferredSize(block), clampToEdid(size, limit));
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, ConformingEdid,
    testing::Values(Case{{1920, 1080}, 60000, {}}, Case{{1920, 1080}, 59940, {}}, Case{{1920, 1080}, 144000, {}},
                    Case{{640, 480}, 60000, {}}, Case{{800, 600}, 60000, {800, 600}}, Case{{1366, 768}, 60000, {}},
                    Case{{1279, 719}, 60000, {}}, Case{{1920, 1440}, 60000, {1920, 1440}},
                    Case{{2560, 1440}, 60000, {}}, Case{{3440, 1440}, 100000, {}}, Case{{3840, 2160}, 60000, {}},
                    Case{{3840, 2160}, 240000, {}}, Case{{4095, 4095}, 60000, {}}, Case{{7680, 4320}, 60000, {}},
                    Case{{64, 64}, 60000, {}}, Case{{1, 1}, 60000, {}}, Case{{320, 200}, 60000, {320, 200}},
                    Case{{320, 200}, 1, {}}, Case{{4095, 200}, 500000, {}}, Case{{1080, 1920}, 60000, {}},
                    Case{{1024, 768}, 24000, {}}, Case{{1024, 768}, 360000, {}}, Case{{3840, 2160}, 30000, {}}),
    nameOfCase);

TEST(EdidBlock, TheRefreshIsWithinTenthsOfAPerCentOfTheOneAskedFor) {
    for (const Size size : {Size{640, 480}, Size{1366, 768}, Size{1920, 1080}, Size{3840, 2160}})
        for (const std::uint32_t refresh : {24000U, 59940U, 60000U, 72000U}) {
            const EdidTiming timing = reducedBlankingTiming(size, refresh);
            EXPECT_NEAR(timing.refreshMilliHz(), refresh, refresh / 1000.0) << size.width << "x" << size.height;
            EXPECT_EQ(timing.clockKiloHz % 10, 0U);
        }
}

TEST(EdidBlock, ReducedBlankingIsThatOfTheStandard) {
    // VESA's table of monitor timings, 1920x1080 and 2560x1600 with reduced blanking: 138.5 and 268.5 MHz to its
    // quarter of a megahertz.
    const EdidTiming fullHd = reducedBlankingTiming({1920, 1080}, 60000);
    EXPECT_EQ(fullHd.verticalBlank, 31U);
    EXPECT_EQ(fullHd.verticalSync, 5U);
    EXPECT_NEAR(fullHd.clockKiloHz, 138500, 250);
    const EdidTiming wide = reducedBlankingTiming({2560, 1600}, 60000);
    EXPECT_EQ(wide.verticalBlank, 46U);
    EXPECT_EQ(wide.verticalSync, 6U);
    EXPECT_NEAR(wide.clockKiloHz, 268500, 250);
}

TEST(EdidBlock, ARefreshThatTheBlockCannotSayIsLowered) {
    const EdidTiming timing = reducedBlankingTiming({3840, 2160}, 240000);
    EXPECT_LE(timing.clockKiloHz, 655350U);
    EXPECT_GT(timing.refreshMilliHz(), 60000U);
    EXPECT_LT(timing.refreshMilliHz(), 240000U);
}

TEST(EdidBlock, NoModeIsLargerThanTheDevicesLimit) {
    const EdidBlock block = makeEdid({.size = {1920, 1080}, .limit = {800, 600}});
    EXPECT_EQ(preferredSize(block), (Size{800, 600}));
    EXPECT_EQ(at(block, 35), 0x21U); // 640x480 and 800x600
    EXPECT_EQ(at(block, 36), 0U);    // not 1024x768
    for (std::size_t i = 38; i < 54; ++i)
        EXPECT_EQ(at(block, i), 1U) << "a standard mode at " << i;
}

TEST(EdidBlock, TheUsualSizesAreOfferedWhereTheDeviceAllowsThem) {
    if (!haveDecoder())
        GTEST_SKIP() << "edid-decode is not installed";
    const std::string text = decoded(makeEdid({.size = {1000, 700}, .limit = {1920, 1440}}));
    for (const char* mode :
         {"640x480 ", "800x600 ", "1024x768 ", "1280x720 ", "1280x1024 ", "1680x1050 ", "1920x1080 "})
        EXPECT_NE(text.find(mode), std::string::npos) << mode << "is missing in\n" << text;
}

TEST(EdidBlock, ThePhysicalSizeIsTheOneGivenElseNinetySixPixelsAnInch) {
    const EdidBlock given = makeEdid({.size = {1920, 1080}, .millimetres = Size{597, 336}});
    EXPECT_EQ(at(given, 21), 60U);
    EXPECT_EQ(at(given, 22), 34U);
    EXPECT_EQ(at(given, 66) | (at(given, 68) & 0xf0U) << 4, 597U);
    EXPECT_EQ(at(given, 67) | (at(given, 68) & 0xfU) << 8, 336U);
    const EdidBlock guessed = makeEdid({.size = {1920, 960}});
    EXPECT_EQ(at(guessed, 66) | (at(guessed, 68) & 0xf0U) << 4, 508U);
    EXPECT_EQ(at(guessed, 67) | (at(guessed, 68) & 0xfU) << 8, 254U);
}

TEST(EdidBlock, NameAndSerialAreCleanedAndCut) {
    const auto text = [](const EdidBlock& block, std::size_t descriptor) {
        std::string found;
        for (std::size_t i = 54 + descriptor * 18 + 5; i < 54 + (descriptor + 1) * 18; ++i)
            found += static_cast<char>(at(block, i));
        return found;
    };
    const EdidBlock block = makeEdid({.size = {800, 600}, .name = " \x01w\xc3\xa4in 10, the long one", .serial = ""});
    EXPECT_EQ(at(block, 54 + 36 + 3), 0xfcU);
    EXPECT_EQ(text(block, 2), "win 10, the l");
    EXPECT_EQ(at(block, 54 + 54 + 3), 0x10U);
    EXPECT_EQ(text(makeEdid({.size = {800, 600}, .name = "vm  "}), 2), "vm\n          ");
    EXPECT_EQ(checksum(block), 0U);
}

} // namespace
} // namespace vgpuview

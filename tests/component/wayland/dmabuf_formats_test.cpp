// SPDX-License-Identifier: MIT
// The format table of a compositor that may lie.
#include "base/unique_fd.h"
#include "wayland/dmabuf_formats.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

namespace vgpuview {
namespace {

UniqueFd fileOf(const void* bytes, std::size_t size) {
    UniqueFd fd(::memfd_create("table", MFD_CLOEXEC));
    EXPECT_EQ(::write(fd.get(), bytes, size), static_cast<ssize_t>(size));
    return fd;
}

TEST(FormatTable, IsReadAsTheProtocolLaysItOut) {
    const std::array<std::uint64_t, 4> table{0x34325258, 7, 0xdeadbeef34325241, 0x0100000000000001};
    const UniqueFd file = fileOf(table.data(), sizeof table);
    const std::vector<PixelFormat> formats = readFormatTable(file.get(), sizeof table);
    ASSERT_EQ(formats.size(), 2U);
    EXPECT_EQ(formats[0], (PixelFormat{0x34325258, 7}));
    EXPECT_EQ(formats[1], (PixelFormat{0x34325241, 0x0100000000000001})) << "the unused field is left out";
}

TEST(FormatTable, IsEmptyWhereItCannotBe) {
    const std::array<std::uint64_t, 4> table{};
    const UniqueFd file = fileOf(table.data(), sizeof table);
    EXPECT_TRUE(readFormatTable(-1, 16).empty());
    EXPECT_TRUE(readFormatTable(file.get(), 0).empty());
    EXPECT_TRUE(readFormatTable(file.get(), 15).empty());
    EXPECT_TRUE(readFormatTable(file.get(), 48).empty()) << "longer than the file";
    EXPECT_TRUE(readFormatTable(file.get(), 0xffffffff).empty());
    EXPECT_EQ(readFormatTable(file.get(), 31).size(), 1U) << "half an entry is none";
}

} // namespace
} // namespace vgpuview

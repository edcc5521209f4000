// SPDX-License-Identifier: MIT
// A buffer's memory is mapped where that is safe, and nowhere else.
#include "doubles/fake_source.h"
#include "frame/mapped_buffer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>

namespace vgpuview {
namespace {

UniqueFd memory(std::size_t bytes) {
    UniqueFd fd(::memfd_create("memory", MFD_CLOEXEC));
    EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(bytes)), 0);
    return fd;
}

BufferLayout layoutAt(std::uint32_t offset) {
    // The last row is not padded to the stride.
    return {.size = {10, 3},
            .stride = 64,
            .offset = offset,
            .byteSize = 2 * 64 + 40,
            .format = {DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR}};
}

TEST(MappedBuffer, ShowsTheVeryMemoryBehindTheDescriptor) {
    const BufferRef buffer = doubles::makeMemoryBuffer({16, 4});
    const auto writer = MappedBuffer::map(*buffer, MapAccess::readWrite);
    const auto reader = MappedBuffer::map(*buffer, MapAccess::read);
    ASSERT_TRUE(writer && reader);
    const MappedAccess writing(*writer);
    writer->bytes()[77] = std::byte{0x5a};
    EXPECT_EQ(reader->bytes().size(), 16U * 4 * 4);
    EXPECT_EQ(reader->bytes()[77], std::byte{0x5a});
}

TEST(MappedBuffer, BeginsAtTheLayoutsOffsetAndCutsTheLastRow) {
    UniqueFd fd = memory(1000);
    const char mark = 'x';
    ASSERT_EQ(::pwrite(fd.get(), &mark, 1, 100), 1);
    const Buffer buffer(BufferKind::memory, layoutAt(100), std::move(fd));
    const auto mapped = MappedBuffer::map(buffer, MapAccess::read);
    ASSERT_TRUE(mapped);
    EXPECT_EQ(mapped->bytes().size(), 168U);
    EXPECT_EQ(mapped->bytes()[0], std::byte{'x'});
    EXPECT_EQ(mapped->row(1).data(), mapped->bytes().data() + 64);
    EXPECT_EQ(mapped->row(1).size(), 64U);
    EXPECT_EQ(mapped->row(2).size(), 40U);
}

TEST(MappedBuffer, IsRefusedWhereTheDescriptorIsTooShort) {
    const Buffer exact(BufferKind::memory, layoutAt(8), memory(176));
    EXPECT_TRUE(MappedBuffer::map(exact, MapAccess::read));
    const Buffer tooShort(BufferKind::memory, layoutAt(8), memory(175));
    EXPECT_FALSE(MappedBuffer::map(tooShort, MapAccess::read));
    EXPECT_EQ(errno, EOVERFLOW);
}

TEST(MappedBuffer, IsRefusedForADescriptorThatIsNoMemory) {
    const Buffer buffer(BufferKind::dmaBuf, layoutAt(0), UniqueFd(::eventfd(0, EFD_CLOEXEC)));
    EXPECT_FALSE(MappedBuffer::map(buffer, MapAccess::read));
    EXPECT_NE(errno, 0);
}

TEST(MappedBuffer, RefusesToWriteToWhatIsSealed) {
    UniqueFd fd(::memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(fd.get(), 4096), 0);
    ASSERT_EQ(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
    const Buffer buffer(BufferKind::memory, layoutAt(0), std::move(fd));
    EXPECT_FALSE(MappedBuffer::map(buffer, MapAccess::readWrite));
    EXPECT_EQ(errno, EPERM);
}

TEST(MappedBuffer, OutlivesTheBufferAndMovesAsAWhole) {
    auto first = [] {
        const BufferRef buffer = doubles::makeMemoryBuffer({16, 4}, BufferKind::dmaBuf);
        return MappedBuffer::map(*buffer, MapAccess::readWrite);
    }();
    ASSERT_TRUE(first);
    auto second = MappedBuffer::map(*doubles::makeMemoryBuffer({8, 8}), MapAccess::readWrite);
    ASSERT_TRUE(second);
    first->bytes()[0] = std::byte{1};
    *second = std::move(*first);
    first.reset();
    second->beginAccess();
    EXPECT_EQ(second->bytes()[0], std::byte{1});
    EXPECT_EQ(second->row(3).size(), 64U);
    second->endAccess();
}

} // namespace
} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Pictures in tests: the pixels of a buffer, and whether they are the test vGPU's.
#pragma once

#include "frame/mapped_buffer.h"
#include "frame/pixel_convert.h"
#include "synthetic/pattern.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <vector>

namespace vgpuview::doubles {

/// The buffer's pixels as 0xAARRGGBB, rows without padding; empty where it can't be mapped.
inline std::vector<std::uint32_t> pixelsOf(const Buffer& buffer) {
    const auto mapped = MappedBuffer::map(buffer, MapAccess::read);
    if (!mapped)
        return {};
    const MappedAccess access(*mapped);
    const BufferLayout& layout = buffer.layout();
    std::vector<std::uint32_t> pixels(std::size_t{layout.size.width} * layout.size.height);
    for (std::uint32_t y = 0; y < layout.size.height; ++y)
        convertRow(layout.format.fourcc, mapped->row(y).data(),
                   std::span(pixels).subspan(std::size_t{y} * layout.size.width, layout.size.width));
    return pixels;
}

/// Every pixel is that of the frame, or the first one that is not. Alpha does not count.
inline testing::AssertionResult showsPattern(std::span<const std::uint32_t> argb, Size size,
                                             std::uint64_t frameNumber) {
    if (argb.size() != std::size_t{size.width} * size.height)
        return testing::AssertionFailure() << argb.size() << " pixels for " << size.width << "x" << size.height;
    for (std::uint32_t y = 0; y < size.height; ++y) {
        for (std::uint32_t x = 0; x < size.width; ++x) {
            const std::uint32_t seen = argb[std::size_t{y} * size.width + x] & 0xffffffU;
            const std::uint32_t expected = patternPixel(frameNumber, x, y) & 0xffffffU;
            if (seen != expected)
                return testing::AssertionFailure() << "pixel " << x << "," << y << " of frame " << frameNumber << " is "
                                                   << std::hex << seen << ", not " << expected;
        }
    }
    return testing::AssertionSuccess();
}

inline testing::AssertionResult showsPattern(const Buffer& buffer, std::uint64_t frameNumber) {
    return showsPattern(pixelsOf(buffer), buffer.layout().size, frameNumber);
}

} // namespace vgpuview::doubles

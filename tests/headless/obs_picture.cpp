// SPDX-License-Identifier: MIT
// What OBS drew, compared with what the test vGPU showed.
#include "obs_picture.h"

#include "synthetic/pattern.h"

#include <algorithm>
#include <cstdlib>

namespace vgpuview::headless {

namespace {

std::uint32_t blendOver(std::uint32_t below, std::uint32_t above) {
    const std::uint32_t alpha = above >> 24;
    std::uint32_t result = 0xff000000U;
    for (const unsigned shift : {0U, 8U, 16U}) {
        const double sum =
            double((above >> shift) & 0xff) + double((below >> shift) & 0xff) * (255.0 - double(alpha)) / 255.0;
        result |= static_cast<std::uint32_t>(sum + 0.5) << shift;
    }
    return result;
}

bool near(std::uint32_t one, std::uint32_t other, int tolerance) {
    for (const unsigned shift : {0U, 8U, 16U, 24U})
        if (std::abs(int((one >> shift) & 0xff) - int((other >> shift) & 0xff)) > tolerance)
            return false;
    return true;
}

bool hasLastRowOf(std::uint32_t number, const Picture& picture) {
    const std::uint32_t y = picture.size.height - 1;
    for (std::uint32_t x = 0; x < picture.size.width; ++x)
        if (picture.argb[std::size_t{y} * picture.size.width + x] != patternPixel(number, x, y))
            return false;
    return true;
}

} // namespace

testing::AssertionResult isPattern(const Picture& picture, Expected expected) {
    if (expected.screen.empty())
        expected.screen = picture.size;
    if (expected.part.empty())
        expected.part = {{0, 0}, picture.size};
    const Rect& part = expected.part;
    if (picture.size != part.size)
        return testing::AssertionFailure() << "it is " << picture.size.width << "x" << picture.size.height;
    if (!expected.number) {
        expected.number = frameNumberIn(picture.argb, picture.size);
        testing::AssertionResult result = expected.number
                                              ? isPattern(picture, expected)
                                              : testing::AssertionFailure() << "there is no frame number in it";
        // Where the cursor lies over the number, the other rows tell which it may be.
        for (std::uint32_t number = 0; number < 2000 && !result && expected.cursor == CursorSeen::yes; ++number)
            if (hasLastRowOf(number, picture) && isPattern(picture, {.number = number}))
                return testing::AssertionSuccess();
        return result;
    }
    const Point arrow = cursorPosition(*expected.number, expected.screen);
    std::size_t blended = 0;
    for (std::uint32_t y = 0; y < part.size.height; ++y) {
        for (std::uint32_t x = 0; x < part.size.width; ++x) {
            const auto screenX = static_cast<std::int32_t>(x) + part.origin.x;
            const auto screenY = static_cast<std::int32_t>(y) + part.origin.y;
            std::uint32_t pixel = patternPixel(*expected.number, static_cast<std::uint32_t>(screenX),
                                               static_cast<std::uint32_t>(screenY));
            int tolerance = expected.tolerance;
            const std::int32_t inX = screenX - arrow.x;
            const std::int32_t inY = screenY - arrow.y;
            const auto edge = static_cast<std::int32_t>(patternCursorSize.width);
            if (expected.cursor == CursorSeen::yes && inX >= 0 && inY >= 0 && inX < edge && inY < edge) {
                const std::uint32_t above =
                    cursorPixel(static_cast<std::uint32_t>(inX), static_cast<std::uint32_t>(inY));
                if (above != 0) {
                    pixel = blendOver(pixel, above);
                    tolerance = std::max(tolerance, 1);
                    ++blended;
                }
            }
            const std::uint32_t seen = picture.argb[std::size_t{y} * part.size.width + x];
            if (!near(seen, pixel, tolerance))
                return testing::AssertionFailure() << "pixel " << x << "," << y << " of frame " << *expected.number
                                                   << " is " << std::hex << seen << ", not " << pixel;
        }
    }
    if (expected.cursor == CursorSeen::yes && blended == 0)
        return testing::AssertionFailure() << "no cursor was looked at";
    return testing::AssertionSuccess();
}

} // namespace vgpuview::headless

// SPDX-License-Identifier: MIT
// Makes the EDID of a monitor that has exactly the size that is asked for.
#include "vfio/edid_block.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace vgpuview {

namespace {

constexpr Size smallestSize{.width = 320, .height = 200};
constexpr std::uint32_t largestSide = 4095;          // 12 bits
constexpr std::uint32_t smallestClockKiloHz = 10000; // below it a detailed timing counts as damaged
constexpr std::uint32_t largestClockKiloHz = 655350; // 16 bits of 10 kHz
constexpr std::uint32_t largestMillimetres = 2550;   // 8 bits of centimetres
constexpr std::uint32_t smallestMillimetres = 100;   // below it a size counts as dubious
constexpr std::uint32_t slowestRefreshMilliHz = 20000;
constexpr std::uint32_t fastestRefreshMilliHz = 500000;

constexpr std::size_t descriptorBytes = 18;
using Descriptor = std::span<std::byte, descriptorBytes>;

constexpr std::byte byteOf(std::uint32_t value) noexcept {
    return static_cast<std::byte>(value & 0xff);
}

std::uint32_t roundedQuotient(std::uint64_t dividend, std::uint64_t divisor) noexcept {
    return static_cast<std::uint32_t>((dividend + divisor / 2) / divisor);
}

bool fits(Size size, Size limit) noexcept {
    return (limit.width == 0 || size.width <= limit.width) && (limit.height == 0 || size.height <= limit.height);
}

// CVT tells the aspect by the length of the vertical sync.
std::uint32_t verticalSyncOf(Size size) noexcept {
    const auto isAspect = [&](std::uint64_t x, std::uint64_t y) { return size.width * y == size.height * x; };
    if (isAspect(4, 3))
        return 4;
    if (isAspect(16, 9))
        return 5;
    if (isAspect(16, 10))
        return 6;
    if (isAspect(5, 4) || isAspect(15, 9))
        return 7;
    return 10;
}

struct EstablishedMode {
    Size size;
    std::size_t offset;
    std::uint8_t bit;
};
// All at 60 Hz.
constexpr auto establishedModes = std::to_array<EstablishedMode>({
    {{640, 480}, 35, 0x20},
    {{800, 600}, 35, 0x01},
    {{1024, 768}, 36, 0x08},
});

struct StandardMode {
    Size size;
    std::uint8_t aspect; // bits 7 and 6: 16:10, 4:3, 5:4, 16:9
};
// All at 60 Hz.
constexpr auto standardModes = std::to_array<StandardMode>({
    {{1920, 1200}, 0},
    {{1920, 1080}, 3},
    {{1680, 1050}, 0},
    {{1600, 1200}, 1},
    {{1600, 900}, 3},
    {{1280, 1024}, 2},
    {{1280, 800}, 0},
    {{1280, 720}, 3},
});
constexpr std::size_t standardModesOffset = 38;
// The limits of the modes above, as VESA's table of monitor timings has them.
constexpr std::uint32_t usualSlowestMilliHz = 59000;
constexpr std::uint32_t usualFastestMilliHz = 61000;
constexpr std::uint32_t usualSlowestLineHz = 31000;
constexpr std::uint32_t usualFastestLineHz = 76000;
constexpr std::uint32_t usualFastestClockKiloHz = 195000;

void putIdentity(EdidBlock& block) noexcept {
    constexpr std::array<std::uint8_t, 8> header{0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
    for (std::size_t i = 0; i < header.size(); ++i)
        block[i] = std::byte{header[i]};
    constexpr std::string_view manufacturer = "VGV";
    std::uint32_t letters = 0;
    for (const char letter : manufacturer)
        letters = letters << 5 | static_cast<std::uint32_t>(letter - 'A' + 1);
    block[8] = byteOf(letters >> 8);
    block[9] = byteOf(letters);
    block[10] = std::byte{1};    // product
    block[16] = std::byte{0xff}; // the next byte is the model's year
    block[17] = std::byte{2026 - 1990};
    block[18] = std::byte{1};
    block[19] = std::byte{4};
}

void putBasics(EdidBlock& block, Size millimetres) noexcept {
    block[20] = std::byte{0xa5}; // digital, 8 bits a colour, DisplayPort
    block[21] = byteOf(roundedQuotient(millimetres.width, 10));
    block[22] = byteOf(roundedQuotient(millimetres.height, 10));
    block[23] = std::byte{120};  // gamma 2.2
    block[24] = std::byte{0x06}; // RGB 4:4:4, sRGB, the preferred timing is the native one
    constexpr std::array<std::uint8_t, 10> srgbChromaticity{0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
    for (std::size_t i = 0; i < srgbChromaticity.size(); ++i)
        block[25 + i] = std::byte{srgbChromaticity[i]};
}

void putUsualModes(EdidBlock& block, Size limit) noexcept {
    for (const EstablishedMode& mode : establishedModes)
        if (fits(mode.size, limit))
            block[mode.offset] |= std::byte{mode.bit};
    std::size_t offset = standardModesOffset;
    for (const StandardMode& mode : standardModes) {
        if (!fits(mode.size, limit))
            continue;
        block[offset++] = byteOf(mode.size.width / 8 - 31);
        block[offset++] = byteOf(static_cast<std::uint32_t>(mode.aspect) << 6);
    }
    while (offset < standardModesOffset + 2 * standardModes.size())
        block[offset++] = std::byte{1}; // unused
}

void putTiming(Descriptor to, const EdidTiming& timing, Size millimetres) noexcept {
    const std::uint32_t clock = timing.clockKiloHz / 10;
    const auto high = [](std::uint32_t first, std::uint32_t second) {
        return byteOf((first >> 8 & 0xf) << 4 | (second >> 8 & 0xf));
    };
    to[0] = byteOf(clock);
    to[1] = byteOf(clock >> 8);
    to[2] = byteOf(timing.width);
    to[3] = byteOf(timing.horizontalBlank);
    to[4] = high(timing.width, timing.horizontalBlank);
    to[5] = byteOf(timing.height);
    to[6] = byteOf(timing.verticalBlank);
    to[7] = high(timing.height, timing.verticalBlank);
    to[8] = byteOf(timing.horizontalFront);
    to[9] = byteOf(timing.horizontalSync);
    to[10] = byteOf((timing.verticalFront & 0xf) << 4 | (timing.verticalSync & 0xf));
    to[11] = byteOf((timing.horizontalFront >> 8 & 3) << 6 | (timing.horizontalSync >> 8 & 3) << 4 |
                    (timing.verticalFront >> 4 & 3) << 2 | (timing.verticalSync >> 4 & 3));
    to[12] = byteOf(millimetres.width);
    to[13] = byteOf(millimetres.height);
    to[14] = high(millimetres.width, millimetres.height);
    to[17] = std::byte{0x1a}; // digital separate sync, horizontal positive, vertical negative: reduced blanking
}

void putRange(Descriptor to, const EdidTiming& timing, bool usualModes) noexcept {
    std::uint32_t slowestMilliHz = timing.refreshMilliHz();
    std::uint32_t fastestMilliHz = slowestMilliHz;
    std::uint32_t slowestLineHz = timing.lineHz();
    std::uint32_t fastestLineHz = slowestLineHz;
    std::uint32_t fastestClockKiloHz = timing.clockKiloHz;
    if (usualModes) {
        slowestMilliHz = std::min(slowestMilliHz, usualSlowestMilliHz);
        fastestMilliHz = std::max(fastestMilliHz, usualFastestMilliHz);
        slowestLineHz = std::min(slowestLineHz, usualSlowestLineHz);
        fastestLineHz = std::max(fastestLineHz, usualFastestLineHz);
        fastestClockKiloHz = std::max(fastestClockKiloHz, usualFastestClockKiloHz);
    }
    struct Limits {
        std::uint32_t least;
        std::uint32_t most;
        std::uint32_t offsets; // bit 0: add 255 to the least, bit 1: to the most
    };
    const auto limitsOf = [](std::uint32_t least, std::uint32_t most) {
        Limits limits{.least = std::max(least / 1000, 1U), .most = (most + 999) / 1000, .offsets = 0};
        limits.most = std::max(limits.most, limits.least);
        if (limits.most > 255) {
            limits.most = std::min(limits.most - 255, 255U);
            limits.offsets = 2;
            if (limits.least > 255) {
                limits.least -= 255;
                limits.offsets = 3;
            }
        }
        return limits;
    };
    const Limits vertical = limitsOf(slowestMilliHz, fastestMilliHz);
    const Limits horizontal = limitsOf(slowestLineHz, fastestLineHz);
    to[3] = std::byte{0xfd};
    to[4] = byteOf(horizontal.offsets << 2 | vertical.offsets);
    to[5] = byteOf(vertical.least);
    to[6] = byteOf(vertical.most);
    to[7] = byteOf(horizontal.least);
    to[8] = byteOf(horizontal.most);
    to[9] = byteOf((fastestClockKiloHz + 9999) / 10000);
    to[10] = std::byte{1}; // limits alone, no formula
    to[11] = std::byte{'\n'};
    std::ranges::fill(to.subspan<12>(), std::byte{' '});
}

void putText(Descriptor to, std::uint8_t tag, std::string_view text) noexcept {
    constexpr std::size_t textOffset = 5;
    std::size_t offset = textOffset;
    for (const char c : text)
        if (c >= ' ' && c <= '~' && offset < descriptorBytes && (c != ' ' || offset > textOffset))
            to[offset++] = static_cast<std::byte>(c);
    while (offset > textOffset && to[offset - 1] == std::byte{' '})
        --offset;
    if (offset == textOffset) {
        std::ranges::fill(to, std::byte{0});
        to[3] = std::byte{0x10}; // nothing here
        return;
    }
    to[3] = std::byte{tag};
    if (offset < descriptorBytes)
        to[offset++] = std::byte{'\n'};
    std::ranges::fill(to.subspan(offset), std::byte{' '});
}

Size millimetresOf(const EdidMonitor& monitor, Size size) noexcept {
    Size given = monitor.millimetres.value_or(Size{});
    if (given.empty())
        given = {.width = roundedQuotient(std::uint64_t{size.width} * 254, 960),
                 .height = roundedQuotient(std::uint64_t{size.height} * 254, 960)};
    return {.width = std::clamp(given.width, smallestMillimetres, largestMillimetres),
            .height = std::clamp(given.height, smallestMillimetres, largestMillimetres)};
}

} // namespace

std::uint32_t EdidTiming::refreshMilliHz() const noexcept {
    const std::uint64_t pixels = std::uint64_t{width + horizontalBlank} * (height + verticalBlank);
    return pixels == 0 ? 0 : roundedQuotient(std::uint64_t{clockKiloHz} * 1'000'000, pixels);
}

std::uint32_t EdidTiming::lineHz() const noexcept {
    const std::uint32_t pixels = width + horizontalBlank;
    return pixels == 0 ? 0 : roundedQuotient(std::uint64_t{clockKiloHz} * 1000, pixels);
}

Size clampToEdid(Size size, Size limit) noexcept {
    const auto clampSide = [](std::uint32_t side, std::uint32_t least, std::uint32_t most) {
        return std::clamp(side, least, most == 0 ? largestSide : std::clamp(most, least, largestSide));
    };
    return {.width = clampSide(size.width, smallestSize.width, limit.width),
            .height = clampSide(size.height, smallestSize.height, limit.height)};
}

EdidTiming reducedBlankingTiming(Size size, std::uint32_t refreshMilliHz) noexcept {
    constexpr std::uint32_t blankNanoseconds = 460'000;
    constexpr std::uint32_t leastBackPorch = 6;
    EdidTiming timing{.width = size.width,
                      .horizontalBlank = 160,
                      .horizontalFront = 48,
                      .horizontalSync = 32,
                      .height = size.height,
                      .verticalFront = 3,
                      .verticalSync = verticalSyncOf(size)};
    const std::uint64_t rate = std::clamp(refreshMilliHz, slowestRefreshMilliHz, fastestRefreshMilliHz);
    const std::uint64_t frameNanoseconds = 1'000'000'000'000 / rate;
    // Lines that fit into the blank at the speed that leaves it free: blank / ((frame - blank) / height), plus one.
    const std::uint64_t lines =
        std::uint64_t{blankNanoseconds} * size.height / (frameNanoseconds - blankNanoseconds) + 1;
    timing.verticalBlank = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(lines, timing.verticalFront + timing.verticalSync + leastBackPorch, largestSide));
    const std::uint64_t linesPerKilosecond = rate * (timing.height + timing.verticalBlank);
    const auto leastLine =
        static_cast<std::uint32_t>(std::uint64_t{smallestClockKiloHz} * 1'000'000 / linesPerKilosecond + 1);
    timing.horizontalBlank = std::max(timing.horizontalBlank, leastLine - std::min(leastLine, timing.width));
    const std::uint32_t tens =
        roundedQuotient(linesPerKilosecond * (timing.width + timing.horizontalBlank), 10'000'000);
    timing.clockKiloHz = std::min(tens, largestClockKiloHz / 10) * 10;
    return timing;
}

EdidBlock makeEdid(const EdidMonitor& monitor) {
    const Size size = clampToEdid(monitor.size, monitor.limit);
    const EdidTiming timing = reducedBlankingTiming(size, monitor.refreshMilliHz);
    const Size millimetres = millimetresOf(monitor, size);

    EdidBlock block{};
    putIdentity(block);
    putBasics(block, millimetres);
    putUsualModes(block, monitor.limit);
    const std::span<std::byte> descriptors = std::span(block).subspan(54, 4 * descriptorBytes);
    const auto descriptor = [&](std::size_t index) {
        return descriptors.subspan(index * descriptorBytes).first<descriptorBytes>();
    };
    putTiming(descriptor(0), timing, millimetres);
    putRange(descriptor(1), timing, fits(establishedModes.front().size, monitor.limit));
    putText(descriptor(2), 0xfc, monitor.name);
    putText(descriptor(3), 0xff, monitor.serial);

    std::uint32_t sum = 0;
    for (const std::byte byte : block)
        sum += std::to_integer<std::uint32_t>(byte);
    block.back() = byteOf(256 - (sum & 0xff));
    return block;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What the test vGPU is asked to be: `test:1920x1080@60,buffers=3,cursor=on`.
#pragma once

#include "base/geometry.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

enum class TestCursor { off, on, withoutHotSpot };
enum class TestClock {
    refresh, ///< the frame number advances with time, at the refresh rate
    poll,    ///< each poll shows the next frame
};
enum class TestMemory { automatic, udmabuf, memfd };
enum class TestMotion { moving, still };
enum class TestEdid { on, off };

/// What drivers do wrong, or unlike others. The bad* ones, huge and beyondBuffer spoil every fourth frame's report.
enum class TestQuirk : std::size_t {
    badFormat,
    badModifier,
    badStride,
    badSize,
    huge,
    beyondBuffer,
    badCursor,
    hotSpotOutside, ///< the cursor's hot spot lies outside of it
    cursorSign,     ///< the sign of the cursor's position is dropped
    wideStride,     ///< the stride is larger than a row
    roundedSize,    ///< the size is rounded up to a power of two
    sameMemory,     ///< after a mode change the same memory comes back with another geometry
    alphaZero,      ///< alpha, or what stands in its place, is zero all over
};
inline constexpr std::size_t testQuirkCount = 13;
inline constexpr std::array<std::string_view, testQuirkCount> testQuirkNames{
    "bad-format",       "bad-modifier", "bad-stride",  "bad-size",     "huge",        "beyond-buffer", "bad-cursor",
    "hot-spot-outside", "cursor-sign",  "wide-stride", "rounded-size", "same-memory", "alpha-zero"};

struct TestSourceOptions {
    std::string text;                      ///< as given, for the address
    std::vector<Size> modes{{1920, 1080}}; ///< never empty; shown in turn, modeFrames each
    std::uint64_t modeFrames = 60;
    std::uint32_t refreshMilliHz = 60'000;
    std::uint32_t buffers = 3; ///< 1: a front buffer that is drawn in while it is shown
    TestCursor cursor = TestCursor::on;
    std::uint32_t fourcc = 0x34325258; ///< XR24
    std::uint64_t period = 0;          ///< the picture's number starts anew after that many frames; 0: never
    TestMotion motion = TestMotion::moving;
    std::uint64_t blankEvery = 0; ///< of so many frames the last blankFrames show no picture; 0: all show one
    std::uint64_t blankFrames = 0;
    std::uint64_t frames = 0; ///< the source ends after so many; 0: never
    std::bitset<testQuirkCount> quirks;
    TestMemory memory = TestMemory::automatic;
    TestClock clock = TestClock::refresh;
    TestEdid edid = TestEdid::on; ///< on: the mode becomes that of the monitor that a sink asks for

    [[nodiscard]] bool has(TestQuirk quirk) const noexcept { return quirks[static_cast<std::size_t>(quirk)]; }
};

/// Reads what follows `test:`; nothing at all is fine. Parts are separated by commas:
///   WxH[@HZ]  buffers=N  cursor=on|off|nohotspot  format=XR24|AR24|XB24|XR30  period=N  still  modes=WxH/WxH...
///   every=N  blank=EVERY/LENGTH  frames=N  quirk=NAME  memory=auto|udmabuf|memfd  clock=refresh|poll
///   edid=on|off
/// Throws Error (exit code usage) that names the part.
[[nodiscard]] TestSourceOptions parseTestOptions(std::string_view text);

/// The text above in one line, for help texts.
[[nodiscard]] std::string testOptionsHelp();

} // namespace vgpuview

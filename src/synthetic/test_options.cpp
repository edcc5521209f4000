// SPDX-License-Identifier: MIT
// What the test vGPU is asked to be.
#include "synthetic/test_options.h"

#include "base/error.h"
#include "base/pixel_format.h"
#include "frame/plane_check.h"
#include "synthetic/pattern.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <charconv>
#include <optional>

namespace vgpuview {

namespace {

constexpr std::uint64_t maxBuffers = 64;
constexpr std::uint64_t maxFrames = 1'000'000'000'000;
constexpr std::uint32_t maxRefreshHz = 1000;

/// Splits at the first separator; the second half is nothing where there is none.
std::pair<std::string_view, std::optional<std::string_view>> splitOnce(std::string_view text, char separator) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos)
        return {text, std::nullopt};
    return {text.substr(0, at), text.substr(at + 1)};
}

std::optional<std::uint64_t> numberIn(std::string_view text, std::uint64_t least, std::uint64_t most) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size() || number < least || number > most)
        return {};
    return number;
}

std::optional<Size> sizeIn(std::string_view text) {
    const auto [width, height] = splitOnce(text, 'x');
    if (!height)
        return {};
    const auto columns = numberIn(width, 1, maxPlaneExtent);
    const auto rows = numberIn(*height, 1, maxPlaneExtent);
    if (!columns || !rows)
        return {};
    return Size{static_cast<std::uint32_t>(*columns), static_cast<std::uint32_t>(*rows)};
}

/// "60", "59.94": up to three decimals.
std::optional<std::uint32_t> milliHzIn(std::string_view text) {
    const auto [whole, fraction] = splitOnce(text, '.');
    const auto hz = numberIn(whole, 0, maxRefreshHz);
    if (!hz)
        return {};
    std::uint64_t milli = 0;
    if (fraction) {
        const std::string padded = std::string(*fraction) + "00";
        const auto thousandths = numberIn(std::string_view(padded).substr(0, 3), 0, 999);
        if (fraction->empty() || fraction->size() > 3 || !thousandths)
            return {};
        milli = *thousandths;
    }
    const std::uint64_t milliHz = *hz * 1000 + milli;
    if (milliHz == 0 || milliHz > std::uint64_t{maxRefreshHz} * 1000)
        return {};
    return static_cast<std::uint32_t>(milliHz);
}

[[noreturn]] void refuse(std::string_view part, std::string cause) {
    throw Error(EINVAL, {.operation = "use",
                         .object = fmt::format("test option '{}'", part),
                         .cause = std::move(cause),
                         .hint = testOptionsHelp(),
                         .exit = ExitCode::usage});
}

template<typename Choice, std::size_t count>
Choice choiceIn(std::string_view part, std::string_view value,
                const std::array<std::pair<std::string_view, Choice>, count>& choices) {
    std::vector<std::string_view> names;
    for (const auto& [name, choice] : choices) {
        if (name == value)
            return choice;
        names.push_back(name);
    }
    refuse(part, fmt::format("it takes {}", fmt::join(names, ", ")));
}

class Parser {
public:
    explicit Parser(std::string_view text) {
        options_.text = text;
        options_.modes.clear();
        std::optional<std::string_view> rest(text);
        while (rest && !text.empty()) {
            const auto [part, after] = splitOnce(*rest, ',');
            read(part);
            rest = after;
        }
        options_.modes.insert(options_.modes.begin(), size_);
    }
    TestSourceOptions result() && { return std::move(options_); }

private:
    void read(std::string_view part) {
        part_ = part;
        const auto [key, value] = splitOnce(part, '=');
        if (value)
            readPair(key, *value);
        else if (part == "still")
            options_.motion = TestMotion::still;
        else
            readSize(part);
    }

    void readSize(std::string_view part) {
        const auto [extent, refresh] = splitOnce(part, '@');
        const auto size = sizeIn(extent);
        if (!size)
            refuse(part, "it is no option and no size");
        size_ = *size;
        if (!refresh)
            return;
        const auto milliHz = milliHzIn(*refresh);
        if (!milliHz)
            refuse(part, fmt::format("the refresh rate is in Hz, up to {}", maxRefreshHz));
        options_.refreshMilliHz = *milliHz;
    }

    void readPair(std::string_view key, std::string_view value) {
        if (key == "buffers")
            options_.buffers = static_cast<std::uint32_t>(number(value, maxBuffers));
        else if (key == "period")
            options_.period = number(value, maxFrames);
        else if (key == "every")
            options_.modeFrames = number(value, maxFrames);
        else if (key == "frames")
            options_.frames = number(value, maxFrames);
        else if (key == "modes")
            readModes(value);
        else if (key == "blank")
            readBlank(value);
        else if (key == "format")
            readFormat(value);
        else if (key == "quirk")
            readQuirk(value);
        else if (key == "cursor")
            options_.cursor = choiceIn<TestCursor, 3>(
                part_, value,
                {{{"on", TestCursor::on}, {"off", TestCursor::off}, {"nohotspot", TestCursor::withoutHotSpot}}});
        else if (key == "memory")
            options_.memory = choiceIn<TestMemory, 3>(
                part_, value,
                {{{"auto", TestMemory::automatic}, {"udmabuf", TestMemory::udmabuf}, {"memfd", TestMemory::memfd}}});
        else if (key == "clock")
            options_.clock =
                choiceIn<TestClock, 2>(part_, value, {{{"refresh", TestClock::refresh}, {"poll", TestClock::poll}}});
        else if (key == "edid")
            options_.edid = choiceIn<TestEdid, 2>(part_, value, {{{"on", TestEdid::on}, {"off", TestEdid::off}}});
        else
            refuse(part_, "there is no such option");
    }

    std::uint64_t number(std::string_view value, std::uint64_t most) {
        const auto result = numberIn(value, 1, most);
        if (!result)
            refuse(part_, fmt::format("it takes a number from 1 to {}", most));
        return *result;
    }

    void readModes(std::string_view value) {
        std::optional<std::string_view> rest(value);
        while (rest) {
            const auto [extent, after] = splitOnce(*rest, '/');
            const auto size = sizeIn(extent);
            if (!size)
                refuse(part_, fmt::format("it takes sizes such as 800x600/1280x800, up to {} pixels", maxPlaneExtent));
            options_.modes.push_back(*size);
            rest = after;
        }
    }

    void readBlank(std::string_view value) {
        const auto [every, length] = splitOnce(value, '/');
        const auto everyFrames = numberIn(every, 2, maxFrames);
        const auto frames = everyFrames && length ? numberIn(*length, 1, *everyFrames - 1) : std::nullopt;
        if (!frames)
            refuse(part_, "it takes EVERY/LENGTH in frames, LENGTH below EVERY");
        options_.blankEvery = *everyFrames;
        options_.blankFrames = *frames;
    }

    void readFormat(std::string_view value) {
        std::uint32_t fourcc = 0;
        for (std::size_t i = 0; i < value.size() && i < 4; ++i)
            fourcc |= std::uint32_t{static_cast<unsigned char>(value[i])} << (8 * i);
        if (value.size() != 4 || !patternSupports(fourcc))
            refuse(part_, "it takes XR24, AR24, XB24, XR30");
        options_.fourcc = fourcc;
    }

    void readQuirk(std::string_view value) {
        for (std::size_t i = 0; i < testQuirkCount; ++i) {
            if (testQuirkNames[i] == value) {
                options_.quirks.set(i);
                return;
            }
        }
        refuse(part_, fmt::format("it takes {}", fmt::join(testQuirkNames, ", ")));
    }

    TestSourceOptions options_;
    Size size_{1920, 1080};
    std::string_view part_;
};

} // namespace

TestSourceOptions parseTestOptions(std::string_view text) {
    return Parser(text).result();
}

std::string testOptionsHelp() {
    return "options: WxH[@HZ], buffers=N, cursor=on|off|nohotspot, format=XR24|AR24|XB24|XR30, period=N, still, "
           "modes=WxH/WxH..., every=N, blank=EVERY/LENGTH, frames=N, quirk=NAME, memory=auto|udmabuf|memfd, "
           "clock=refresh|poll, edid=on|off";
}

} // namespace vgpuview

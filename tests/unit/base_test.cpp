// SPDX-License-Identifier: MIT
// Descriptors, errors, names, histograms.
#include "base/error.h"
#include "base/geometry.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/pixel_format.h"
#include "base/unique_fd.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace vgpuview {
namespace {

using namespace std::chrono_literals;

bool isOpen(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, ClosesWhatItOwnsOnceAndMovesIt) {
    const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    {
        UniqueFd first(raw);
        UniqueFd second(std::move(first));
        EXPECT_FALSE(first); // NOLINT(bugprone-use-after-move): the moved-from state is the contract
        EXPECT_EQ(second.get(), raw);
        EXPECT_TRUE(isOpen(raw));
    }
    EXPECT_FALSE(isOpen(raw));
}

TEST(UniqueFd, ADuplicateIsCloseOnExecAndLivesOn) {
    UniqueFd original(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const UniqueFd copy = original.duplicate();
    original.reset();
    EXPECT_TRUE(isOpen(copy.get()));
    EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_THROW((void)UniqueFd::duplicateOf(-1), Error);
}

TEST(Error, SaysOperationObjectAndCause) {
    const Error error(EACCES, {.operation = "open", .object = "/dev/vfio/7", .hint = "join the group"});
    EXPECT_STREQ(error.what(), "cannot open /dev/vfio/7: Permission denied");
    EXPECT_EQ(error.hint(), "join the group");
    EXPECT_EQ(error.exitCode(), ExitCode::notPermitted);
}

TEST(Error, ExitCodesFollowTheErrnoUnlessSaid) {
    EXPECT_EQ(exitCodeOf(ENOENT), ExitCode::notFound);
    EXPECT_EQ(exitCodeOf(ESRCH), ExitCode::notFound);
    EXPECT_EQ(exitCodeOf(EPERM), ExitCode::notPermitted);
    EXPECT_EQ(exitCodeOf(EBUSY), ExitCode::held);
    EXPECT_EQ(exitCodeOf(EOPNOTSUPP), ExitCode::notSupported);
    EXPECT_EQ(exitCodeOf(EIO), ExitCode::failed);
    EXPECT_EQ(Error(EINVAL, {.operation = "x", .object = "y", .exit = ExitCode::usage}).exitCode(), ExitCode::usage);
}

TEST(PixelFormat, NamesAreReadable) {
    EXPECT_EQ(fourccName(DRM_FORMAT_XRGB8888), "XR24");
    EXPECT_EQ(fourccName(0x01020304), "....");
    EXPECT_EQ(modifierName(DRM_FORMAT_MOD_LINEAR), "linear");
    EXPECT_EQ(modifierName(DRM_FORMAT_MOD_INVALID), "implicit");
    EXPECT_NE(modifierName(I915_FORMAT_MOD_X_TILED).find("X_TILED"), std::string::npos);
    EXPECT_EQ(nameOf(PixelFormat{DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR}), "XR24 linear");
}

TEST(PixelFormat, KnowsWhatAlphaMeans) {
    ASSERT_TRUE(factsOf(DRM_FORMAT_ARGB8888));
    EXPECT_EQ(factsOf(DRM_FORMAT_ARGB8888)->opaqueTwin, static_cast<std::uint32_t>(DRM_FORMAT_XRGB8888));
    EXPECT_EQ(factsOf(DRM_FORMAT_RGB565)->bytesPerPixel, 2U);
    EXPECT_FALSE(factsOf(DRM_FORMAT_NV12));
    EXPECT_FALSE(factsOf(0));
}

TEST(Geometry, IntersectAndUniteSurviveExtremes) {
    constexpr Rect far{{INT32_MAX, INT32_MAX}, {UINT32_MAX, UINT32_MAX}};
    constexpr Rect near{{INT32_MIN, INT32_MIN}, {10, 10}};
    EXPECT_TRUE(intersect(far, near).empty());
    EXPECT_EQ(intersect(Rect{{-5, -5}, {10, 10}}, Rect{{0, 0}, {100, 100}}), (Rect{{0, 0}, {5, 5}}));
    EXPECT_EQ(unite(Rect{{1, 1}, {2, 2}}, Rect{}), (Rect{{1, 1}, {2, 2}}));
    EXPECT_EQ(unite(Rect{{0, 0}, {2, 2}}, Rect{{8, 8}, {2, 2}}), (Rect{{0, 0}, {10, 10}}));
}

TEST(DurationHistogram, PercentilesAreWithinASixteenth) {
    DurationHistogram histogram;
    EXPECT_FALSE(histogram.percentiles());
    for (int i = 1; i <= 1000; ++i)
        histogram.add(std::chrono::microseconds(i));
    const Percentiles p = *histogram.percentiles();
    EXPECT_NEAR(static_cast<double>(p.p50.count()), 500e3, 500e3 / 16);
    EXPECT_NEAR(static_cast<double>(p.p95.count()), 950e3, 950e3 / 16);
    EXPECT_NEAR(static_cast<double>(p.p99.count()), 990e3, 990e3 / 16);
    EXPECT_EQ(p.max, 1000us);
}

TEST(DurationHistogram, TakesExtremes) {
    DurationHistogram histogram;
    histogram.add(-1s);
    histogram.add(Nanoseconds::max());
    EXPECT_EQ(histogram.percentiles()->p50, 0ns);
    EXPECT_EQ(histogram.percentiles()->max, Nanoseconds::max());
    DurationHistogram sum;
    sum.merge(histogram);
    sum.merge(histogram);
    EXPECT_EQ(sum.count(), 4U);
}

TEST(RateLimit, LetsOneThroughPerIntervalAndCountsTheRest) {
    RateLimit limit(1s);
    const TimePoint start{1000s};
    EXPECT_EQ(limit.pass(start), 0U);
    EXPECT_FALSE(limit.pass(start + 10ms));
    EXPECT_FALSE(limit.pass(start + 999ms));
    EXPECT_EQ(limit.pass(start + 1s), 2U);
}

class RecordingLog final : public Log {
public:
    RecordingLog()
        : Log(LogLevel::warning) {}
    std::string text;

protected:
    void write(LogLevel, std::string_view message) override { text += message; }
};

TEST(Log, FormatsOnlyWhatPassesTheThreshold) {
    RecordingLog log;
    log.info("{}", "quiet");
    log.warning("{} {}", "heard", 7);
    EXPECT_EQ(log.text, "heard 7");
    EXPECT_EQ(logLevelFromName("debug"), LogLevel::debug);
    EXPECT_FALSE(logLevelFromName("loud"));
}

} // namespace
} // namespace vgpuview

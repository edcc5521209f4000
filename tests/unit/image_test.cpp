// SPDX-License-Identifier: MIT
// Pictures are composed as they are seen, and come back from the PNG as they went in.
#include "base/error.h"
#include "doubles/fake_scheduler.h"
#include "doubles/picture.h"
#include "frame/picture_memory.h"
#include "image/picture.h"
#include "image/png_file.h"
#include "synthetic/test_source.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <png.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace vgpuview {
namespace {

using doubles::showsPattern;
using testing::HasSubstr;

class FakeReader final : public PixelReader {
public:
    [[nodiscard]] bool read(const Buffer& from, std::span<std::uint32_t> argb) override {
        asked.push_back(from.id());
        std::fill(argb.begin(), argb.end(), 0x00123456U);
        return answer;
    }
    bool answer = true;
    std::vector<BufferId> asked;
};

class ComposeTest : public testing::Test {
protected:
    const Frame& frameOf(const std::string& options, unsigned frames = 1) {
        source_.emplace(parseTestOptions(options), scheduler_, log_);
        for (unsigned i = 0; i < frames; ++i)
            static_cast<void>(source_->poll());
        return source_->frame();
    }
    static Frame frameOf(PixelFormat format, UniqueFd fd) {
        Frame frame;
        frame.primary =
            Plane{.buffer = std::make_shared<const Buffer>(
                      BufferKind::dmaBuf,
                      BufferLayout{.size = {4, 4}, .stride = 16, .offset = 0, .byteSize = 64, .format = format},
                      std::move(fd)),
                  .position = {},
                  .hotSpot = {}};
        return frame;
    }

    doubles::FakeScheduler scheduler_;
    StreamLog log_{stderr, LogLevel::error};
    std::optional<TestSource> source_;
    FakeReader reader_;
};

TEST_F(ComposeTest, ThePrimaryPlaneIsCopiedAndAlwaysOpaque) {
    const Frame& frame = frameOf("333x200,clock=poll,memory=memfd,format=AR24,quirk=alpha-zero", 5);
    const Picture picture = composePicture(frame, CursorVisibility::hidden, &reader_);
    EXPECT_EQ(picture.size, (Size{333, 200}));
    EXPECT_TRUE(showsPattern(picture.argb, picture.size, 4));
    EXPECT_TRUE(std::all_of(picture.argb.begin(), picture.argb.end(), [](auto pixel) { return pixel >> 24 == 255; }));
    EXPECT_TRUE(reader_.asked.empty());
}

TEST_F(ComposeTest, TheCursorIsBlendedAtItsPlaceAndCutAtTheEdges) {
    for (const unsigned frames : {1U, 40U, 91U}) {
        const Picture picture =
            composePicture(frameOf("640x480,clock=poll,memory=memfd", frames), CursorVisibility::visible);
        const Point position = cursorPosition(frames - 1, {640, 480});
        for (std::int32_t y = 0; y < 480; ++y) {
            for (std::int32_t x = 0; x < 640; ++x) {
                const auto pixel = patternPixel(frames - 1, static_cast<unsigned>(x), static_cast<unsigned>(y));
                const std::int32_t cx = x - position.x;
                const std::int32_t cy = y - position.y;
                std::uint32_t expected = pixel;
                if (cx >= 0 && cx < 64 && cy >= 0 && cy < 64) {
                    const std::uint32_t over = cursorPixel(static_cast<unsigned>(cx), static_cast<unsigned>(cy));
                    if (over >> 24 == 255)
                        expected = over;
                    else if (over == 0x50000000) {
                        expected = 0xff000000;
                        for (const unsigned shift : {0U, 8U, 16U})
                            expected |= static_cast<std::uint32_t>((pixel >> shift & 0xff) * (255 - 0x50) / 255.0 + 0.5)
                                        << shift;
                    }
                }
                ASSERT_EQ(picture.argb[static_cast<std::size_t>(y) * 640 + static_cast<std::size_t>(x)], expected)
                    << x << "," << y << " of frame " << frames - 1;
            }
        }
    }
}

TEST_F(ComposeTest, NoPictureIsAnErrorThatSaysSo) {
    try {
        static_cast<void>(composePicture(Frame{}, CursorVisibility::visible));
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("shows none"));
        EXPECT_EQ(error.exitCode(), ExitCode::failed);
    }
}

TEST_F(ComposeTest, WhatCannotBeMappedIsReadByTheReader) {
    const Frame frame = frameOf({DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR}, UniqueFd(::eventfd(0, EFD_CLOEXEC)));
    const Picture picture = composePicture(frame, CursorVisibility::hidden, &reader_);
    EXPECT_EQ(reader_.asked, std::vector<BufferId>{frame.primary->buffer->id()});
    EXPECT_EQ(picture.argb, std::vector<std::uint32_t>(16, 0xff123456));
}

TEST_F(ComposeTest, TilesAreNeverReadByMapping) {
    const Frame frame = frameOf({DRM_FORMAT_XRGB8888, I915_FORMAT_MOD_X_TILED}, allocateMemfd(4096));
    static_cast<void>(composePicture(frame, CursorVisibility::hidden, &reader_));
    EXPECT_EQ(reader_.asked.size(), 1U);
}

TEST_F(ComposeTest, WhatNobodyCanReadIsNotSupported) {
    const Frame frame = frameOf({DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR}, UniqueFd(::eventfd(0, EFD_CLOEXEC)));
    reader_.answer = false;
    for (PixelReader* reader : {static_cast<PixelReader*>(nullptr), static_cast<PixelReader*>(&reader_)}) {
        try {
            static_cast<void>(composePicture(frame, CursorVisibility::hidden, reader));
            FAIL();
        } catch (const Error& error) {
            EXPECT_EQ(error.exitCode(), ExitCode::notSupported);
            EXPECT_THAT(error.what(), HasSubstr("the primary plane (XR24 linear)"));
        }
    }
}

class PngTest : public testing::Test {
protected:
    PngTest() {
        std::string path = testing::TempDir() + "png-XXXXXX";
        EXPECT_NE(::mkdtemp(path.data()), nullptr);
        directory_ = path;
        for (std::uint32_t y = 0; y < size_.height; ++y)
            for (std::uint32_t x = 0; x < size_.width; ++x)
                argb_.push_back(patternPixel(77, x, y) & 0x00ffffffU);
    }
    ~PngTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    /// By libpng's reader; alpha 255.
    [[nodiscard]] std::vector<std::uint32_t> readBack(const std::string& path) const {
        png_image image{};
        image.version = PNG_IMAGE_VERSION;
        if (png_image_begin_read_from_file(&image, path.c_str()) == 0)
            return {};
        EXPECT_EQ(image.width, size_.width);
        EXPECT_EQ(image.height, size_.height);
        EXPECT_EQ(image.format & PNG_FORMAT_FLAG_ALPHA, 0U);
        image.format = PNG_FORMAT_RGB;
        std::vector<png_byte> rgb(PNG_IMAGE_SIZE(image));
        EXPECT_NE(png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr), 0);
        std::vector<std::uint32_t> pixels;
        for (std::size_t i = 0; i + 2 < rgb.size(); i += 3)
            pixels.push_back(0xff000000U | static_cast<std::uint32_t>(rgb[i]) << 16 |
                             static_cast<std::uint32_t>(rgb[i + 1]) << 8 | rgb[i + 2]);
        return pixels;
    }
    [[nodiscard]] std::size_t filesInDirectory() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
    }
    [[nodiscard]] static mode_t modeOf(const std::string& path) {
        struct stat status {};
        EXPECT_EQ(::lstat(path.c_str(), &status), 0);
        return status.st_mode;
    }

    std::string directory_;
    Size size_{301, 40};
    std::vector<std::uint32_t> argb_;
};

TEST_F(PngTest, ComesBackAsItWentInAndStandsAlone) {
    const std::string path = directory_ + "/shot.png";
    writePng(path, size_, argb_);
    EXPECT_TRUE(showsPattern(readBack(path), size_, 77));
    EXPECT_EQ(filesInDirectory(), 1U);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    EXPECT_EQ(modeOf(path) & 0777, 0666 & ~mask);
}

TEST_F(PngTest, ReplacesAFileAndKeepsItsModeAndALinkToIt) {
    const std::string path = directory_ + "/old.png";
    std::ofstream(path) << "old";
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    std::filesystem::create_symlink("old.png", directory_ + "/link.png");
    writePng(directory_ + "/link.png", size_, argb_);
    EXPECT_TRUE(showsPattern(readBack(path), size_, 77));
    EXPECT_EQ(modeOf(path) & 07777, 0640U);
    EXPECT_TRUE(S_ISLNK(modeOf(directory_ + "/link.png")));
    EXPECT_EQ(filesInDirectory(), 2U);
}

TEST_F(PngTest, StandardOutputIsADash) {
    const std::string path = directory_ + "/out.png";
    const UniqueFd before = UniqueFd::duplicateOf(STDOUT_FILENO);
    std::fflush(stdout);
    {
        const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        ASSERT_GE(::dup2(file.get(), STDOUT_FILENO), 0);
    }
    writePng("-", size_, argb_);
    ASSERT_GE(::dup2(before.get(), STDOUT_FILENO), 0);
    EXPECT_TRUE(showsPattern(readBack(path), size_, 77));
}

TEST_F(PngTest, ADeviceIsWrittenToAndNotReplaced) {
    ASSERT_TRUE(S_ISCHR(modeOf("/dev/null")));
    writePng("/dev/null", size_, argb_);
    EXPECT_TRUE(S_ISCHR(modeOf("/dev/null")));
}

TEST_F(PngTest, AFullDiskIsReportedByItsName) {
    try {
        writePng("/dev/full", size_, argb_);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.errorNumber(), ENOSPC);
        EXPECT_THAT(error.what(), HasSubstr("cannot write /dev/full: No space left"));
        EXPECT_EQ(error.exitCode(), ExitCode::failed);
    }
}

TEST_F(PngTest, AFileThatCannotBeMadeIsNamedAndNothingIsLeftBehind) {
    for (const std::string& path : {directory_ + "/missing/shot.png", directory_}) {
        try {
            writePng(path, size_, argb_);
            FAIL();
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("cannot write " + path + ":"));
        }
    }
    EXPECT_EQ(filesInDirectory(), 0U);
}

TEST_F(PngTest, AFileThatCannotBeFinishedIsNotLeftBehind) {
    // A picture without extent is what libpng refuses, after the file was begun.
    EXPECT_THROW(writePng(directory_ + "/shot.png", {0, 0}, {}), Error);
    EXPECT_EQ(filesInDirectory(), 0U);
}

} // namespace
} // namespace vgpuview

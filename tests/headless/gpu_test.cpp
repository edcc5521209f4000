// SPDX-License-Identifier: MIT
// The GPU reads, copies and lets go of dma-bufs. Needs /dev/udmabuf and an EGL that imports dma-bufs (Mesa's software
// renderer does, from version 24.3 on); without them only the refusal is tested.
#include "base/error.h"
#include "doubles/fake_scheduler.h"
#include "doubles/fake_source.h"
#include "doubles/picture.h"
#include "gpu/gpu.h"
#include "synthetic/test_source.h"

#include <drm_fourcc.h>
#include <epoxy/egl.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace vgpuview {
namespace {

using doubles::pixelsOf;
using doubles::showsPattern;

class GpuTest : public testing::Test {
protected:
    /// One for all tests of a suite: it takes a while where EGL is emulated.
    static void SetUpTestSuite() {
        try {
            gpu_ = Gpu::create(log_);
            static_cast<void>(gpu_->allocate({64, 64}, DRM_FORMAT_XRGB8888, {}));
        } catch (const Error& error) {
            gpu_.reset();
            refusal_ = error.what();
        }
    }
    static void TearDownTestSuite() { gpu_.reset(); }
    void SetUp() override {
        if (gpu_)
            return;
        if (std::getenv("VGPUVIEW_TEST_NEEDS_GPU"))
            FAIL() << refusal_;
        GTEST_SKIP() << refusal_;
    }

    TestSource& show(const std::string& options) {
        source_.emplace(parseTestOptions(options + ",clock=poll,memory=udmabuf"), scheduler_, log_);
        static_cast<void>(source_->poll());
        return *source_;
    }
    [[nodiscard]] const Buffer& primary() const { return *source_->frame().primary->buffer; }
    [[nodiscard]] std::vector<std::uint32_t> read(const Buffer& buffer) {
        std::vector<std::uint32_t> pixels(std::size_t{buffer.layout().size.width} * buffer.layout().size.height);
        EXPECT_TRUE(gpu_->read(buffer, pixels));
        return pixels;
    }

    doubles::FakeScheduler scheduler_;
    std::optional<TestSource> source_;
    static inline StreamLog log_{stderr, LogLevel::debug};
    static inline std::unique_ptr<Gpu> gpu_;
    static inline std::string refusal_;
};

TEST_F(GpuTest, KnowsWhatItImportsAndDraws) {
    EXPECT_TRUE(gpu_->canImport({DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR}));
    EXPECT_FALSE(gpu_->canImport({0x12345678, DRM_FORMAT_MOD_LINEAR}));
    EXPECT_FALSE(gpu_->canImport({DRM_FORMAT_XRGB8888, 0x00ffffffffffff12}));
    EXPECT_THAT(gpu_->renderableModifiers(DRM_FORMAT_XRGB8888), testing::Contains(DRM_FORMAT_MOD_LINEAR));
    EXPECT_TRUE(gpu_->renderableModifiers(0x12345678).empty());
}

class GpuFormat : public GpuTest, public testing::WithParamInterface<const char*> {};

TEST_P(GpuFormat, IsReadToTheLastPixel) {
    for (const char* size : {"640x480", "333x200"}) {
        TestSource& source = show(std::string(size) + ",format=" + GetParam());
        if (!gpu_->canImport(primary().layout().format))
            GTEST_SKIP() << "this renderer imports no " << GetParam();
        for (std::uint64_t frame = 1; frame < 3; ++frame) {
            static_cast<void>(source.poll());
            const std::vector<std::uint32_t> pixels = read(primary());
            EXPECT_TRUE(showsPattern(pixels, primary().layout().size, frame));
            EXPECT_EQ(pixels.back() >> 24, 255U);
        }
    }
}

TEST_P(GpuFormat, IsCopiedToTheLastPixel) {
    for (const char* size : {"640x480", "333x200"}) {
        TestSource& source = show(std::string(size) + ",format=" + GetParam());
        if (!gpu_->canImport(primary().layout().format))
            GTEST_SKIP() << "this renderer imports no " << GetParam();
        const BufferRef target = gpu_->allocate(primary().layout().size, DRM_FORMAT_XRGB8888,
                                                gpu_->renderableModifiers(DRM_FORMAT_XRGB8888));
        EXPECT_EQ(target->kind(), BufferKind::dmaBuf);
        for (std::uint64_t frame = 1; frame < 3; ++frame) {
            static_cast<void>(source.poll());
            ASSERT_TRUE(gpu_->blit(primary(), *target, {}));
            EXPECT_TRUE(showsPattern(read(*target), target->layout().size, frame));
            if (target->layout().format.modifier == DRM_FORMAT_MOD_LINEAR &&
                MappedBuffer::map(*target, MapAccess::read)) {
                EXPECT_TRUE(showsPattern(*target, frame));
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, GpuFormat, testing::Values("XR24", "AR24", "XB24", "XR30"));

TEST_F(GpuTest, CopiesAFullHdPicture) {
    show("1920x1080");
    const BufferRef target = gpu_->allocate({1920, 1080}, DRM_FORMAT_XRGB8888, {});
    ASSERT_TRUE(gpu_->blit(primary(), *target, {}));
    EXPECT_TRUE(showsPattern(read(*target), {1920, 1080}, 0));
}

TEST_F(GpuTest, ReadsTheCursorWithItsAlpha) {
    TestSource& source = show("320x240");
    const std::vector<std::uint32_t> pixels = read(*source.frame().cursor->buffer);
    for (std::uint32_t y = 0; y < 64; ++y)
        for (std::uint32_t x = 0; x < 64; ++x)
            ASSERT_EQ(pixels[y * 64 + x], cursorPixel(x, y)) << x << "," << y;
}

TEST_F(GpuTest, SeesWhatIsDrawnAfterTheImport) {
    TestSource& source = show("640x480,buffers=1");
    EXPECT_TRUE(showsPattern(read(primary()), {640, 480}, 0));
    const BufferId id = primary().id();
    static_cast<void>(source.poll());
    ASSERT_EQ(primary().id(), id);
    EXPECT_TRUE(showsPattern(read(primary()), {640, 480}, 1));
}

TEST_F(GpuTest, ScalesWhereTheSizesDiffer) {
    show("640x480");
    const BufferRef target = gpu_->allocate({1280, 960}, DRM_FORMAT_XRGB8888, {});
    ASSERT_TRUE(gpu_->blit(primary(), *target, {}));
    const std::vector<std::uint32_t> pixels = read(*target);
    // In the smooth parts a pixel of twice the size is near the one it comes from; the top is still the top.
    for (const Point place : {Point{300, 40}, Point{600, 30}, Point{40, 440}, Point{600, 440}}) {
        const auto x = static_cast<std::uint32_t>(place.x);
        const auto y = static_cast<std::uint32_t>(place.y);
        const std::uint32_t seen = pixels[(2 * y) * 1280 + 2 * x];
        for (const unsigned shift : {0U, 8U, 16U})
            EXPECT_NEAR(static_cast<int>(seen >> shift & 0xff), static_cast<int>(patternPixel(0, x, y) >> shift & 0xff),
                        4)
                << x << "," << y;
    }
}

TEST_F(GpuTest, DrawsAnotherPictureOverTheCopy) {
    show("320x240");
    const BufferRef target = gpu_->allocate({320, 240}, DRM_FORMAT_XRGB8888, {});
    const auto below = [](std::uint32_t x, std::uint32_t y) { return patternPixel(0, x, y) & 0xffffff; };
    // Opaque, clear, and half of it: rows of 3.
    std::vector<std::uint32_t> argb{0xff112233, 0x00000000, 0x80400020, 0xff0000ff, 0xff00ff00, 0xffff0000};
    OverlayPicture overlay{.id = 1, .argb = argb, .size = {3, 2}, .position = {100, 50}};
    ASSERT_TRUE(gpu_->blit(primary(), *target, overlay));
    std::vector<std::uint32_t> pixels = read(*target);
    const auto at = [&](std::uint32_t x, std::uint32_t y) { return pixels[y * 320 + x] & 0xffffff; };
    EXPECT_EQ(at(100, 50), 0x112233U);
    EXPECT_EQ(at(101, 50), below(101, 50));
    for (const unsigned shift : {0U, 8U, 16U})
        EXPECT_NEAR(static_cast<int>(at(102, 50) >> shift & 0xff),
                    static_cast<int>((0x400020U >> shift & 0xff) + (below(102, 50) >> shift & 0xff) * 127 / 255), 1);
    EXPECT_EQ(at(100, 51), 0x0000ffU) << "blue is blue, and the second row is below the first";
    EXPECT_EQ(at(101, 51), 0x00ff00U);
    EXPECT_EQ(at(102, 51), 0xff0000U);
    for (const auto& [x, y] : {std::pair{99U, 50U}, {103U, 50U}, {100U, 49U}, {100U, 52U}})
        EXPECT_EQ(at(x, y), below(x, y)) << x << "," << y;

    // Its corner lies outside, and it is another one.
    argb.assign(6, 0xffabcdef);
    overlay.id = 2;
    overlay.position = {-2, -1};
    ASSERT_TRUE(gpu_->blit(primary(), *target, overlay));
    pixels = read(*target);
    EXPECT_EQ(at(0, 0), 0xabcdefU);
    EXPECT_EQ(at(1, 0), below(1, 0));
    EXPECT_EQ(at(0, 1), below(0, 1));
    EXPECT_EQ(at(100, 50), below(100, 50));

    overlay.position = {318, 239};
    ASSERT_TRUE(gpu_->blit(primary(), *target, overlay));
    pixels = read(*target);
    EXPECT_EQ(at(318, 239), 0xabcdefU);
    EXPECT_EQ(at(319, 239), 0xabcdefU);
    EXPECT_EQ(at(0, 0), below(0, 0));

    ASSERT_TRUE(gpu_->blit(primary(), *target, {}));
    EXPECT_TRUE(showsPattern(read(*target), {320, 240}, 0));
}

TEST_F(GpuTest, RefusesPlainMemoryWithoutAskingEgl) {
    const BufferRef memory = doubles::makeMemoryBuffer({64, 64});
    const BufferRef target = gpu_->allocate({64, 64}, DRM_FORMAT_XRGB8888, {});
    std::vector<std::uint32_t> pixels(64 * 64);
    EXPECT_FALSE(gpu_->blit(*memory, *target, {}));
    EXPECT_FALSE(gpu_->blit(*target, *memory, {}));
    EXPECT_FALSE(gpu_->read(*memory, pixels));
}

TEST_F(GpuTest, RefusesADmaBufThatCannotBeImportedAndStaysUsable) {
    // Read-only, as some drivers export them: a renderer that maps can't.
    const BufferRef memory = doubles::makeMemoryBuffer({64, 64});
    const std::string path = "/proc/self/fd/" + std::to_string(memory->fd());
    const BufferRef readOnly = std::make_shared<const Buffer>(BufferKind::dmaBuf, memory->layout(),
                                                              UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
    const BufferRef target = gpu_->allocate({64, 64}, DRM_FORMAT_XRGB8888, {});
    std::vector<std::uint32_t> pixels(64 * 64);
    for (int twice = 0; twice < 2; ++twice) {
        EXPECT_FALSE(gpu_->blit(*readOnly, *target, {}));
        EXPECT_FALSE(gpu_->blit(*target, *readOnly, {}));
        EXPECT_FALSE(gpu_->read(*readOnly, pixels));
    }
    show("320x240");
    EXPECT_TRUE(showsPattern(read(primary()), {320, 240}, 0));
}

TEST_F(GpuTest, RefusesATooSmallArray) {
    show("320x240");
    std::vector<std::uint32_t> pixels(320 * 240 - 1);
    EXPECT_FALSE(gpu_->read(primary(), pixels));
}

TEST_F(GpuTest, ForgettingABufferFreesAllOfIt) {
    const auto descriptors = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
    const auto mappings = [] {
        std::ifstream maps("/proc/self/maps");
        return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
    };
    const auto round = [&] {
        show("640x480,buffers=2");
        const BufferRef target = gpu_->allocate({640, 480}, DRM_FORMAT_XRGB8888, {});
        EXPECT_TRUE(gpu_->blit(primary(), *target, {}));
        EXPECT_TRUE(showsPattern(read(primary()), {640, 480}, 0));
        gpu_->forget(primary());
        gpu_->forget(*target);
        source_.reset();
    };
    for (int i = 0; i < 5; ++i)
        round();
    const auto descriptorsBefore = descriptors();
    const auto mappingsBefore = mappings();
    for (int i = 0; i < 20; ++i)
        round();
    EXPECT_EQ(descriptors(), descriptorsBefore);
    EXPECT_NEAR(static_cast<double>(mappings()), static_cast<double>(mappingsBefore), 10);
}

TEST_F(GpuTest, LeavesTheContextOfOtherCodeCurrent) {
    show("320x240");
    EXPECT_EQ(eglGetCurrentContext(), EGL_NO_CONTEXT);
    static_cast<void>(read(primary()));
    EXPECT_EQ(eglGetCurrentContext(), EGL_NO_CONTEXT);

    const EGLDisplay display = eglGetPlatformDisplayEXT(EGL_PLATFORM_SURFACELESS_MESA, nullptr, nullptr);
    ASSERT_TRUE(eglInitialize(display, nullptr, nullptr));
    for (const EGLenum api : {EGLenum{EGL_OPENGL_API}, EGLenum{EGL_OPENGL_ES_API}}) {
        ASSERT_TRUE(eglBindAPI(api));
        const EGLint attributes[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
        const EGLContext context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT,
                                                    api == EGL_OPENGL_ES_API ? attributes : nullptr);
        ASSERT_NE(context, EGL_NO_CONTEXT);
        ASSERT_TRUE(eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context));
        EXPECT_TRUE(showsPattern(read(primary()), {320, 240}, 0));
        EXPECT_EQ(eglGetCurrentContext(), context);
        EXPECT_EQ(eglQueryAPI(), api);
        {
            // One comes and goes meanwhile.
            const std::unique_ptr<Gpu> another = Gpu::create(log_);
            EXPECT_EQ(eglGetCurrentContext(), context);
        }
        EXPECT_EQ(eglGetCurrentContext(), context);
        EXPECT_TRUE(eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT));
        EXPECT_TRUE(eglDestroyContext(display, context));
    }
}

TEST_F(GpuTest, AllocatesNothingThatItCannot) {
    EXPECT_THROW(static_cast<void>(gpu_->allocate({64, 64}, 0x12345678, {})), Error);
    EXPECT_THROW(static_cast<void>(gpu_->allocate({0, 64}, DRM_FORMAT_XRGB8888, {})), Error);
    const std::uint64_t strange = 0x00ffffffffffff12;
    EXPECT_THROW(static_cast<void>(gpu_->allocate({64, 64}, DRM_FORMAT_XRGB8888, {&strange, 1})), Error);
}

TEST(GpuRefusal, SaysWhyAndWhatWouldHelp) {
    StreamLog log(stderr, LogLevel::debug);
    try {
        static_cast<void>(Gpu::create(log));
        GTEST_SKIP() << "EGL imports dma-bufs here";
    } catch (const Error& error) {
        EXPECT_EQ(error.exitCode(), ExitCode::notSupported);
        EXPECT_FALSE(error.hint().empty()) << error.what();
    }
}

TEST(GpuRefusal, AnUnknownDeviceIsNoObstacle) {
    StreamLog log(stderr, LogLevel::debug);
    struct stat null {};
    ASSERT_EQ(::stat("/dev/null", &null), 0);
    bool works = true;
    try {
        static_cast<void>(Gpu::create(log));
    } catch (const Error&) {
        works = false;
    }
    if (!works)
        GTEST_SKIP() << "no EGL that imports dma-bufs";
    EXPECT_NO_THROW(static_cast<void>(Gpu::create(log, null.st_rdev)));
}

} // namespace
} // namespace vgpuview

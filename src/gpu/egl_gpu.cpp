// SPDX-License-Identifier: MIT
// The GPU by EGL and OpenGL ES 2.
#include "gpu/egl_gpu.h"

#include "base/error.h"
#include "gpu/target_memory.h"

#include <drm_fourcc.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace vgpuview {

namespace {

// Row 0 of memory is row 0 of both the texture and the frame buffer: nothing is turned over. One triangle covers all.
constexpr const char* vertexShader = R"(
attribute vec2 corner;
varying highp vec2 place;
void main() {
    place = corner * 0.5 + 0.5;
    gl_Position = vec4(corner, 0.0, 1.0);
}
)";

// An external sampler takes every dma-buf that can be imported at all; some drivers give others none.
constexpr const char* fragmentShader = R"(
#extension GL_OES_EGL_image_external : require
precision highp float;
uniform samplerExternalOES picture;
varying highp vec2 place;
void main() {
    gl_FragColor = texture2D(picture, place);
}
)";

// Its texels are 0xAARRGGBB, in memory blue first.
constexpr const char* overlayShader = R"(
precision mediump float;
uniform sampler2D picture;
varying highp vec2 place;
void main() {
    gl_FragColor = texture2D(picture, place).bgra;
}
)";

constexpr std::array<GLfloat, 6> corners{-1, -1, 3, -1, -1, 3};
constexpr GLuint cornerAttribute = 0;

[[noreturn]] void notSupported(std::string cause) {
    throw Error(EOPNOTSUPP, {.operation = "use",
                             .object = "OpenGL ES",
                             .cause = std::move(cause),
                             .hint = "",
                             .exit = ExitCode::notSupported});
}

GlShader compile(GLenum type, const char* source) {
    GlShader shader(glCreateShader(type));
    glShaderSource(shader.name(), 1, &source, nullptr);
    glCompileShader(shader.name());
    GLint compiled = GL_FALSE;
    glGetShaderiv(shader.name(), GL_COMPILE_STATUS, &compiled);
    if (compiled == GL_FALSE) {
        std::array<GLchar, 512> text{};
        glGetShaderInfoLog(shader.name(), static_cast<GLsizei>(text.size()), nullptr, text.data());
        notSupported(fmt::format("its compiler says: {}", text.data()));
    }
    return shader;
}

GlProgram link(const char* fragmentSource) {
    const GlShader vertex = compile(GL_VERTEX_SHADER, vertexShader);
    const GlShader fragment = compile(GL_FRAGMENT_SHADER, fragmentSource);
    GlProgram program(glCreateProgram());
    glAttachShader(program.name(), vertex.name());
    glAttachShader(program.name(), fragment.name());
    glBindAttribLocation(program.name(), cornerAttribute, "corner");
    glLinkProgram(program.name());
    GLint linked = GL_FALSE;
    glGetProgramiv(program.name(), GL_LINK_STATUS, &linked);
    if (linked == GL_FALSE)
        notSupported("its linker failed");
    return program;
}

/// Clears what earlier calls left. Bounded: a lost context reports errors without end.
GLenum takeError() {
    GLenum first = GL_NO_ERROR;
    for (int i = 0; i < 16; ++i) {
        const GLenum error = glGetError();
        if (error == GL_NO_ERROR)
            break;
        if (first == GL_NO_ERROR)
            first = error;
    }
    return first;
}

bool canBeMapped(int fd) noexcept {
    const off_t end = ::lseek(fd, 0, SEEK_END);
    if (end <= 0)
        return false;
    const auto length = static_cast<std::size_t>(end);
    void* address = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED)
        return false;
    ::munmap(address, length);
    return true;
}

} // namespace

std::unique_ptr<Gpu> Gpu::create(Log& log, std::optional<dev_t> device) {
    return std::make_unique<EglGpu>(log, EglContext::open(log, device));
}

EglGpu::EglGpu(Log& log, std::unique_ptr<EglContext> context)
    : log_(log)
    , context_(std::move(context))
    , formats_(*context_) {
    const EglContext::Current current(*context_);
    if (!current)
        notSupported("its context can't be made current");
    for (const char* needed : {"GL_OES_EGL_image", "GL_OES_EGL_image_external"})
        if (!epoxy_has_gl_extension(needed))
            notSupported(fmt::format("it lacks {}", needed));
    objects_.program = link(fragmentShader);
    objects_.overlayProgram = link(overlayShader);
    objects_.overlayTexture = makeTexture();
    const auto* name = reinterpret_cast<const char*>(glGetString(GL_RENDERER));
    const std::string_view renderer = name ? name : "";
    if (renderer.find("llvmpipe") != std::string_view::npos || renderer.find("softpipe") != std::string_view::npos)
        renderer_ = RendererKind::software;
    log_.debug("OpenGL ES by {}", renderer);
}

EglGpu::~EglGpu() {
    const EglContext::Current current(*context_);
    objects_ = {};
}

std::vector<std::uint64_t> EglGpu::renderableModifiers(std::uint32_t fourcc) const {
    std::vector<std::uint64_t> modifiers = formats_.renderableModifiers(fourcc);
    if (!context_->gbm())
        std::erase_if(modifiers, [](std::uint64_t modifier) { return modifier != DRM_FORMAT_MOD_LINEAR; });
    return modifiers;
}

BufferRef EglGpu::allocate(Size size, std::uint32_t fourcc, std::span<const std::uint64_t> modifiers) {
    if (context_->gbm())
        return allocateOnGpu(*context_->gbm(), size, fourcc, modifiers);
    if (!modifiers.empty() &&
        std::find(modifiers.begin(), modifiers.end(), std::uint64_t{DRM_FORMAT_MOD_LINEAR}) == modifiers.end())
        throw Error(EOPNOTSUPP, {.operation = "allocate",
                                 .object = "a dma-buf",
                                 .cause = "without a GPU there are only linear ones",
                                 .exit = ExitCode::notSupported});
    return allocateInMemory(size, fourcc);
}

bool EglGpu::blit(const Buffer& from, const Buffer& to, const std::optional<OverlayPicture>& overlay) {
    const EglContext::Current current(*context_);
    if (!current)
        return false;
    const Picture& picture = pictureOf(from);
    const Target& target = targetOf(to);
    if (picture.texture.name() == 0 || target.framebuffer.name() == 0)
        return false;
    if (!draw(picture, from.layout().size, target.framebuffer.name(), to.layout().size))
        return false;
    if (overlay && !overlay->size.empty())
        blend(*overlay);
    // Whoever reads the target next may be another process that knows nothing of this context's fences.
    glFinish();
    return takeError() == GL_NO_ERROR;
}

bool EglGpu::read(const Buffer& from, std::span<std::uint32_t> argb) {
    const Size size = from.layout().size;
    if (argb.size() < std::size_t{size.width} * size.height)
        return false;
    const EglContext::Current current(*context_);
    if (!current)
        return false;
    const Picture& picture = pictureOf(from);
    if (picture.texture.name() == 0 || !prepareRead(size) ||
        !draw(picture, size, objects_.readFramebuffer.name(), size))
        return false;
    glPixelStorei(GL_PACK_ALIGNMENT, 4);
    glReadPixels(0, 0, static_cast<GLsizei>(size.width), static_cast<GLsizei>(size.height), GL_RGBA, GL_UNSIGNED_BYTE,
                 argb.data());
    if (takeError() != GL_NO_ERROR)
        return false;
    // Bytes R, G, B, A: 0xAABBGGRR on the little-endian machines that have such GPUs.
    for (std::uint32_t& pixel : argb.first(std::size_t{size.width} * size.height))
        pixel = (pixel & 0xff00ff00U) | (pixel & 0xffU) << 16 | (pixel >> 16 & 0xffU);
    return true;
}

void EglGpu::forget(const Buffer& buffer) {
    if (!objects_.pictures.contains(buffer.id()) && !objects_.targets.contains(buffer.id()))
        return;
    const EglContext::Current current(*context_);
    objects_.pictures.erase(buffer.id());
    objects_.targets.erase(buffer.id());
}

EglImage EglGpu::import(const Buffer& buffer) const {
    // Mesa's software renderer maps at first use, and where that is refused it reads from address zero.
    if (renderer_ == RendererKind::software && !canBeMapped(buffer.fd())) {
        log_.debug("a dma-buf can't be mapped, which the software renderer would have to: {}", std::strerror(errno));
        return {};
    }
    EglImage image = formats_.import(buffer);
    if (!image)
        log_.debug("EGL refuses a dma-buf, {} ({:#x})", nameOf(buffer.layout().format), eglGetError());
    return image;
}

const EglGpu::Picture& EglGpu::pictureOf(const Buffer& buffer) {
    const auto [place, isNew] = objects_.pictures.try_emplace(buffer.id());
    Picture& picture = place->second;
    if (!isNew || buffer.kind() != BufferKind::dmaBuf)
        return picture;
    picture.image = import(buffer);
    if (!picture.image)
        return picture;
    GlTexture texture = makeTexture();
    static_cast<void>(takeError());
    glBindTexture(GL_TEXTURE_EXTERNAL_OES, texture.name());
    glEGLImageTargetTexture2DOES(GL_TEXTURE_EXTERNAL_OES, picture.image.get());
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    if (const GLenum error = takeError(); error != GL_NO_ERROR)
        log_.debug("OpenGL ES can't sample a dma-buf, {} ({:#x})", nameOf(buffer.layout().format), error);
    else
        picture.texture = std::move(texture);
    return picture;
}

const EglGpu::Target& EglGpu::targetOf(const Buffer& buffer) {
    const auto [place, isNew] = objects_.targets.try_emplace(buffer.id());
    Target& target = place->second;
    if (!isNew || buffer.kind() != BufferKind::dmaBuf)
        return target;
    target.image = import(buffer);
    if (!target.image)
        return target;
    target.renderbuffer = makeRenderbuffer();
    GlFramebuffer framebuffer = makeFramebuffer();
    static_cast<void>(takeError());
    glBindRenderbuffer(GL_RENDERBUFFER, target.renderbuffer.name());
    glEGLImageTargetRenderbufferStorageOES(GL_RENDERBUFFER, target.image.get());
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer.name());
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, target.renderbuffer.name());
    const GLenum status = glCheckFramebufferStatus(GL_FRAMEBUFFER);
    if (takeError() == GL_NO_ERROR && status == GL_FRAMEBUFFER_COMPLETE)
        target.framebuffer = std::move(framebuffer);
    else
        log_.debug("OpenGL ES can't draw into a dma-buf, {} ({:#x})", nameOf(buffer.layout().format), status);
    return target;
}

bool EglGpu::prepareRead(Size size) {
    if (objects_.readSize == size)
        return true;
    GLint largest = 0;
    glGetIntegerv(GL_MAX_TEXTURE_SIZE, &largest);
    if (largest < 0 || size.width > static_cast<std::uint32_t>(largest) ||
        size.height > static_cast<std::uint32_t>(largest))
        return false;
    objects_.readSize = {};
    objects_.readTexture = makeTexture();
    objects_.readFramebuffer = makeFramebuffer();
    static_cast<void>(takeError());
    glBindTexture(GL_TEXTURE_2D, objects_.readTexture.name());
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, static_cast<GLsizei>(size.width), static_cast<GLsizei>(size.height), 0,
                 GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
    glBindFramebuffer(GL_FRAMEBUFFER, objects_.readFramebuffer.name());
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, objects_.readTexture.name(), 0);
    if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE || takeError() != GL_NO_ERROR)
        return false;
    objects_.readSize = size;
    return true;
}

bool EglGpu::draw(const Picture& picture, Size from, GLuint framebuffer, Size to) {
    static_cast<void>(takeError());
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glViewport(0, 0, static_cast<GLsizei>(to.width), static_cast<GLsizei>(to.height));
    glDisable(GL_BLEND);
    glDisable(GL_DITHER);
    glUseProgram(objects_.program.name());
    glActiveTexture(GL_TEXTURE0);
    glBindTexture(GL_TEXTURE_EXTERNAL_OES, picture.texture.name());
    const GLint filter = from == to ? GL_NEAREST : GL_LINEAR;
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_MIN_FILTER, filter);
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_MAG_FILTER, filter);
    glVertexAttribPointer(cornerAttribute, 2, GL_FLOAT, GL_FALSE, 0, corners.data());
    glEnableVertexAttribArray(cornerAttribute);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    return takeError() == GL_NO_ERROR;
}

void EglGpu::blend(const OverlayPicture& overlay) {
    upload(overlay);
    glUseProgram(objects_.overlayProgram.name());
    // What lies beyond the picture is cut off.
    glViewport(overlay.position.x, overlay.position.y, static_cast<GLsizei>(overlay.size.width),
               static_cast<GLsizei>(overlay.size.height));
    glEnable(GL_BLEND);
    glBlendFunc(GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    glDisable(GL_BLEND);
}

void EglGpu::upload(const OverlayPicture& overlay) {
    glBindTexture(GL_TEXTURE_2D, objects_.overlayTexture.name());
    if (objects_.overlayId == overlay.id)
        return;
    for (const GLenum name : {GL_TEXTURE_MIN_FILTER, GL_TEXTURE_MAG_FILTER})
        glTexParameteri(GL_TEXTURE_2D, name, GL_NEAREST);
    for (const GLenum name : {GL_TEXTURE_WRAP_S, GL_TEXTURE_WRAP_T})
        glTexParameteri(GL_TEXTURE_2D, name, GL_CLAMP_TO_EDGE);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, static_cast<GLsizei>(overlay.size.width),
                 static_cast<GLsizei>(overlay.size.height), 0, GL_RGBA, GL_UNSIGNED_BYTE, overlay.argb.data());
    objects_.overlayId = overlay.id;
}

} // namespace vgpuview

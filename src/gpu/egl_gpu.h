// SPDX-License-Identifier: MIT
// The GPU by EGL and OpenGL ES 2.
#pragma once

#include "gpu/dma_buf_formats.h"
#include "gpu/egl_context.h"
#include "gpu/gl_objects.h"
#include "gpu/gpu.h"

#include <memory>
#include <unordered_map>

namespace vgpuview {

class EglGpu final : public Gpu {
public:
    /// Throws Error.
    EglGpu(Log& log, std::unique_ptr<EglContext> context);
    ~EglGpu() override;
    EglGpu(const EglGpu&) = delete;
    EglGpu& operator=(const EglGpu&) = delete;

    [[nodiscard]] bool canImport(const PixelFormat& format) const override { return formats_.canImport(format); }
    [[nodiscard]] std::vector<std::uint64_t> renderableModifiers(std::uint32_t fourcc) const override;
    [[nodiscard]] BufferRef allocate(Size size, std::uint32_t fourcc,
                                     std::span<const std::uint64_t> modifiers) override;
    [[nodiscard]] bool blit(const Buffer& from, const Buffer& to,
                            const std::optional<OverlayPicture>& overlay) override;
    [[nodiscard]] bool read(const Buffer& from, std::span<std::uint32_t> argb) override;
    void forget(const Buffer& buffer) override;

private:
    enum class RendererKind { hardware, software };
    /// A dma-buf to sample; without texture where it was refused, which is not tried again.
    struct Picture {
        EglImage image;
        GlTexture texture;
    };
    /// A dma-buf to draw into; without framebuffer where it was refused.
    struct Target {
        EglImage image;
        GlRenderbuffer renderbuffer;
        GlFramebuffer framebuffer;
    };
    /// Everything that lives in the context.
    struct Objects {
        GlProgram program;
        std::unordered_map<BufferId, Picture> pictures;
        std::unordered_map<BufferId, Target> targets;
        GlTexture readTexture;
        GlFramebuffer readFramebuffer;
        Size readSize;
        GlProgram overlayProgram;
        GlTexture overlayTexture;
        BufferId overlayId = 0; ///< what the texture holds
    };

    [[nodiscard]] EglImage import(const Buffer& buffer) const;
    [[nodiscard]] const Picture& pictureOf(const Buffer& buffer);
    [[nodiscard]] const Target& targetOf(const Buffer& buffer);
    [[nodiscard]] bool prepareRead(Size size);
    [[nodiscard]] bool draw(const Picture& picture, Size from, GLuint framebuffer, Size to);
    /// Over what was drawn last.
    void blend(const OverlayPicture& overlay);
    void upload(const OverlayPicture& overlay);

    Log& log_;
    std::unique_ptr<EglContext> context_;
    DmaBufFormats formats_;
    RendererKind renderer_ = RendererKind::hardware;
    Objects objects_;
};

} // namespace vgpuview

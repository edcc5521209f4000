// SPDX-License-Identifier: MIT
// An EGL display and an OpenGL ES context without any window, on a GPU or in software.
#pragma once

#include "base/log.h"
#include "base/unique_fd.h"

#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

struct gbm_device;

namespace vgpuview {

struct GbmDeviceDeleter {
    void operator()(gbm_device* device) const noexcept;
};
using GbmDevice = std::unique_ptr<gbm_device, GbmDeviceDeleter>;

/// Members are freed in the opposite order; whoever has objects in the context frees them first.
class EglContext {
public:
    /// As Gpu::create(). Throws Error.
    [[nodiscard]] static std::unique_ptr<EglContext> open(Log& log, std::optional<dev_t> device);
    ~EglContext();
    EglContext(const EglContext&) = delete;
    EglContext& operator=(const EglContext&) = delete;

    [[nodiscard]] EGLDisplay display() const noexcept { return display_; }
    [[nodiscard]] bool has(const char* displayExtension) const noexcept;
    /// Null where the renderer is EGL's own choice.
    [[nodiscard]] gbm_device* gbm() const noexcept { return gbm_.get(); }

    /// Makes the context current, and what was before when destroyed.
    class Current {
    public:
        explicit Current(const EglContext& context) noexcept;
        Current(const Current&) = delete;
        Current& operator=(const Current&) = delete;
        ~Current();
        /// False where the context could not be made current: call nothing of GL then.
        [[nodiscard]] explicit operator bool() const noexcept { return current_; }

    private:
        EGLDisplay ownDisplay_;
        EGLenum api_;
        EGLDisplay display_;
        EGLContext context_;
        EGLSurface draw_;
        EGLSurface read_;
        bool current_;
    };

private:
    EglContext() = default;
    [[nodiscard]] static std::unique_ptr<EglContext> openRenderNode(const std::string& path);
    [[nodiscard]] static std::unique_ptr<EglContext> openSurfaceless();
    void begin(const std::string& where);

    UniqueFd node_;
    GbmDevice gbm_;
    EGLDisplay display_ = EGL_NO_DISPLAY;
    EGLContext context_ = EGL_NO_CONTEXT;
    bool ownsDisplay_ = false; ///< nobody else in the process can have the same display
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// An EGL display and an OpenGL ES context without any window, on a GPU or in software.
#include "gpu/egl_context.h"

#include "base/error.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gbm.h>
#include <xf86drm.h>

#include <array>
#include <cerrno>
#include <vector>

namespace vgpuview {

namespace {

struct LibraryCloser {
    void operator()(void* library) const noexcept { ::dlclose(library); }
};

// libepoxy ends the process where it can't load these.
void requireLibrary(const char* name, const char* package) {
    const std::unique_ptr<void, LibraryCloser> library(::dlopen(name, RTLD_LAZY | RTLD_LOCAL));
    if (!library)
        throw Error(ENOENT, {.operation = "load",
                             .object = name,
                             .cause = "",
                             .hint = fmt::format("install it (Debian: {})", package),
                             .exit = ExitCode::notSupported});
}

[[noreturn]] void notSupported(std::string operation, std::string object, std::string cause, std::string hint = {}) {
    throw Error(EOPNOTSUPP, {.operation = std::move(operation),
                             .object = std::move(object),
                             .cause = std::move(cause),
                             .hint = std::move(hint),
                             .exit = ExitCode::notSupported});
}

std::string eglFailure() {
    return fmt::format("EGL error {:#x}", eglGetError());
}

class DrmDevices {
public:
    DrmDevices() {
        const int most = drmGetDevices2(0, nullptr, 0);
        if (most <= 0)
            return;
        devices_.resize(static_cast<std::size_t>(most));
        const int found = drmGetDevices2(0, devices_.data(), most);
        devices_.resize(found < 0 ? 0 : static_cast<std::size_t>(found));
    }
    DrmDevices(const DrmDevices&) = delete;
    DrmDevices& operator=(const DrmDevices&) = delete;
    ~DrmDevices() { drmFreeDevices(devices_.data(), static_cast<int>(devices_.size())); }

    [[nodiscard]] std::vector<std::string> renderNodes() const {
        std::vector<std::string> paths;
        for (const drmDevicePtr device : devices_)
            if ((device->available_nodes & 1 << DRM_NODE_RENDER) != 0)
                paths.emplace_back(device->nodes[DRM_NODE_RENDER]);
        return paths;
    }

private:
    std::vector<drmDevicePtr> devices_;
};

/// Of the device whose card or render node has that number.
std::optional<std::string> renderNodeOf(dev_t number) {
    drmDevicePtr device = nullptr;
    if (drmGetDeviceFromDevId(number, 0, &device) != 0)
        return {};
    std::optional<std::string> path;
    if ((device->available_nodes & 1 << DRM_NODE_RENDER) != 0)
        path = device->nodes[DRM_NODE_RENDER];
    drmFreeDevice(&device);
    return path;
}

} // namespace

void GbmDeviceDeleter::operator()(gbm_device* device) const noexcept {
    gbm_device_destroy(device);
}

std::unique_ptr<EglContext> EglContext::open(Log& log, std::optional<dev_t> device) {
    requireLibrary("libEGL.so.1", "libegl1");
    requireLibrary("libGLESv2.so.2", "libgles2");
    std::vector<std::string> nodes = DrmDevices().renderNodes();
    if (device)
        if (auto node = renderNodeOf(*device))
            nodes = {std::move(*node)};
    for (const std::string& node : nodes) {
        try {
            return openRenderNode(node);
        } catch (const Error& error) {
            log.debug("{}", error.what());
        }
    }
    return openSurfaceless();
}

std::unique_ptr<EglContext> EglContext::openRenderNode(const std::string& path) {
    std::unique_ptr<EglContext> context(new EglContext);
    context->node_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!context->node_)
        throw Error(errno, {.operation = "open", .object = path});
    context->gbm_.reset(gbm_create_device(context->node_.get()));
    if (!context->gbm_)
        throw Error(errno, {.operation = "open", .object = path, .cause = "it has no buffer manager (gbm)"});
    if (!epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_KHR_platform_gbm") &&
        !epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_MESA_platform_gbm"))
        notSupported("use EGL on", path, "it has no gbm platform");
    context->display_ = eglGetPlatformDisplayEXT(EGL_PLATFORM_GBM_KHR, context->gbm_.get(), nullptr);
    context->ownsDisplay_ = true;
    context->begin(path);
    return context;
}

std::unique_ptr<EglContext> EglContext::openSurfaceless() {
    std::unique_ptr<EglContext> context(new EglContext);
    if (!epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_MESA_platform_surfaceless"))
        notSupported("use", "EGL", "it has no surfaceless platform",
                     "a GPU's render node (/dev/dri/renderD*), or Mesa's EGL, is needed");
    // The default display is shared with whoever else asks for it. Only a counted reference may be given back.
    context->ownsDisplay_ = epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_KHR_display_reference");
    constexpr std::array<EGLint, 3> counted{EGL_TRACK_REFERENCES_KHR, EGL_TRUE, EGL_NONE};
    context->display_ = eglGetPlatformDisplayEXT(EGL_PLATFORM_SURFACELESS_MESA, nullptr,
                                                 context->ownsDisplay_ ? counted.data() : nullptr);
    context->begin("no device");
    return context;
}

void EglContext::begin(const std::string& where) {
    if (display_ == EGL_NO_DISPLAY || eglInitialize(display_, nullptr, nullptr) == EGL_FALSE) {
        const std::string cause = eglFailure();
        display_ = EGL_NO_DISPLAY;
        notSupported("start EGL on", where, cause);
    }
    for (const char* needed : {"EGL_KHR_surfaceless_context", "EGL_KHR_no_config_context", "EGL_KHR_image_base"})
        if (!has(needed))
            notSupported("use EGL on", where, fmt::format("it lacks {}", needed));
    if (!has("EGL_EXT_image_dma_buf_import"))
        notSupported("use EGL on", where, "it imports no dma-bufs",
                     "a GPU's render node (/dev/dri/renderD*) is needed, or for Mesa's software renderer "
                     "'modprobe udmabuf'");
    const EGLenum before = eglQueryAPI();
    eglBindAPI(EGL_OPENGL_ES_API);
    constexpr std::array<EGLint, 3> version{EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    context_ = eglCreateContext(display_, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, version.data());
    if (before != EGL_NONE)
        eglBindAPI(before);
    if (context_ == EGL_NO_CONTEXT)
        notSupported("make an OpenGL ES context on", where, eglFailure());
}

EglContext::~EglContext() {
    if (display_ == EGL_NO_DISPLAY)
        return;
    if (context_ != EGL_NO_CONTEXT)
        eglDestroyContext(display_, context_);
    if (ownsDisplay_)
        eglTerminate(display_);
}

bool EglContext::has(const char* displayExtension) const noexcept {
    return epoxy_has_egl_extension(display_, displayExtension);
}

EglContext::Current::Current(const EglContext& context) noexcept
    : ownDisplay_(context.display_)
    , api_(eglQueryAPI())
    , display_(eglGetCurrentDisplay())
    , context_(eglGetCurrentContext())
    , draw_(eglGetCurrentSurface(EGL_DRAW))
    , read_(eglGetCurrentSurface(EGL_READ))
    , current_(false) {
    eglBindAPI(EGL_OPENGL_ES_API);
    // The queries above see the context of the API that was bound; one of ES may be current beside a desktop one.
    if (api_ != EGL_OPENGL_ES_API && context_ == EGL_NO_CONTEXT) {
        display_ = eglGetCurrentDisplay();
        context_ = eglGetCurrentContext();
        draw_ = eglGetCurrentSurface(EGL_DRAW);
        read_ = eglGetCurrentSurface(EGL_READ);
    }
    current_ = eglMakeCurrent(ownDisplay_, EGL_NO_SURFACE, EGL_NO_SURFACE, context.context_) != EGL_FALSE;
}

EglContext::Current::~Current() {
    if (context_ != EGL_NO_CONTEXT && display_ != EGL_NO_DISPLAY)
        eglMakeCurrent(display_, draw_, read_, context_);
    else
        eglMakeCurrent(ownDisplay_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    if (api_ != EGL_NONE)
        eglBindAPI(api_);
}

} // namespace vgpuview

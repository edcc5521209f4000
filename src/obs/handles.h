// SPDX-License-Identifier: MIT
// Owned libobs objects, and its graphics context as a scope.
#pragma once

#include <obs-module.h>

#include <memory>

namespace vgpuview {

/// Textures are destroyed inside the graphics context.
struct ObsDeleter {
    void operator()(gs_texture_t* texture) const noexcept { gs_texture_destroy(texture); }
    void operator()(gs_texrender_t* target) const noexcept { gs_texrender_destroy(target); }
    void operator()(void* memory) const noexcept { bfree(memory); }
};

using TexturePtr = std::unique_ptr<gs_texture_t, ObsDeleter>;
using TextureTargetPtr = std::unique_ptr<gs_texrender_t, ObsDeleter>;

/// Memory that libobs allocated.
template<typename Type>
using ObsMemory = std::unique_ptr<Type, ObsDeleter>;

/// OBS' graphics context is this thread's as long as it lives. It waits for whoever else is in it; may be nested.
class GraphicsScope {
public:
    GraphicsScope() { obs_enter_graphics(); }
    GraphicsScope(const GraphicsScope&) = delete;
    GraphicsScope& operator=(const GraphicsScope&) = delete;
    ~GraphicsScope() { obs_leave_graphics(); }
};

} // namespace vgpuview

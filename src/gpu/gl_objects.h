// SPDX-License-Identifier: MIT
// Names of OpenGL ES objects, owned. Made and destroyed while their context is current.
#pragma once

#include <epoxy/gl.h>

#include <utility>

namespace vgpuview {

template<void (*destroy)(GLuint)>
class GlObject {
public:
    GlObject() = default;
    explicit GlObject(GLuint name) noexcept
        : name_(name) {}
    GlObject(GlObject&& other) noexcept
        : name_(std::exchange(other.name_, 0)) {}
    GlObject& operator=(GlObject&& other) noexcept {
        std::swap(name_, other.name_);
        return *this;
    }
    ~GlObject() {
        if (name_ != 0)
            destroy(name_);
    }
    [[nodiscard]] GLuint name() const noexcept { return name_; }

private:
    GLuint name_ = 0;
};

inline void destroyTexture(GLuint name) {
    glDeleteTextures(1, &name);
}
inline void destroyRenderbuffer(GLuint name) {
    glDeleteRenderbuffers(1, &name);
}
inline void destroyFramebuffer(GLuint name) {
    glDeleteFramebuffers(1, &name);
}
inline void destroyShader(GLuint name) {
    glDeleteShader(name);
}
inline void destroyProgram(GLuint name) {
    glDeleteProgram(name);
}

using GlTexture = GlObject<destroyTexture>;
using GlRenderbuffer = GlObject<destroyRenderbuffer>;
using GlFramebuffer = GlObject<destroyFramebuffer>;
using GlShader = GlObject<destroyShader>;
using GlProgram = GlObject<destroyProgram>;

[[nodiscard]] inline GlTexture makeTexture() {
    GLuint name = 0;
    glGenTextures(1, &name);
    return GlTexture(name);
}
[[nodiscard]] inline GlRenderbuffer makeRenderbuffer() {
    GLuint name = 0;
    glGenRenderbuffers(1, &name);
    return GlRenderbuffer(name);
}
[[nodiscard]] inline GlFramebuffer makeFramebuffer() {
    GLuint name = 0;
    glGenFramebuffers(1, &name);
    return GlFramebuffer(name);
}

} // namespace vgpuview

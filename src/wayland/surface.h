// SPDX-License-Identifier: MIT
// A wl_surface with its viewport, and where it is a subsurface its place; sends only what changed.
#pragma once

#include "frame/damage.h"
#include "wayland/client_buffer.h"
#include "wayland/connection.h"
#include "wayland/layout.h"

#include <optional>

namespace vgpuview {

/// State is queued until commit(). A subsurface is synchronised: its commit shows with the parent's next one.
class Surface final {
public:
    enum class Pointer {
        takes,  ///< the whole surface takes the pointer
        passes, ///< the pointer goes to what lies below
    };

    /// A surface that a shell gives a role.
    explicit Surface(const Globals& globals);
    /// A subsurface on top of the parent and of its older children.
    Surface(const Globals& globals, const Surface& parent, Pointer pointer);
    ~Surface();
    Surface(const Surface&) = delete;
    Surface& operator=(const Surface&) = delete;

    [[nodiscard]] wl_surface* get() const noexcept { return surface_.get(); }
    /// What it shows, or null. The buffer must outlive its use here; see detachIf().
    [[nodiscard]] const ClientBuffer* content() const noexcept { return content_; }

    /// Shows a part of the buffer, in its pixels, at a size in logical pixels. The same buffer is attached again: some
    /// compositors look at its content only then.
    void show(ClientBuffer& buffer, const Rect& source, Size destination);
    /// Moves and scales what it shows.
    void resize(const Rect& source, Size destination);
    void move(Point position);
    void damage(const Damage& damage);
    void hide();
    /// All of it hides what lies below, whatever its alpha says.
    void makeOpaque(const Globals& globals);
    /// Anything queued since the last commit.
    [[nodiscard]] bool dirty() const noexcept { return dirty_; }
    void touch() noexcept { dirty_ = true; }
    void commit();

private:
    Proxy<wl_surface> surface_;
    Proxy<wl_subsurface> subsurface_;
    Proxy<wp_viewport> viewport_;
    ClientBuffer* content_ = nullptr;
    std::optional<Rect> source_; ///< nothing: the whole buffer
    Size destination_;
    Point position_;
    bool dirty_ = false;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The desktop's own pointer: an arrow of the user's cursor theme.
#pragma once

#include "wayland/connection.h"
#include "wayland/layout.h"

#include <wayland-cursor.h>

#include <memory>

namespace vgpuview {

class Arrow final {
public:
    /// globals outlive it. The theme ($XCURSOR_THEME, $XCURSOR_SIZE) is loaded when it is first worn.
    explicit Arrow(const Globals& globals);
    Arrow(const Arrow&) = delete;
    Arrow& operator=(const Arrow&) = delete;

    /// Gives it to the pointer. serial: of the last enter.
    void wear(wl_pointer* pointer, std::uint32_t serial, Scale120 scale);

private:
    struct ThemeDeleter {
        void operator()(wl_cursor_theme* theme) const noexcept { wl_cursor_theme_destroy(theme); }
    };

    void load(Scale120 scale);

    const Globals& globals_;
    std::unique_ptr<wl_cursor_theme, ThemeDeleter> theme_;
    Scale120 loadedFor_ = 0;
    Proxy<wl_surface> surface_;
    Proxy<wp_viewport> viewport_;
    Point hotSpot_; ///< in logical pixels
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A window with decorations of libdecor's, for compositors that draw none (GNOME).
#pragma once

#include "wayland/shell.h"

#include <memory>

struct libdecor;
struct libdecor_configuration;
struct libdecor_frame;
struct libdecor_frame_interface;
struct libdecor_interface;

namespace vgpuview {

/// Source: libdecor.h, from version 0.1.1. libdecor binds xdg-shell by itself and answers its configures.
class LibdecorShell final : public Shell {
public:
    /// As XdgShell. The frame appears once libdecor has talked to the compositor. Throws Error.
    LibdecorShell(EventLoop& loop, wl_display* display, wl_surface* surface, const WindowOptions& options,
                  ShellObserver& observer);
    LibdecorShell(const LibdecorShell&) = delete;
    LibdecorShell& operator=(const LibdecorShell&) = delete;

    [[nodiscard]] const ShellState& state() const noexcept override { return state_; }
    void setTitle(const std::string& title) override;
    void setFullScreen(bool wanted) override;
    bool accept(Size size) override;
    void afterEvents() override;
    [[nodiscard]] xdg_toplevel* toplevel() const noexcept override;

private:
    enum class Committing { byObserver, byLibdecor };
    struct ContextDeleter {
        void operator()(libdecor* context) const noexcept;
    };
    struct FrameDeleter {
        void operator()(libdecor_frame* frame) const noexcept;
    };

    static const libdecor_frame_interface& frameEvents() noexcept;
    static libdecor_interface& contextEvents() noexcept;
    template<typename Handler>
    static void guarded(void* self, const Handler& handler) noexcept;
    void configure(libdecor_configuration* configuration);
    void commitContent(libdecor_configuration* configuration);

    EventLoop& loop_;
    wl_surface* surface_;
    ShellObserver& observer_;
    std::unique_ptr<libdecor, ContextDeleter> context_;
    std::unique_ptr<libdecor_frame, FrameDeleter> frame_;
    ShellState state_;
    Size content_;      ///< as libdecor knows it
    bool news_ = false; ///< to be committed with the surface
    bool startsFullScreen_ = false;
    Committing committing_ = Committing::byLibdecor;
};

} // namespace vgpuview

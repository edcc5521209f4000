// SPDX-License-Identifier: MIT
// The window: puts connection, surfaces, buffers and pacing together.
#pragma once

#include "wayland/blits.h"
#include "wayland/connection.h"
#include "wayland/copies.h"
#include "wayland/desktop_hints.h"
#include "wayland/dmabuf_formats.h"
#include "wayland/guest_cursor.h"
#include "wayland/imports.h"
#include "wayland/late_polling.h"
#include "wayland/layout.h"
#include "wayland/outputs.h"
#include "wayland/overlay.h"
#include "wayland/pacing.h"
#include "wayland/presentation.h"
#include "wayland/resize_follower.h"
#include "wayland/seat.h"
#include "wayland/shell.h"
#include "wayland/surface.h"
#include "wayland/window_sink.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace vgpuview {

/// What WindowSink is made of. Three surfaces: the window's own, which shows the picture where no bar is needed and
/// black where one is; the picture's, used only then; the cursor's.
class WindowSink::Window final : private ShellObserver,
                                 private ImportObserver,
                                 private InputObserver,
                                 private SeatObserver {
public:
    Window(EventLoop& loop, Log& log, GpuFactory makeGpu, WindowOptions options, WindowSink& sink);
    ~Window() override;
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    void attach(FrameDemand& demand);
    void show(const FrameUpdate& update);
    void forget(const Buffer& buffer);
    void sourceGone();
    [[nodiscard]] Nanoseconds pollInterval() const noexcept;
    [[nodiscard]] SinkReport report() const;

    void eventFailed(std::exception_ptr failure) noexcept override { loop_.fail(std::move(failure)); }

private:
    /// How the primary plane's pixels reach the compositor.
    enum class Route { none, dmaBuf, sharedMemory, blit, copy };

    void shellConfigured() override;
    void shellClosed() override;
    void importSettled() override;
    void bufferReleased() override;
    void preferredScale(std::uint32_t scale);
    void callbackDone(std::uint32_t time);
    void outputsChanged();
    void afterEvents();
    void inputChanged() override;
    void hotKeyPressed(HotKeyAction action) override;
    void grabChanged() override;
    [[nodiscard]] HostPointer hostPointer() const noexcept;
    void pointerEntered(wl_pointer* pointer, std::uint32_t serial) override;
    void pointerLeft() override;
    void pointerMoved(Point guestPixel) override;

    [[nodiscard]] ClientBuffer makeBlack();
    [[nodiscard]] Scale120 scale() const noexcept;
    [[nodiscard]] Size windowSize() noexcept;
    void present();
    /// What to show for a plane: a buffer, or null while there is none yet.
    [[nodiscard]] ClientBuffer* resolvePrimary();
    [[nodiscard]] ClientBuffer* copyOf(const Plane& plane, const std::string& why);
    void placePrimary(ClientBuffer* picture, Size window);
    void placeCursor();
    void refreshCursor();
    /// The surface that shows the picture; none covers all of it.
    [[nodiscard]] Surface& stage() noexcept { return picture_ && !layout_.fillsWindow ? video_ : main_; }
    void requestCallback();
    void commitAll();
    [[nodiscard]] OverlayFacts overlayFacts() const;
    void takeRoute(Route route, const std::string& why);
    void noteTitle(const SourceDescription& source);
    [[nodiscard]] std::string titleNow() const;
    static const char* nameOf(Route route) noexcept;

    EventLoop& loop_;
    Log& log_;
    WindowOptions options_;
    WindowSink& sink_;
    FrameDemand* demand_ = nullptr;
    bool built_ = false;

    Connection connection_;
    Outputs outputs_;
    DmabufFormats formats_;
    Imports imports_;
    Blits blits_;
    Copies primaryCopies_;
    Presentation presentation_;
    ClientBuffer black_;
    Surface main_;
    Surface video_;
    GuestCursor cursor_;
    DesktopHints hints_;
    Overlay overlay_;
    std::optional<Scale120> fractional_;
    Proxy<wp_fractional_scale_v1> fractionalScale_;
    std::unique_ptr<Shell> shell_;
    Pacing pacing_;
    LatePolling latePolling_;
    ResizeFollower resize_;
    Seat seat_;
    Proxy<wl_callback> callback_;
    const Surface* callbackSurface_ = nullptr;

    Frame frame_;
    bool shown_ = false; ///< the engine has said what the guest shows
    bool primaryDirty_ = false;
    bool cursorDirty_ = false;
    bool configureNews_ = false;
    bool retry_ = false; ///< a buffer came free or an import settled
    Damage damage_;
    ClientBuffer* picture_ = nullptr; ///< what the picture's surface shows
    Layout layout_;
    Size ownSize_;                   ///< the window's choice, while it has one
    bool cursorSignDropped_ = false; ///< a quirk of the source
    Size titleMode_;
    std::string titleName_; ///< of the VM or the source
    bool titled_ = false;
    Route route_ = Route::none;
    std::string routeReason_; ///< why no better one
    Nanoseconds pollDuration_{};
    std::uint64_t commits_ = 0;
    std::uint64_t bytesCopied_ = 0;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The guest's cursor: worn by the host's pointer where that can stand for it, else a surface over the picture.
#pragma once

#include "frame/cursor_sign.h"
#include "frame/frame.h"
#include "wayland/arrow.h"
#include "wayland/blits.h"
#include "wayland/copies.h"
#include "wayland/imports.h"
#include "wayland/layout.h"
#include "wayland/surface.h"
#include "wayland/window_sink.h"

#include <cstdint>
#include <optional>

namespace vgpuview {

/// What the host's pointer is to the guest.
enum class HostPointer {
    stranger, ///< nothing
    leader,   ///< the guest's pointer goes where it goes
    captured, ///< it stays in its place, its steps go to the guest
};

class GuestCursor final {
public:
    /// What there is to show. A position without its sign is mended where signDropped.
    struct View {
        const std::optional<Plane>& plane;
        const Layout* layout = nullptr; ///< null: no picture
        Scale120 scale = wholeScale;
        bool signDropped = false;
    };

    /// All outlive it. Released buffers are told to the observer.
    GuestCursor(const Globals& globals, const Surface& window, Imports& imports, Blits& blits,
                ReleaseObserver& observer, CursorChoice choice);
    GuestCursor(const GuestCursor&) = delete;
    GuestCursor& operator=(const GuestCursor&) = delete;

    /// Decides who shows the cursor and queues it in surface(), which the window commits. False: the image is not there
    /// yet, to be called again.
    bool show(const View& view);
    [[nodiscard]] Surface& surface() noexcept { return surface_; }

    /// To be followed by show(), all of them.
    void hostPointerIs(HostPointer what) noexcept { hostPointer_ = what; }
    void pointerEntered(wl_pointer* pointer, std::uint32_t serial);
    void pointerLeft() noexcept;
    void pointerMoved(Point guestPixel) noexcept { pointerAt_ = guestPixel; }

    /// The buffer will not come back.
    void forget(const Buffer& buffer);
    /// Shows nothing and holds nothing any more; surface() is to be committed.
    void sourceGone();
    /// After each commit.
    void collect() { copies_.collect(); }

    [[nodiscard]] std::uint64_t bytesCopied() const noexcept { return bytesCopied_; }

private:
    enum class Look { unset, hidden, guest, arrow };
    /// What became of an image.
    enum class Image { none, pending, ready };

    [[nodiscard]] Look wantedLook(const View& view) const noexcept;
    [[nodiscard]] Image resolve(const Plane& plane);
    void wear(const Plane& plane, const Layout& layout);
    void takeOff();
    void setLook(Look look, Scale120 scale);
    void place(const Plane& plane, const Layout& layout, Point position);

    const Globals& globals_;
    Imports& imports_;
    Blits& blits_;
    CursorChoice choice_;
    Copies copies_;
    Surface surface_;
    std::optional<Surface> worn_; ///< from the first time it is worn
    Arrow arrow_;
    CursorSign sign_;
    std::uint64_t bytesCopied_ = 0;

    HostPointer hostPointer_ = HostPointer::stranger;
    wl_pointer* pointer_ = nullptr; ///< while it is over the window
    std::uint32_t serial_ = 0;
    std::optional<Point> pointerAt_;
    Look look_ = Look::unset;
    Point wornHotSpot_; ///< in logical pixels

    ClientBuffer* image_ = nullptr;
    BufferId imageId_ = 0; ///< whose image that is
};

} // namespace vgpuview

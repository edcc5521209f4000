// SPDX-License-Identifier: MIT
// The guest's cursor: worn by the host's pointer where that can stand for it, else a surface over the picture.
#include "wayland/guest_cursor.h"

#include <algorithm>
#include <cmath>

namespace vgpuview {

namespace {

// By the factor itself, not by a whole number of times.
std::uint32_t scaled(std::uint32_t length, std::uint32_t from, std::uint32_t to) noexcept {
    return static_cast<std::uint32_t>(std::max(1L, std::lround(static_cast<double>(length) * to / from)));
}

std::int32_t scaledOffset(std::int32_t offset, std::uint32_t from, std::uint32_t to) noexcept {
    return static_cast<std::int32_t>(std::lround(static_cast<double>(offset) * to / from));
}

} // namespace

GuestCursor::GuestCursor(const Globals& globals, const Surface& window, Imports& imports, Blits& blits,
                         ReleaseObserver& observer, CursorChoice choice)
    : globals_(globals)
    , imports_(imports)
    , blits_(blits)
    , choice_(choice)
    , copies_(globals, observer, WL_SHM_FORMAT_ARGB8888)
    , surface_(globals, window, Surface::Pointer::passes)
    , arrow_(globals) {}

void GuestCursor::pointerEntered(wl_pointer* pointer, std::uint32_t serial) {
    pointer_ = pointer;
    serial_ = serial;
    look_ = Look::unset; // each time anew, says the protocol
}

void GuestCursor::pointerLeft() noexcept {
    pointer_ = nullptr;
    pointerAt_.reset();
}

void GuestCursor::forget(const Buffer& buffer) {
    if (buffer.id() != imageId_)
        return;
    imageId_ = 0;
    // Nobody sees it there, and nothing would ever replace it.
    if (worn_ && (pointer_ == nullptr || look_ != Look::guest))
        takeOff();
}

void GuestCursor::takeOff() {
    worn_->hide();
    if (worn_->dirty())
        worn_->commit();
}

void GuestCursor::sourceGone() {
    surface_.hide();
    if (worn_)
        takeOff();
    imageId_ = 0;
    image_ = nullptr;
    copies_.clear();
    // The next show() says what the pointer looks like without a guest.
}

bool GuestCursor::show(const View& view) {
    const bool wanted = view.plane && view.layout != nullptr && choice_ != CursorChoice::none;
    const Image image = wanted ? resolve(*view.plane) : Image::none;
    if (image == Image::pending)
        return false;
    Look look = wantedLook(view);
    if (look == Look::guest && image == Image::none)
        look = Look::arrow; // rather than no pointer at all
    const bool worn = pointer_ != nullptr && look == Look::guest;
    if (worn)
        wear(*view.plane, *view.layout);
    else if (pointer_ != nullptr)
        setLook(look, view.scale);

    if (image == Image::ready && !worn) {
        const std::optional<Point> leader = hostPointer_ == HostPointer::leader ? pointerAt_ : std::nullopt;
        place(*view.plane, *view.layout, view.signDropped ? sign_.mend(*view.plane, leader) : view.plane->position);
    } else {
        surface_.hide();
    }
    // What no surface shows may be freed by its owner.
    if (surface_.content() == nullptr && (!worn_ || worn_->content() != image_))
        imageId_ = 0;
    return true;
}

GuestCursor::Look GuestCursor::wantedLook(const View& view) const noexcept {
    if (choice_ == CursorChoice::none)
        return Look::hidden;
    switch (hostPointer_) {
    case HostPointer::stranger:
        return Look::arrow;
    case HostPointer::captured:
        return Look::hidden;
    case HostPointer::leader:
        break;
    }
    switch (choice_) {
    case CursorChoice::automatic:
        // Without a plane the guest draws its cursor itself, or wants none.
        return view.plane && view.plane->hotSpot && view.layout != nullptr ? Look::guest : Look::hidden;
    case CursorChoice::host:
        return view.plane && view.layout != nullptr ? Look::guest : Look::arrow;
    case CursorChoice::guest:
    case CursorChoice::none:
        break;
    }
    return Look::hidden;
}

GuestCursor::Image GuestCursor::resolve(const Plane& plane) {
    const BufferRef& buffer = plane.buffer;
    if (buffer->id() == imageId_)
        return Image::ready;
    Import& import = imports_.of(buffer, PlaneType::cursor);
    switch (import.state()) {
    case ImportState::pending:
        return Image::pending;
    case ImportState::ready:
        image_ = &import.buffer();
        break;
    case ImportState::refused: {
        ClientBuffer* copy = copies_.next(buffer->layout().size);
        if (copy == nullptr)
            return Image::pending; // until one is released
        if (!copyPicture(*buffer, copies_.pixels()) && !blits_.read(*buffer, copies_.pixels()))
            return Image::none;
        bytesCopied_ += copies_.pixels().size_bytes();
        image_ = copy;
        break;
    }
    }
    imageId_ = buffer->id();
    return Image::ready;
}

void GuestCursor::wear(const Plane& plane, const Layout& layout) {
    const Size from = layout.picture.source.size;
    const Size to = layout.picture.destination.size;
    const Size size = image_->size();
    const Rect whole{{0, 0}, size};
    const Size shown{scaled(size.width, from.width, to.width), scaled(size.height, from.height, to.height)};
    const Point hotSpot = plane.hotSpot.value_or(Point{});
    const Point wornHotSpot{scaledOffset(hotSpot.x, from.width, to.width),
                            scaledOffset(hotSpot.y, from.height, to.height)};
    if (!worn_)
        worn_.emplace(globals_);
    if (worn_->content() != image_) {
        worn_->show(*image_, whole, shown);
        worn_->damage(Damage::all(size));
    } else {
        worn_->resize(whole, shown);
    }
    if (worn_->dirty())
        worn_->commit();
    if (look_ == Look::guest && wornHotSpot == wornHotSpot_)
        return;
    look_ = Look::guest;
    wornHotSpot_ = wornHotSpot;
    wl_pointer_set_cursor(pointer_, serial_, worn_->get(), wornHotSpot.x, wornHotSpot.y);
}

void GuestCursor::setLook(Look look, Scale120 scale) {
    if (look == look_)
        return;
    look_ = look;
    if (look == Look::hidden)
        wl_pointer_set_cursor(pointer_, serial_, nullptr, 0, 0);
    else
        arrow_.wear(pointer_, serial_, scale);
}

void GuestCursor::place(const Plane& plane, const Layout& layout, Point position) {
    const std::optional<Placement> placement = placeCursor(layout, position, plane.buffer->layout().size);
    if (!placement) {
        surface_.hide();
        return;
    }
    if (surface_.content() != image_) {
        surface_.show(*image_, placement->source, placement->destination.size);
        surface_.damage(Damage::all(image_->size()));
    } else {
        surface_.resize(placement->source, placement->destination.size);
    }
    surface_.move(placement->destination.origin);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// A wl_surface with its viewport, and where it is a subsurface its place; sends only what changed.
#include "wayland/surface.h"

#include <limits>
#include <utility>

namespace vgpuview {

Surface::Surface(const Globals& globals)
    : surface_(wl_compositor_create_surface(globals.compositor.get()))
    , viewport_(wp_viewporter_get_viewport(globals.viewporter.get(), surface_.get())) {}

Surface::Surface(const Globals& globals, const Surface& parent, Pointer pointer)
    : surface_(wl_compositor_create_surface(globals.compositor.get()))
    , subsurface_(wl_subcompositor_get_subsurface(globals.subcompositor.get(), surface_.get(), parent.get()))
    , viewport_(wp_viewporter_get_viewport(globals.viewporter.get(), surface_.get())) {
    if (pointer == Pointer::passes) {
        const Proxy<wl_region> nothing(wl_compositor_create_region(globals.compositor.get()));
        wl_surface_set_input_region(surface_.get(), nothing.get());
    }
}

Surface::~Surface() {
    if (content_)
        content_->replaced();
}

void Surface::show(ClientBuffer& buffer, const Rect& source, Size destination) {
    if (ClientBuffer* old = std::exchange(content_, &buffer))
        old->replaced();
    buffer.attached();
    wl_surface_attach(surface_.get(), buffer.get(), 0, 0);
    dirty_ = true;
    resize(source, destination);
}

void Surface::resize(const Rect& source, Size destination) {
    std::optional<Rect> wanted;
    if (content_ && source != Rect{{0, 0}, content_->size()})
        wanted = source;
    // A source is named only where a part is shown: one left over from a larger buffer is a protocol error.
    if (wanted != source_) {
        source_ = wanted;
        if (wanted)
            wp_viewport_set_source(viewport_.get(), wl_fixed_from_int(wanted->origin.x),
                                   wl_fixed_from_int(wanted->origin.y),
                                   wl_fixed_from_int(static_cast<int>(wanted->size.width)),
                                   wl_fixed_from_int(static_cast<int>(wanted->size.height)));
        else
            wp_viewport_set_source(viewport_.get(), wl_fixed_from_int(-1), wl_fixed_from_int(-1), wl_fixed_from_int(-1),
                                   wl_fixed_from_int(-1));
        dirty_ = true;
    }
    if (destination != destination_) {
        destination_ = destination;
        wp_viewport_set_destination(viewport_.get(), static_cast<std::int32_t>(destination.width),
                                    static_cast<std::int32_t>(destination.height));
        dirty_ = true;
    }
}

void Surface::move(Point position) {
    if (position == position_)
        return;
    position_ = position;
    wl_subsurface_set_position(subsurface_.get(), position.x, position.y);
    dirty_ = true;
}

void Surface::damage(const Damage& damage) {
    for (const Rect& rect : damage.rects())
        wl_surface_damage_buffer(surface_.get(), rect.origin.x, rect.origin.y,
                                 static_cast<std::int32_t>(rect.size.width),
                                 static_cast<std::int32_t>(rect.size.height));
    dirty_ = dirty_ || !damage.empty();
}

void Surface::hide() {
    if (!content_)
        return;
    std::exchange(content_, nullptr)->replaced();
    wl_surface_attach(surface_.get(), nullptr, 0, 0);
    dirty_ = true;
}

void Surface::makeOpaque(const Globals& globals) {
    constexpr std::int32_t everything = std::numeric_limits<std::int32_t>::max();
    const Proxy<wl_region> region(wl_compositor_create_region(globals.compositor.get()));
    wl_region_add(region.get(), 0, 0, everything, everything);
    wl_surface_set_opaque_region(surface_.get(), region.get());
}

void Surface::commit() {
    wl_surface_commit(surface_.get());
    dirty_ = false;
}

} // namespace vgpuview

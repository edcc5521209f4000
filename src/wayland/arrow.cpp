// SPDX-License-Identifier: MIT
// The desktop's own pointer: an arrow of the user's cursor theme.
#include "wayland/arrow.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace vgpuview {

namespace {

constexpr int usualSize = 24;
constexpr int largestSize = 512;

int wantedSize() noexcept {
    int size = usualSize;
    if (const char* text = std::getenv("XCURSOR_SIZE"))
        std::from_chars(text, text + std::strlen(text), size);
    return size >= 1 && size <= largestSize ? size : usualSize;
}

std::int32_t toLogical(std::uint32_t device, Scale120 scale) noexcept {
    return static_cast<std::int32_t>((std::uint64_t{device} * wholeScale + scale / 2) / scale);
}

} // namespace

Arrow::Arrow(const Globals& globals)
    : globals_(globals) {}

void Arrow::load(Scale120 scale) {
    const auto pixels = static_cast<int>(static_cast<std::uint32_t>(wantedSize()) * scale / wholeScale);
    theme_.reset(wl_cursor_theme_load(std::getenv("XCURSOR_THEME"), std::max(pixels, 1), globals_.shm.get()));
    loadedFor_ = scale;
    wl_cursor* cursor = nullptr;
    for (const char* name : {"left_ptr", "default"})
        if (theme_ && cursor == nullptr)
            cursor = wl_cursor_theme_get_cursor(theme_.get(), name);
    surface_.reset();
    if (cursor == nullptr || cursor->image_count == 0)
        return;
    wl_cursor_image* image = cursor->images[0];
    surface_.reset(wl_compositor_create_surface(globals_.compositor.get()));
    viewport_.reset(wp_viewporter_get_viewport(globals_.viewporter.get(), surface_.get()));
    wl_surface_attach(surface_.get(), wl_cursor_image_get_buffer(image), 0, 0);
    wp_viewport_set_destination(viewport_.get(), std::max(toLogical(image->width, scale), 1),
                                std::max(toLogical(image->height, scale), 1));
    wl_surface_commit(surface_.get());
    hotSpot_ = {toLogical(image->hotspot_x, scale), toLogical(image->hotspot_y, scale)};
}

void Arrow::wear(wl_pointer* pointer, std::uint32_t serial, Scale120 scale) {
    if (scale != loadedFor_)
        load(scale);
    // Without any theme the pointer stays as the compositor has it.
    if (surface_)
        wl_pointer_set_cursor(pointer, serial, surface_.get(), hotSpot_.x, hotSpot_.y);
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Lines of text as pixels, by cairo.
#include "text/text_picture.h"

#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace vgpuview {

namespace {

constexpr double lineHeight = 1.5;
constexpr double baseline = 1.1;
constexpr double translucency = 0.7;

struct CairoDeleter {
    void operator()(cairo_t* context) const noexcept { cairo_destroy(context); }
    void operator()(cairo_surface_t* surface) const noexcept { cairo_surface_destroy(surface); }
};
using Context = std::unique_ptr<cairo_t, CairoDeleter>;
using Surface = std::unique_ptr<cairo_surface_t, CairoDeleter>;

Context contextFor(cairo_surface_t* surface, const TextStyle& style) {
    Context context(cairo_create(surface));
    cairo_select_font_face(context.get(), style.family, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context.get(), style.fontPixels);
    return context;
}

} // namespace

Size textPictureSize(std::span<const std::string> lines, const TextStyle& style) {
    const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 1, 1));
    const Context context = contextFor(surface.get(), style);
    double width = 1;
    for (const std::string& line : lines) {
        cairo_text_extents_t extents{};
        cairo_text_extents(context.get(), line.c_str(), &extents);
        width = std::max(width, extents.x_advance);
    }
    const double height = lineHeight * style.fontPixels * static_cast<double>(std::max<std::size_t>(lines.size(), 1));
    return {static_cast<std::uint32_t>(std::ceil(std::min(width, style.maxWidthPixels) + 2 * style.marginPixels)),
            static_cast<std::uint32_t>(std::ceil(height + 2 * style.marginPixels))};
}

void drawText(std::span<const std::string> lines, const TextStyle& style, Size size, std::uint32_t strideBytes,
              std::span<std::byte> pixels) {
    if (size.empty() || strideBytes / 4 < size.width || pixels.size() / strideBytes < size.height)
        return;
    const Surface surface(cairo_image_surface_create_for_data(
        reinterpret_cast<unsigned char*>(pixels.data()), CAIRO_FORMAT_ARGB32, static_cast<int>(size.width),
        static_cast<int>(size.height), static_cast<int>(strideBytes)));
    const Context context = contextFor(surface.get(), style);
    cairo_set_operator(context.get(), CAIRO_OPERATOR_SOURCE);
    cairo_set_source_rgba(context.get(), 0, 0, 0,
                          style.background == TextStyle::Background::translucent ? translucency : 1);
    cairo_paint(context.get());
    cairo_set_operator(context.get(), CAIRO_OPERATOR_OVER);
    cairo_set_source_rgb(context.get(), 1, 1, 1);
    double top = style.marginPixels;
    for (const std::string& line : lines) {
        cairo_move_to(context.get(), style.marginPixels, top + baseline * style.fontPixels);
        cairo_show_text(context.get(), line.c_str());
        top += lineHeight * style.fontPixels;
    }
    cairo_surface_finish(surface.get());
}

} // namespace vgpuview

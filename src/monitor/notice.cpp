// SPDX-License-Identifier: MIT
// A line of text as a picture, for when the guest shows none.
#include "monitor/notice.h"

#include "frame/mapped_buffer.h"

#include <cairo.h>
#include <drm_fourcc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <memory>
#include <string>

namespace vgpuview {

namespace {

constexpr double fontPixels = 20;
constexpr double marginPixels = 8;
constexpr double maxWidthPixels = 1200;

struct CairoDeleter {
    void operator()(cairo_t* context) const noexcept { cairo_destroy(context); }
    void operator()(cairo_surface_t* surface) const noexcept { cairo_surface_destroy(surface); }
};
using Context = std::unique_ptr<cairo_t, CairoDeleter>;
using Surface = std::unique_ptr<cairo_surface_t, CairoDeleter>;

Context contextFor(cairo_surface_t* surface) {
    Context context(cairo_create(surface));
    cairo_select_font_face(context.get(), "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context.get(), fontPixels);
    return context;
}

Size sizeOf(const std::string& text) {
    const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1));
    const Context context = contextFor(surface.get());
    cairo_text_extents_t extents{};
    cairo_text_extents(context.get(), text.c_str(), &extents);
    const double width = std::min(std::max(extents.x_advance, 1.0), maxWidthPixels);
    return {static_cast<std::uint32_t>(std::ceil(width + 2 * marginPixels)),
            static_cast<std::uint32_t>(std::ceil(1.5 * fontPixels + 2 * marginPixels))};
}

} // namespace

BufferRef makeNotice(std::string_view text) {
    const std::string line(text);
    const Size size = sizeOf(line);
    const auto stride =
        static_cast<std::uint32_t>(cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, static_cast<int>(size.width)));
    const std::uint64_t bytes = std::uint64_t{stride} * size.height;
    UniqueFd fd(::memfd_create("vgpu-view notice", MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
        return nullptr;
    auto buffer = std::make_shared<const Buffer>(
        BufferKind::memory,
        BufferLayout{
            .size = size, .stride = stride, .byteSize = bytes, .format = {DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR}},
        std::move(fd));
    const auto mapped = MappedBuffer::map(*buffer, MapAccess::readWrite);
    if (!mapped)
        return nullptr;
    const Surface surface(cairo_image_surface_create_for_data(reinterpret_cast<unsigned char*>(mapped->bytes().data()),
                                                              CAIRO_FORMAT_RGB24, static_cast<int>(size.width),
                                                              static_cast<int>(size.height), static_cast<int>(stride)));
    const Context context = contextFor(surface.get());
    cairo_set_source_rgb(context.get(), 1, 1, 1);
    cairo_move_to(context.get(), marginPixels, marginPixels + 1.1 * fontPixels);
    cairo_show_text(context.get(), line.c_str());
    cairo_surface_finish(surface.get());
    return buffer;
}

} // namespace vgpuview

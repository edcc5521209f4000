// SPDX-License-Identifier: MIT
// A line of text as a picture, for when the guest shows none.
#include "monitor/notice.h"

#include "frame/mapped_buffer.h"
#include "text/text_picture.h"

#include <drm_fourcc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

namespace vgpuview {

BufferRef makeNotice(std::string_view text) {
    const std::array<std::string, 1> lines{std::string(text)};
    const TextStyle style;
    const Size size = textPictureSize(lines, style);
    const std::uint32_t stride = size.width * 4;
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
    drawText(lines, style, size, stride, mapped->bytes());
    return buffer;
}

} // namespace vgpuview

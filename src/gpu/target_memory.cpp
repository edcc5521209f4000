// SPDX-License-Identifier: MIT
// Dma-bufs to draw into.
#include "gpu/target_memory.h"

#include "base/error.h"
#include "frame/picture_memory.h"

#include <drm_fourcc.h>
#include <fmt/format.h>
#include <gbm.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace vgpuview {

namespace {

// Every GPU imports linear pictures whose rows are aligned to this.
constexpr std::uint32_t strideAlignment = 256;

struct BoDeleter {
    void operator()(gbm_bo* bo) const noexcept { gbm_bo_destroy(bo); }
};

std::string describe(Size size, std::uint32_t fourcc) {
    return fmt::format("a dma-buf of {}x{} {}", size.width, size.height, fourccName(fourcc));
}

} // namespace

BufferRef allocateOnGpu(gbm_device& device, Size size, std::uint32_t fourcc, std::span<const std::uint64_t> modifiers) {
    // Compressed layouts have further planes, which a Buffer can't describe.
    std::vector<std::uint64_t> usable;
    for (const std::uint64_t modifier : modifiers)
        if (gbm_device_get_format_modifier_plane_count(&device, fourcc, modifier) == 1)
            usable.push_back(modifier);
    std::unique_ptr<gbm_bo, BoDeleter> bo;
    if (!usable.empty())
        bo.reset(gbm_bo_create_with_modifiers2(&device, size.width, size.height, fourcc, usable.data(),
                                               static_cast<unsigned>(usable.size()), GBM_BO_USE_RENDERING));
    const bool linearWillDo = modifiers.empty() || std::find(modifiers.begin(), modifiers.end(),
                                                             std::uint64_t{DRM_FORMAT_MOD_LINEAR}) != modifiers.end();
    if (!bo && linearWillDo)
        bo.reset(gbm_bo_create(&device, size.width, size.height, fourcc, GBM_BO_USE_RENDERING | GBM_BO_USE_LINEAR));
    if (!bo)
        throw Error(errno != 0 ? errno : EINVAL, {.operation = "allocate", .object = describe(size, fourcc)});
    // A driver without modifiers calls what was asked to be linear "invalid".
    const std::uint64_t modifier = gbm_bo_get_modifier(bo.get());
    UniqueFd fd(gbm_bo_get_fd(bo.get()));
    if (!fd || gbm_bo_get_plane_count(bo.get()) != 1)
        throw Error(errno != 0 ? errno : EINVAL, {.operation = "export", .object = describe(size, fourcc)});
    const std::uint32_t stride = gbm_bo_get_stride(bo.get());
    const std::uint32_t offset = gbm_bo_get_offset(bo.get(), 0);
    const off_t end = ::lseek(fd.get(), 0, SEEK_END);
    const std::uint64_t rows = std::uint64_t{stride} * size.height;
    return std::make_shared<const Buffer>(
        BufferKind::dmaBuf,
        BufferLayout{
            .size = size,
            .stride = stride,
            .offset = offset,
            .byteSize = end > static_cast<off_t>(offset) ? static_cast<std::uint64_t>(end) - offset : rows,
            .format = {fourcc, modifier == DRM_FORMAT_MOD_INVALID ? std::uint64_t{DRM_FORMAT_MOD_LINEAR} : modifier}},
        std::move(fd));
}

BufferRef allocateInMemory(Size size, std::uint32_t fourcc) {
    const std::optional<FormatFacts> facts = factsOf(fourcc);
    if (!facts || size.empty())
        throw Error(EINVAL, {.operation = "allocate", .object = describe(size, fourcc)});
    const std::uint32_t row = size.width * facts->bytesPerPixel;
    const std::uint32_t stride = (row + strideAlignment - 1) / strideAlignment * strideAlignment;
    const std::uint64_t bytes = std::uint64_t{stride} * size.height;
    return std::make_shared<const Buffer>(
        BufferKind::dmaBuf,
        BufferLayout{
            .size = size, .stride = stride, .offset = 0, .byteSize = bytes, .format = {fourcc, DRM_FORMAT_MOD_LINEAR}},
        allocateUdmabuf(bytes));
}

} // namespace vgpuview

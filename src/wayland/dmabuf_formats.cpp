// SPDX-License-Identifier: MIT
// Which dma-bufs the compositor says it can import.
#include "wayland/dmabuf_formats.h"

#include "base/unique_fd.h"

#include <drm_fourcc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace vgpuview {

namespace {

// As the protocol lays it out: 4 bytes format, 4 unused, 8 modifier.
struct TableEntry {
    std::uint32_t fourcc;
    std::uint32_t unused;
    std::uint64_t modifier;
};
static_assert(sizeof(TableEntry) == 16);

// Tranches refer to entries by 16-bit numbers.
constexpr std::size_t longestTable = 65536;

} // namespace

std::vector<PixelFormat> readFormatTable(int fd, std::uint32_t size) {
    struct stat status {};
    // Read rather than mapped: a table that shrinks under a mapping would end the program.
    if (size < sizeof(TableEntry) || ::fstat(fd, &status) != 0 || status.st_size < static_cast<off_t>(size))
        return {};
    std::vector<TableEntry> entries(std::min<std::size_t>(size / sizeof(TableEntry), longestTable));
    const ssize_t bytes = ::pread(fd, entries.data(), entries.size() * sizeof(TableEntry), 0);
    if (bytes < 0)
        return {};
    entries.resize(static_cast<std::size_t>(bytes) / sizeof(TableEntry));
    std::vector<PixelFormat> formats;
    formats.reserve(entries.size());
    for (const TableEntry& entry : entries)
        formats.push_back({entry.fourcc, entry.modifier});
    return formats;
}

DmabufFormats::DmabufFormats(EventLoop& loop, zwp_linux_dmabuf_v1* dmabuf)
    : loop_(loop) {
    if (!dmabuf)
        return;
    static constexpr zwp_linux_dmabuf_v1_listener listener{
        .format = ignoreEvent,
        .modifier = EventHandler<&DmabufFormats::modifier>::call,
    };
    zwp_linux_dmabuf_v1_add_listener(dmabuf, &listener, this);
    if (zwp_linux_dmabuf_v1_get_version(dmabuf) < ZWP_LINUX_DMABUF_V1_GET_DEFAULT_FEEDBACK_SINCE_VERSION)
        return;
    static constexpr zwp_linux_dmabuf_feedback_v1_listener feedbackListener{
        .done = EventHandler<&DmabufFormats::done>::call,
        .format_table = EventHandler<&DmabufFormats::formatTable>::call,
        .main_device = ignoreEvent,
        .tranche_done = ignoreEvent,
        .tranche_target_device = ignoreEvent,
        .tranche_formats = EventHandler<&DmabufFormats::trancheFormats>::call,
        .tranche_flags = ignoreEvent,
    };
    feedback_.reset(zwp_linux_dmabuf_v1_get_default_feedback(dmabuf));
    zwp_linux_dmabuf_feedback_v1_add_listener(feedback_.get(), &feedbackListener, this);
}

std::optional<std::uint64_t> DmabufFormats::modifierFor(const PixelFormat& format) const noexcept {
    if (advertised(format))
        return format.modifier;
    if (format.modifier == DRM_FORMAT_MOD_LINEAR && advertised({format.fourcc, DRM_FORMAT_MOD_INVALID}))
        return DRM_FORMAT_MOD_INVALID;
    return {};
}

std::vector<std::uint64_t> DmabufFormats::modifiersOf(std::uint32_t fourcc) const {
    std::vector<std::uint64_t> modifiers;
    for (const PixelFormat& format : formats_)
        if (format.fourcc == fourcc && format.modifier != DRM_FORMAT_MOD_INVALID)
            modifiers.push_back(format.modifier);
    return modifiers;
}

bool DmabufFormats::advertised(const PixelFormat& format) const noexcept {
    return std::find(formats_.begin(), formats_.end(), format) != formats_.end();
}

void DmabufFormats::modifier(std::uint32_t fourcc, std::uint32_t high, std::uint32_t low) {
    if (feedback_)
        return;
    const PixelFormat format{fourcc, std::uint64_t{high} << 32 | low};
    if (formats_.size() < longestTable && !advertised(format))
        formats_.push_back(format);
}

void DmabufFormats::formatTable(std::int32_t fd, std::uint32_t size) {
    const UniqueFd table(fd);
    table_ = readFormatTable(table.get(), size);
}

void DmabufFormats::trancheFormats(wl_array* indices) {
    // All tranches count alike: which device a buffer should live on is the guest's affair.
    for (std::size_t offset = 0; offset + sizeof(std::uint16_t) <= indices->size; offset += sizeof(std::uint16_t)) {
        std::uint16_t index = 0;
        std::memcpy(&index, static_cast<const std::byte*>(indices->data) + offset, sizeof index);
        if (index < table_.size() && pending_.size() < longestTable)
            pending_.push_back(table_[index]);
    }
}

void DmabufFormats::done() {
    formats_ = std::exchange(pending_, {});
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The dma-bufs of a device that are likely to be shown again, each fetched once.
#include "vfio/dmabuf_cache.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vgpuview {

namespace {

std::size_t ordinaryBound(PlaneType type) noexcept {
    return type == PlaneType::cursor ? DmaBufCache::cursorBound : DmaBufCache::primaryBound;
}

} // namespace

DmaBufCache::DmaBufCache(DeviceCalls device, QuirkSet& quirks, std::function<void(const Buffer&)> retired)
    : device_(device)
    , quirks_(quirks)
    , retired_(std::move(retired)) {}

int DmaBufCache::find(PlaneType type, std::uint32_t id, const BufferLayout& layout, std::uint64_t reportedBytes,
                      CachedDmaBuf& found) {
    Entries& entries = entries_[static_cast<std::size_t>(type)];
    for (std::size_t i = 0; i < entries.size(); ++i) {
        Entry& entry = entries[i];
        if (entry.id != id)
            continue;
        if (entry.layout == layout) {
            entry.lastUse = ++uses_;
            found = entry.dmaBuf;
            return 0;
        }
        quirks_.note(Quirk::idReused);
        retire(entries, i);
        break;
    }
    const bool keep = quirks_.has(Quirk::dmaBufOncePerId);
    const std::size_t bound = keep ? keepingBound : ordinaryBound(type);
    int fd = device_.fetchDmaBuf(id);
    if (fd == -EMFILE || fd == -ENFILE) {
        trim(entries, ordinaryBound(type) / 2);
        fd = device_.fetchDmaBuf(id);
    }
    if (fd < 0)
        return fd;
    UniqueFd descriptor(fd);
    if (const int flags = ::fcntl(fd, F_GETFD); flags >= 0 && (flags & FD_CLOEXEC) == 0) {
        ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
        quirks_.note(Quirk::dmaBufInherited);
    }
    const std::int64_t size = device_.io().sizeOf(fd);
    const std::uint64_t available = size < 0 ? reportedBytes : static_cast<std::uint64_t>(size);
    trim(entries, bound - 1);
    CachedDmaBuf dmaBuf{.buffer = std::make_shared<const Buffer>(BufferKind::dmaBuf, layout, std::move(descriptor)),
                        .fault = {}};
    if (!fitsInto(layout, available))
        dmaBuf.fault = PlaneFault::beyondBuffer;
    found = dmaBuf;
    entries.push_back({.id = id, .layout = layout, .dmaBuf = std::move(dmaBuf), .lastUse = ++uses_});
    return 0;
}

void DmaBufCache::clear() {
    for (Entries& entries : entries_)
        trim(entries, 0);
}

void DmaBufCache::retire(Entries& entries, std::size_t index) {
    const BufferRef buffer = std::move(entries[index].dmaBuf.buffer);
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(index));
    retired_(*buffer);
}

void DmaBufCache::trim(Entries& entries, std::size_t bound) {
    while (entries.size() > bound) {
        const auto oldest = std::min_element(entries.begin(), entries.end(),
                                             [](const Entry& a, const Entry& b) { return a.lastUse < b.lastUse; });
        retire(entries, static_cast<std::size_t>(oldest - entries.begin()));
    }
}

} // namespace vgpuview

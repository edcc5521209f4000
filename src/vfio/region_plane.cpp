// SPDX-License-Identifier: MIT
// A plane that lies in a region of the device: copies the rows that changed into buffers that can be forwarded.
#include "vfio/region_plane.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vgpuview {

namespace {

// The largest stride times the largest height that a checked plane has.
constexpr std::uint64_t longestMapping = std::uint64_t{1} << 32;

} // namespace

/// A buffer of ours, mapped, and the rows in it that are older than the latest copy.
class RegionPlane::Copy {
public:
    /// Nothing where memory is short: errno tells.
    static std::unique_ptr<Copy> make(const BufferLayout& layout) {
        UniqueFd fd(::memfd_create("vgpu-view region", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(layout.byteSize)) != 0)
            return nullptr;
        // A reader can then trust that its mapping stays whole; udmabuf asks for it too.
        if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
            return nullptr;
        void* address = ::mmap(nullptr, layout.byteSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
        if (address == MAP_FAILED)
            return nullptr;
        return std::unique_ptr<Copy>(new Copy(layout, std::move(fd), static_cast<std::byte*>(address)));
    }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;
    ~Copy() { ::munmap(bytes_, buffer_->layout().byteSize); }

    [[nodiscard]] const BufferRef& buffer() const noexcept { return buffer_; }
    [[nodiscard]] std::byte* row(std::size_t y) const noexcept { return bytes_ + y * buffer_->layout().stride; }

    std::vector<std::uint8_t> stale; ///< one per row

private:
    Copy(const BufferLayout& layout, UniqueFd fd, std::byte* bytes)
        : stale(layout.size.height, 1)
        , buffer_(std::make_shared<const Buffer>(BufferKind::memory, layout, std::move(fd)))
        , bytes_(bytes) {}

    BufferRef buffer_;
    std::byte* bytes_;
};

RegionPlane::RegionPlane(DeviceCalls device, std::function<void(const Buffer&)> retired)
    : device_(device)
    , retired_(std::move(retired)) {}

RegionPlane::~RegionPlane() = default;

RegionUpdate RegionPlane::update(std::uint32_t regionIndex, const BufferLayout& layout) {
    RegionUpdate update;
    // Only linear rows can be compared and copied one by one.
    if (layout.format.modifier != DRM_FORMAT_MOD_LINEAR) {
        update.fault = PlaneFault::unknownModifier;
        return update;
    }
    if (mappedIndex_ != regionIndex) {
        update.error = map(regionIndex);
        if (update.error != 0)
            return update;
    }
    if (!fitsInto(layout, mapping_->bytes().size())) {
        update.fault = PlaneFault::beyondBuffer;
        return update;
    }
    if (layout != source_ || copies_.empty()) {
        update.error = adopt(layout);
        if (update.error != 0)
            return update;
    }
    if (findChangedRows()) {
        if (Copy* target = pickTarget()) {
            copyRows(*target, update.damage);
            update.changed = true;
        }
    }
    update.buffer = latest_->buffer();
    return update;
}

void RegionPlane::clear() {
    retireCopies();
    mapping_.reset();
    mappedIndex_.reset();
}

int RegionPlane::map(std::uint32_t regionIndex) {
    clear();
    RegionInfo region;
    if (const int result = device_.describeRegion(regionIndex, region); result < 0)
        return -result;
    if (!region.readable || !region.mappable)
        return EOPNOTSUPP;
    std::uint64_t length = region.size;
    if (!region.areas.empty()) {
        // The picture begins where the region does.
        const auto first = std::find_if(region.areas.begin(), region.areas.end(),
                                        [](const RegionArea& area) { return area.offset == 0; });
        if (first == region.areas.end())
            return EOPNOTSUPP;
        length = std::min(length, first->size);
    }
    length = std::min(length, longestMapping);
    if (length == 0)
        return ENODATA;
    void* address = nullptr;
    if (const int result = device_.io().map(device_.fd(), region.offset, length, &address); result < 0)
        return -result;
    mapping_ = std::make_unique<RegionMapping>(device_.io(), address, length);
    mappedIndex_ = regionIndex;
    return 0;
}

int RegionPlane::adopt(const BufferLayout& layout) {
    const bool first = copies_.empty() && source_.size.empty();
    retireCopies();
    const std::uint32_t bytesPerPixel = factsOf(layout.format.fourcc)->bytesPerPixel;
    rowBytes_ = std::size_t{layout.size.width} * bytesPerPixel;
    // wl_shm and GPUs want rows that begin at a whole pixel of four bytes.
    const auto stride = static_cast<std::uint32_t>((rowBytes_ + 3) / 4 * 4);
    const BufferLayout own{.size = layout.size,
                           .stride = stride,
                           .offset = 0,
                           .byteSize = std::uint64_t{stride} * layout.size.height,
                           .format = layout.format};
    std::vector<std::unique_ptr<Copy>> copies;
    std::vector<BufferRef> buffers;
    while (copies.size() < bufferCount) {
        auto copy = Copy::make(own);
        if (!copy)
            return errno;
        buffers.push_back(copy->buffer());
        copies.push_back(std::move(copy));
    }
    copies_ = std::move(copies);
    buffers_ = std::move(buffers);
    source_ = layout;
    changed_.assign(layout.size.height, 1);
    latest_ = copies_.front().get();
    if (!first)
        ++reallocations_;
    return 0;
}

RegionPlane::Copy* RegionPlane::pickTarget() noexcept {
    if (!latest_->buffer()->beingRead())
        return latest_;
    for (const auto& copy : copies_)
        if (!copy->buffer()->beingRead())
            return copy.get();
    return nullptr;
}

bool RegionPlane::findChangedRows() {
    const std::byte* pixels = mapping_->bytes().data();
    bool any = false;
    for (std::size_t y = 0; y < changed_.size(); ++y) {
        const bool stale = latest_->stale[y] != 0;
        changed_[y] = stale || std::memcmp(pixels + y * source_.stride, latest_->row(y), rowBytes_) != 0;
        any = any || changed_[y] != 0;
    }
    return any;
}

void RegionPlane::copyRows(Copy& target, Damage& damage) {
    const std::byte* pixels = mapping_->bytes().data();
    const auto width = source_.size.width;
    std::size_t runStart = 0;
    const auto endRun = [&](std::size_t y) {
        if (y > runStart)
            damage.add({{0, static_cast<std::int32_t>(runStart)}, {width, static_cast<std::uint32_t>(y - runStart)}});
        runStart = y + 1;
    };
    for (std::size_t y = 0; y < changed_.size(); ++y) {
        if (changed_[y] != 0) {
            std::memcpy(target.row(y), pixels + y * source_.stride, rowBytes_);
            for (const auto& copy : copies_)
                copy->stale[y] = 1;
            bytesCopied_ += rowBytes_;
        } else {
            endRun(y);
            if (target.stale[y] != 0) {
                std::memcpy(target.row(y), latest_->row(y), rowBytes_);
                bytesCopied_ += rowBytes_;
            }
        }
        target.stale[y] = 0;
    }
    endRun(changed_.size());
    latest_ = &target;
}

void RegionPlane::retireCopies() {
    latest_ = nullptr;
    buffers_.clear();
    for (const auto& copy : std::exchange(copies_, {}))
        retired_(*copy->buffer());
}

} // namespace vgpuview

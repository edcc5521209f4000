// SPDX-License-Identifier: MIT
// Copies of pictures that the compositor cannot take as they are, in shared memory that any compositor can show.
#include "wayland/copies.h"

#include "base/error.h"
#include "frame/pixel_convert.h"

#include <drm_fourcc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace vgpuview {

namespace {

class Mapping {
public:
    Mapping(int fd, std::size_t size)
        : size_(size)
        , address_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) {
        if (address_ == MAP_FAILED)
            throw Error(errno, {.operation = "map", .object = "shared memory for the compositor"});
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() { ::munmap(address_, size_); }

    [[nodiscard]] std::uint32_t* pixels() const noexcept { return static_cast<std::uint32_t*>(address_); }

private:
    std::size_t size_;
    void* address_;
};

UniqueFd makeMemory(std::size_t size) {
    UniqueFd fd(::memfd_create("vgpu-view copy", MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
        throw Error(errno, {.operation = "create", .object = "shared memory for the compositor"});
    return fd;
}

} // namespace

struct Copies::Ring {
    // One on screen, one in the compositor's queue, one to draw.
    static constexpr std::size_t count = 3;

    struct Slot {
        Slot(const Globals& globals, ReleaseObserver& observer, Size size, std::uint32_t format)
            : memory(makeMemory(std::size_t{size.width} * size.height * 4))
            , mapping(memory.get(), std::size_t{size.width} * size.height * 4)
            , buffer(makeBuffer(globals, memory.get(), size, format), size, &observer, nullptr) {}

        UniqueFd memory;
        Mapping mapping;
        ClientBuffer buffer;
    };

    Ring(const Globals& globals, ReleaseObserver& observer, Size pictureSize, std::uint32_t format)
        : size(pictureSize) {
        for (std::optional<Slot>& slot : slots)
            slot.emplace(globals, observer, size, format);
    }

    static Proxy<wl_buffer> makeBuffer(const Globals& globals, int fd, Size size, std::uint32_t format) {
        const auto width = static_cast<std::int32_t>(size.width);
        const auto height = static_cast<std::int32_t>(size.height);
        const Proxy<wl_shm_pool> pool(wl_shm_create_pool(globals.shm.get(), fd, width * height * 4));
        return Proxy<wl_buffer>(wl_shm_pool_create_buffer(pool.get(), 0, width, height, width * 4, format));
    }

    Size size;
    std::array<std::optional<Slot>, count> slots;
};

Copies::Copies(const Globals& globals, ReleaseObserver& observer, std::uint32_t format)
    : globals_(globals)
    , observer_(observer)
    , format_(format) {}

Copies::~Copies() = default;

ClientBuffer* Copies::next(Size size) {
    if (rings_.empty() || rings_.back()->size != size)
        rings_.push_back(std::make_unique<Ring>(globals_, observer_, size, format_));
    for (std::optional<Ring::Slot>& slot : rings_.back()->slots) {
        if (slot->buffer.busy())
            continue;
        current_ = {slot->mapping.pixels(), std::size_t{size.width} * size.height};
        return &slot->buffer;
    }
    return nullptr;
}

void Copies::collect() {
    if (rings_.size() < 2)
        return;
    const auto onSurface = [](const std::optional<Ring::Slot>& slot) { return slot->buffer.onSurface(); };
    const Ring* last = rings_.back().get();
    std::erase_if(rings_, [&](const std::unique_ptr<Ring>& ring) {
        return ring.get() != last && std::none_of(ring->slots.begin(), ring->slots.end(), onSurface);
    });
}

void Copies::clear() {
    rings_.clear();
    current_ = {};
}

bool copyPicture(const Buffer& from, std::span<std::uint32_t> to) {
    if (from.layout().format.modifier != DRM_FORMAT_MOD_LINEAR)
        return false;
    const std::optional<MappedBuffer> mapped = MappedBuffer::map(from, MapAccess::read);
    if (!mapped)
        return false;
    const MappedAccess access(*mapped);
    const Size size = from.layout().size;
    for (std::uint32_t y = 0; y < size.height; ++y)
        convertRow(from.layout().format.fourcc, mapped->row(y).data(),
                   to.subspan(std::size_t{y} * size.width, size.width));
    return true;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The guest's buffers as the compositor knows them: one wl_buffer for each, for its whole life.
#include "wayland/imports.h"

#include <drm_fourcc.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

namespace vgpuview {

namespace {

// wl_shm numbers its two oldest formats by itself, all others as DRM does.
std::uint32_t fourccOf(std::uint32_t shmFormat) noexcept {
    switch (shmFormat) {
    case WL_SHM_FORMAT_ARGB8888:
        return DRM_FORMAT_ARGB8888;
    case WL_SHM_FORMAT_XRGB8888:
        return DRM_FORMAT_XRGB8888;
    default:
        return shmFormat;
    }
}

std::uint32_t shmFormatOf(std::uint32_t fourcc) noexcept {
    switch (fourcc) {
    case DRM_FORMAT_ARGB8888:
        return WL_SHM_FORMAT_ARGB8888;
    case DRM_FORMAT_XRGB8888:
        return WL_SHM_FORMAT_XRGB8888;
    default:
        return fourcc;
    }
}

/// What a primary plane's alpha bits hold is garbage: they are left out where the layout has a name without them.
std::uint32_t wantedFourcc(std::uint32_t fourcc, PlaneType type) noexcept {
    const std::optional<FormatFacts> facts = factsOf(fourcc);
    return facts && type == PlaneType::primary ? facts->opaqueTwin : fourcc;
}

} // namespace

Import::Import(Imports& owner, const Buffer& buffer, PlaneType type)
    : owner_(owner)
    , id_(buffer.id())
    , type_(type)
    , size_(buffer.layout().size) {}

void Import::eventFailed(std::exception_ptr failure) noexcept {
    owner_.eventFailed(std::move(failure));
}

void Import::importDmaBuf(const Buffer& buffer) {
    const BufferLayout& layout = buffer.layout();
    if (!owner_.globals_.dmabuf)
        return refuse("the compositor takes no dma-bufs");
    std::uint32_t fourcc = wantedFourcc(layout.format.fourcc, type_);
    std::optional<std::uint64_t> modifier = owner_.formats_.modifierFor({fourcc, layout.format.modifier});
    if (!modifier) {
        fourcc = layout.format.fourcc;
        modifier = owner_.formats_.modifierFor(layout.format);
    }
    if (!modifier)
        return refuse(fmt::format("the compositor does not offer {} for dma-bufs", nameOf(layout.format)));
    static constexpr zwp_linux_buffer_params_v1_listener listener{
        .created = EventHandler<&Import::created>::call,
        .failed = EventHandler<&Import::failed>::call,
    };
    params_.reset(zwp_linux_dmabuf_v1_create_params(owner_.globals_.dmabuf.get()));
    zwp_linux_buffer_params_v1_add_listener(params_.get(), &listener, this);
    zwp_linux_buffer_params_v1_add(params_.get(), buffer.fd(), 0, layout.offset, layout.stride,
                                   static_cast<std::uint32_t>(*modifier >> 32),
                                   static_cast<std::uint32_t>(*modifier & 0xffffffffU));
    // Never create_immed: where that fails the compositor may end the connection.
    zwp_linux_buffer_params_v1_create(params_.get(), static_cast<std::int32_t>(size_.width),
                                      static_cast<std::int32_t>(size_.height), fourcc, 0);
}

void Import::importMemory(const BufferRef& buffer) {
    const BufferLayout& layout = buffer->layout();
    std::uint32_t fourcc = wantedFourcc(layout.format.fourcc, type_);
    if (!owner_.shmKnows(fourcc))
        fourcc = layout.format.fourcc;
    if (!owner_.shmKnows(fourcc))
        return refuse(fmt::format("the compositor does not offer {} for shared memory", fourccName(fourcc)));
    constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
    struct stat status {};
    const std::uint64_t end = layout.offset + std::uint64_t{layout.stride} * layout.size.height;
    // wl_shm counts whole rows, the last one too.
    if (::fstat(buffer->fd(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) < end)
        return refuse("its memory ends within the last row's padding");
    if (end > largest)
        return refuse("it is larger than shared memory may be");
    const Proxy<wl_shm_pool> pool(
        wl_shm_create_pool(owner_.globals_.shm.get(), buffer->fd(), static_cast<std::int32_t>(end)));
    buffer_.emplace(
        Proxy<wl_buffer>(wl_shm_pool_create_buffer(
            pool.get(), static_cast<std::int32_t>(layout.offset), static_cast<std::int32_t>(size_.width),
            static_cast<std::int32_t>(size_.height), static_cast<std::int32_t>(layout.stride), shmFormatOf(fourcc))),
        size_, &owner_.observer_, buffer);
    state_ = ImportState::ready;
    ++owner_.counters_.imports;
}

void Import::created(wl_buffer* buffer) {
    params_.reset();
    buffer_.emplace(Proxy<wl_buffer>(buffer), size_, &owner_.observer_, nullptr);
    state_ = ImportState::ready;
    ++owner_.counters_.imports;
    owner_.observer_.importSettled();
}

void Import::failed() {
    params_.reset();
    refuse("the compositor could not import the dma-buf, though it offers the format");
    owner_.observer_.importSettled();
}

void Import::refuse(std::string reason) {
    state_ = ImportState::refused;
    refusal_ = std::move(reason);
    ++owner_.counters_.failures;
}

Imports::Imports(const Globals& globals, wl_display* display, const DmabufFormats& formats, ImportObserver& observer)
    : globals_(globals)
    , display_(display)
    , formats_(formats)
    , observer_(observer) {
    static constexpr wl_shm_listener listener{.format = EventHandler<&Imports::shmFormat>::call};
    wl_shm_add_listener(globals_.shm.get(), &listener, this);
}

Import& Imports::of(const BufferRef& buffer, PlaneType type) {
    for (const auto& import : imports_)
        if (import->id_ == buffer->id() && import->type_ == type)
            return *import;
    Import& import = *imports_.emplace_back(std::make_unique<Import>(*this, *buffer, type));
    switch (buffer->kind()) {
    case BufferKind::dmaBuf:
        import.importDmaBuf(*buffer);
        break;
    case BufferKind::memory:
        import.importMemory(buffer);
        break;
    }
    return import;
}

void Imports::forget(BufferId id) {
    for (const auto& import : imports_)
        if (import->id_ == id && !import->forgotten_) {
            import->forgotten_ = true;
            ++forgotten_;
        }
    collect();
}

void Imports::clear() {
    for (const auto& import : imports_) {
        if (!import->forgotten_)
            ++forgotten_;
        import->forgotten_ = true;
        if (import->buffer_)
            import->buffer_->abandon();
    }
    // An import that is still being made is waited for: its wl_buffer comes all the same, and must be destroyed.
    forgotten_ -= std::erase_if(imports_, [](const auto& import) { return import->state_ != ImportState::pending; });
}

bool Imports::free(const Import& import) noexcept {
    return import.forgotten_ && import.state_ != ImportState::pending &&
           (!import.buffer_ || (!import.buffer_->onSurface() && !import.buffer_->busy()));
}

void Imports::collect() {
    if (forgotten_ == 0)
        return;
    forgotten_ -= std::erase_if(imports_, [](const auto& import) { return free(*import); });
    if (forgotten_ == 0 || sync_)
        return;
    // Some compositors never release. What left the screen before an answer to this is not read after it.
    bool waiting = false;
    for (const auto& import : imports_) {
        import->syncing_ = import->forgotten_ && import->buffer_ && !import->buffer_->onSurface();
        waiting = waiting || import->syncing_;
    }
    if (!waiting)
        return;
    static constexpr wl_callback_listener listener{.done = EventHandler<&Imports::synced>::call};
    sync_.reset(wl_display_sync(display_));
    wl_callback_add_listener(sync_.get(), &listener, this);
}

void Imports::synced(std::uint32_t) {
    sync_.reset();
    forgotten_ -= std::erase_if(imports_, [](const auto& import) {
        return import->forgotten_ && import->syncing_ && import->buffer_ && !import->buffer_->onSurface();
    });
    collect();
}

void Imports::shmFormat(std::uint32_t format) {
    if (const std::uint32_t fourcc = fourccOf(format); factsOf(fourcc) && !shmKnows(fourcc))
        shmFormats_.push_back(fourcc);
}

bool Imports::shmKnows(std::uint32_t fourcc) const noexcept {
    return std::find(shmFormats_.begin(), shmFormats_.end(), fourcc) != shmFormats_.end();
}

} // namespace vgpuview

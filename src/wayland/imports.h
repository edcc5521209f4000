// SPDX-License-Identifier: MIT
// The guest's buffers as the compositor knows them: one wl_buffer for each, for its whole life.
#pragma once

#include "base/log.h"
#include "frame/frame.h"
#include "wayland/client_buffer.h"
#include "wayland/connection.h"
#include "wayland/dmabuf_formats.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {

enum class ImportState {
    pending, ///< the compositor has been asked
    ready,
    refused, ///< it cannot take this buffer as it is; refusal() says why
};

struct ImportCounters {
    std::uint64_t imports = 0;
    std::uint64_t failures = 0;
};

class ImportObserver : public ReleaseObserver {
public:
    /// A pending import is ready or refused now.
    virtual void importSettled() = 0;
};

class Imports;

/// One buffer of the guest's in one role: as the primary plane its alpha is ignored, as the cursor it counts.
class Import final {
public:
    Import(Imports& owner, const Buffer& buffer, PlaneType type);
    Import(const Import&) = delete;
    Import& operator=(const Import&) = delete;

    [[nodiscard]] ImportState state() const noexcept { return state_; }
    /// Only where ready.
    [[nodiscard]] ClientBuffer& buffer() noexcept { return *buffer_; }
    /// A clause: "the compositor does not offer XR24 linear".
    [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }

    void eventFailed(std::exception_ptr failure) noexcept;

private:
    friend class Imports;

    void importDmaBuf(const Buffer& buffer);
    void importMemory(const BufferRef& buffer);
    void created(wl_buffer* buffer);
    void failed();
    void refuse(std::string reason);

    Imports& owner_;
    BufferId id_;
    PlaneType type_;
    Size size_;
    ImportState state_ = ImportState::pending;
    std::string refusal_;
    Proxy<zwp_linux_buffer_params_v1> params_;
    std::optional<ClientBuffer> buffer_;
    bool forgotten_ = false;
    bool syncing_ = false; ///< a sync that was asked for after it left the screen is under way
};

/// Makes imports, keeps them until they are forgotten and off the screen.
class Imports final {
public:
    /// All outlive it.
    Imports(const Globals& globals, wl_display* display, const DmabufFormats& formats, ImportObserver& observer);
    Imports(const Imports&) = delete;
    Imports& operator=(const Imports&) = delete;

    /// The buffer's import in that role; asks the compositor for it the first time.
    [[nodiscard]] Import& of(const BufferRef& buffer, PlaneType type);
    /// The buffer will not come back: frees what belongs to it once it has left the screen and is no longer read.
    void forget(BufferId id);
    /// At once, all of them. No surface may show one any more.
    void clear();
    /// After each commit: frees what could not be freed before.
    void collect();

    [[nodiscard]] const ImportCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t size() const noexcept { return imports_.size(); }

    void eventFailed(std::exception_ptr failure) noexcept { observer_.eventFailed(std::move(failure)); }

private:
    friend class Import;

    void shmFormat(std::uint32_t format);
    void synced(std::uint32_t);
    [[nodiscard]] bool shmKnows(std::uint32_t fourcc) const noexcept;
    [[nodiscard]] static bool free(const Import& import) noexcept;

    const Globals& globals_;
    wl_display* display_;
    const DmabufFormats& formats_;
    ImportObserver& observer_;
    std::vector<std::uint32_t> shmFormats_; ///< as fourcc
    std::vector<std::unique_ptr<Import>> imports_;
    std::size_t forgotten_ = 0;
    Proxy<wl_callback> sync_;
    ImportCounters counters_;
};

} // namespace vgpuview

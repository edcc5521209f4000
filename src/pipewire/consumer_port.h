// SPDX-License-Identifier: MIT
// The port of a consumer that is linked to our node, and which kinds of memory it takes.
#pragma once

#include "pipewire/handles.h"

#include <cstdint>
#include <functional>

namespace vgpuview {

/// Watches the formats that a port offers: a consumer may give some up later on.
class ConsumerPort {
public:
    /// changed: called from within libpipewire. The registry outlives it.
    ConsumerPort(pw_registry* registry, std::uint32_t portId, std::function<void()> changed);
    ConsumerPort(const ConsumerPort&) = delete;
    ConsumerPort& operator=(const ConsumerPort&) = delete;

    [[nodiscard]] bool takesDmaBufs() const noexcept { return dmaBufs_; }
    [[nodiscard]] bool takesMemory() const noexcept { return memory_; }

private:
    std::function<void()> changed_;
    bool dmaBufs_ = false;
    bool memory_ = false;
    spa_hook hook_{};
    PortPtr port_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What a consumer of a node takes, as SPA pods.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

struct spa_pod;
struct spa_pod_builder;

namespace vgpuview {

/// A format that can be imported as a dma-buf, and with which modifiers.
struct ImportableFormat {
    std::uint32_t fourcc = 0;
    std::vector<std::uint64_t> modifiers; ///< DRM_FORMAT_MOD_INVALID: an implicit one
};

/// The formats that can be shown at all, best first.
[[nodiscard]] std::vector<std::uint32_t> shownFourccs();
/// The DRM name of an enum spa_video_format; nothing for one that is not among those shown.
[[nodiscard]] std::optional<std::uint32_t> fourccOf(std::uint32_t videoFormat) noexcept;

/// EnumFormat: first the importable ones with their modifiers, then all in shared memory. The pods lie in the builder's
/// memory.
[[nodiscard]] std::vector<const spa_pod*> acceptedFormats(spa_pod_builder& builder,
                                                          const std::vector<ImportableFormat>& importable);

enum class NodeMemory { dmaBuf, memFd };

/// Buffers and metadata for a format that was chosen.
[[nodiscard]] std::vector<const spa_pod*> wantedBuffers(spa_pod_builder& builder, NodeMemory memory);

} // namespace vgpuview

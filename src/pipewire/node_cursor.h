// SPDX-License-Identifier: MIT
// The cursor that a node tells of beside its pictures.
#pragma once

#include "frame/frame.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

struct spa_buffer;

namespace vgpuview {

/// Reads SPA_META_Cursor (spa/buffer/meta.h), which is untrusted and may change while it is read.
class NodeCursor {
public:
    /// retired: called with each image that is not shown any more.
    explicit NodeCursor(std::function<void(BufferRef)> retired)
        : retired_(std::move(retired)) {}

    /// Every buffer of the node goes through here: an image comes once. Throws Error where there is no memory for one.
    void take(const spa_buffer& buffer);
    /// Nothing while there is none, or it is hidden.
    [[nodiscard]] const std::optional<Plane>& plane() const noexcept { return plane_; }
    [[nodiscard]] const BufferRef& image() const noexcept { return image_; }

private:
    void takeImage(std::span<const std::byte> bytes);

    std::function<void(BufferRef)> retired_;
    std::optional<Plane> plane_;
    BufferRef image_; ///< stays while the cursor is hidden
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Memory for pictures that this program draws itself.
#pragma once

#include "base/unique_fd.h"

#include <cstdint>

namespace vgpuview {

/// A memfd of that many bytes, rounded up to pages, all zero; sealed against shrinking, so that no reader's mapping is
/// ever cut short. Throws Error.
[[nodiscard]] UniqueFd allocateMemfd(std::uint64_t bytes);

/// The same as a dma-buf that GPUs and compositors can import (linux/udmabuf.h). Throws Error where the kernel has no
/// /dev/udmabuf, where it may not be opened, or where the size is beyond the module's limit (64 MB by default).
[[nodiscard]] UniqueFd allocateUdmabuf(std::uint64_t bytes);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What a user can set on a source, as OBS stores it.
#pragma once

#include "base/geometry.h"

#include <cstdint>
#include <string>

struct obs_data;

namespace vgpuview {

/// Where the frames come from.
enum class OriginKind {
    device, ///< a vGPU of this host that this process opens, or the test vGPU
    node,   ///< a PipeWire node, such as a running `vgpu-view stream`
};

struct Origin {
    OriginKind kind = OriginKind::device;
    std::string target; ///< the manual's SOURCE, empty for the only vGPU; or a node's name, empty for none

    friend bool operator==(const Origin&, const Origin&) = default;
};

/// What stands in the scene while the guest shows no picture.
enum class Blanking { lastPicture, nothing };

enum class CursorDrawing { drawn, left };

/// Pixels taken off each edge of the guest's picture.
struct Crop {
    std::uint32_t left = 0;
    std::uint32_t top = 0;
    std::uint32_t right = 0;
    std::uint32_t bottom = 0;

    friend bool operator==(const Crop&, const Crop&) = default;
};

/// What is left of a picture of that size: at least one pixel, whatever the crop says.
[[nodiscard]] Rect cropped(Size size, const Crop& crop) noexcept;

struct CaptureSettings {
    Origin origin;
    CursorDrawing cursor = CursorDrawing::drawn;
    Blanking blanking = Blanking::lastPicture;
    Crop crop;
};

/// The names under which OBS stores them: scene collections hold them, so they never change.
namespace setting {
inline constexpr const char* origin = "origin"; ///< "device" or "node"
inline constexpr const char* device = "device"; ///< a SOURCE, empty, or otherDevice
inline constexpr const char* address = "address";
inline constexpr const char* node = "node";
inline constexpr const char* cursor = "cursor";
inline constexpr const char* blanking = "blanking"; ///< "last" or "nothing"
inline constexpr const char* cropLeft = "crop_left";
inline constexpr const char* cropTop = "crop_top";
inline constexpr const char* cropRight = "crop_right";
inline constexpr const char* cropBottom = "crop_bottom";

inline constexpr const char* deviceOrigin = "device";
inline constexpr const char* nodeOrigin = "node";
inline constexpr const char* otherDevice = "other"; ///< the device is the one in `address`
inline constexpr const char* lastPicture = "last";
inline constexpr const char* nothing = "nothing";
} // namespace setting

void setDefaults(obs_data& settings);
/// Values out of range are brought into it.
[[nodiscard]] CaptureSettings readSettings(obs_data& settings);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// What a device tells about its display, for people and scripts.
#pragma once

#include "frame/frame.h"
#include "frame/plane_check.h"
#include "vfio/address.h"
#include "vfio/devices.h"
#include "vfio/edid_region.h"
#include "vfio/host_paths.h"
#include "vfio/io.h"
#include "vfio/opened_device.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

enum class PlaneState {
    shown,       ///< reported fits, layout is what a sink would get
    off,         ///< the guest has it disabled
    bad,         ///< reported fails validation: fault tells why
    unsupported, ///< the driver refuses the plane type
    failed,      ///< the query failed this time: errorNumber tells why
};
[[nodiscard]] std::string_view nameOf(PlaneState state) noexcept;

struct PlaneReport {
    PlaneType type = PlaneType::primary;
    PlaneState state = PlaneState::off;
    ReportedPlane reported;               ///< as the driver said it, meaningful where state is shown or bad
    std::uint32_t token = 0;              ///< the dma-buf id, or the region's index
    std::optional<PlaneFault> fault = {}; ///< where state is bad
    int errorNumber = 0;                  ///< where state is unsupported or failed
};

struct QuirkReport {
    std::string name;   ///< "first-query-enomem"
    std::string remedy; ///< what is done about it
};

struct ProbeReport {
    std::string address;
    std::optional<VgpuDevice> device; ///< nothing where sysfs does not tell which it is
    std::optional<Holder> holder;     ///< the process whose descriptor was copied
    WayIn wayIn = WayIn::group;
    bool dmaBuf = false; ///< the driver offers planes as dma-bufs
    bool region = false; ///< the driver offers planes as a region
    std::vector<PlaneReport> planes;
    std::optional<EdidLimits> edid;
    std::vector<QuirkReport> quirks; ///< seen so far
};

/// Opens the device, asks it, closes it. No dma-buf is fetched. Throws Error as openVfioSource() does, save for a
/// device without display, which is a report with neither dmaBuf nor region.
[[nodiscard]] ProbeReport probe(const SourceAddress& address, const HostPaths& paths, VfioIo& io);

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// vgpu-view probe: what one vGPU offers.
#include "app/commands.h"
#include "frame/plane_check.h"
#include "sources/source_opener.h"
#include "vfio/io.h"
#include "vfio/probe.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>

namespace vgpuview {

namespace {

using Json = nlohmann::ordered_json;

std::string_view nameOfPlane(PlaneType type) {
    return type == PlaneType::primary ? "primary" : "cursor";
}

bool hasGeometry(const PlaneReport& plane) {
    return plane.state == PlaneState::shown || plane.state == PlaneState::bad;
}

std::string whyNot(const PlaneReport& plane) {
    if (plane.fault)
        return std::string(textOf(*plane.fault));
    return plane.errorNumber == 0 ? std::string() : std::generic_category().message(plane.errorNumber);
}

Json jsonOf(const PlaneReport& plane) {
    Json json = {{"plane", nameOfPlane(plane.type)}, {"state", nameOf(plane.state)}};
    if (const std::string why = whyNot(plane); !why.empty())
        json["why"] = why;
    if (hasGeometry(plane)) {
        const ReportedPlane& p = plane.reported;
        json.update({{"format", fourccName(p.fourcc)},
                     {"modifier", modifierName(p.modifier)},
                     {"width", p.width},
                     {"height", p.height},
                     {"stride", p.stride},
                     {"size", p.size},
                     {"x", p.x},
                     {"y", p.y},
                     {"token", plane.token}});
    }
    return json;
}

Json jsonOf(const ProbeReport& report) {
    Json planes = Json::array();
    for (const PlaneReport& plane : report.planes)
        planes.push_back(jsonOf(plane));
    Json quirks = Json::array();
    for (const QuirkReport& quirk : report.quirks)
        quirks.push_back({{"name", quirk.name}, {"remedy", quirk.remedy}});
    Json edid = nullptr;
    if (report.edid)
        edid = {{"max_bytes", report.edid->maxBytes},
                {"max_width", report.edid->maxSize.width},
                {"max_height", report.edid->maxSize.height},
                {"link", report.edid->linkUp ? "up" : "down"}};
    return {{"address", report.address},
            {"type", report.device ? Json(report.device->type) : Json(nullptr)},
            {"driver", report.device ? Json(report.device->parentDriver) : Json(nullptr)},
            {"holder", report.holder ? Json(report.holder->pid) : Json(nullptr)},
            {"way_in", nameOf(report.wayIn)},
            {"dmabuf", report.dmaBuf},
            {"region", report.region},
            {"planes", planes},
            {"edid", edid},
            {"quirks", quirks}};
}

void printText(const ProbeReport& report) {
    fmt::print("{}\n", report.address);
    if (report.device)
        fmt::print("  type      {} ({})\n", report.device->type, report.device->parentDriver);
    if (report.holder)
        fmt::print("  holder    pid {} ({})\n", report.holder->pid,
                   report.holder->vmName.empty() ? report.holder->processName : report.holder->vmName);
    fmt::print("  way in    {}\n", nameOf(report.wayIn));
    fmt::print("  display   {}\n", report.dmaBuf ? "dma-buf" : report.region ? "region" : "none");
    for (const PlaneReport& plane : report.planes) {
        fmt::print("  {:<9} {}", nameOfPlane(plane.type), nameOf(plane.state));
        if (hasGeometry(plane)) {
            const ReportedPlane& p = plane.reported;
            fmt::print(" {}x{} {} {}, stride {}, size {}", p.width, p.height, fourccName(p.fourcc),
                       modifierName(p.modifier), p.stride, p.size);
            if (plane.type == PlaneType::cursor)
                fmt::print(", at {},{}", static_cast<std::int32_t>(p.x), static_cast<std::int32_t>(p.y));
        }
        if (const std::string why = whyNot(plane); !why.empty())
            fmt::print(": {}", why);
        fmt::print("\n");
    }
    if (report.edid && !report.edid->maxSize.empty())
        fmt::print("  EDID      up to {}x{}, link {}\n", report.edid->maxSize.width, report.edid->maxSize.height,
                   report.edid->linkUp ? "up" : "down");
    else
        fmt::print("  EDID      {}\n", report.edid ? "no limit on the size" : "none: the guest's modes are fixed");
    for (const QuirkReport& quirk : report.quirks)
        fmt::print("  quirk     {}: {}\n", quirk.name, quirk.remedy);
}

} // namespace

ExitCode runProbe(const Options& options) {
    const HostPaths paths;
    SystemVfioIo io;
    const ProbeReport report = probe(resolveAddress(options.source, paths), paths, io);
    if (options.format == OutputFormat::json)
        fmt::print("{}\n", jsonOf(report).dump(2));
    else
        printText(report);
    if (!report.dmaBuf && !report.region)
        return ExitCode::notSupported;
    return ExitCode::done;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// vgpu-view list: the vGPUs on this host.
#include "app/commands.h"
#include "vfio/devices.h"
#include "vfio/io.h"
#include "vfio/probe.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview {

namespace {

using Json = nlohmann::ordered_json;

struct Row {
    VgpuDevice device;
    std::optional<ProbeReport> probe; ///< nothing: it could not be asked
    std::string why;                  ///< then: why not
};

std::vector<Row> collectRows() {
    const HostPaths paths;
    SystemVfioIo io;
    std::vector<Row> rows;
    for (VgpuDevice& device : findDevices(paths)) {
        Row row{.device = std::move(device), .probe = {}, .why = {}};
        try {
            row.probe = probe(MdevAddress{row.device.uuid}, paths, io);
        } catch (const Error& error) {
            row.why = error.what();
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::optional<std::string> displayOf(const Row& row) {
    if (!row.probe)
        return {};
    return row.probe->dmaBuf ? "dma-buf" : row.probe->region ? "region" : "none";
}

std::optional<Size> sizeOf(const Row& row) {
    if (row.probe)
        for (const PlaneReport& plane : row.probe->planes)
            if (plane.type == PlaneType::primary && plane.state == PlaneState::shown)
                return Size{plane.reported.width, plane.reported.height};
    return {};
}

Json jsonOrNull(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json jsonOf(const Row& row) {
    const VgpuDevice& device = row.device;
    Json holder = nullptr;
    if (device.holder)
        holder = {{"pid", device.holder->pid},
                  {"process", device.holder->processName},
                  {"vm", jsonOrNull(device.holder->vmName)}};
    const std::optional<std::string> display = displayOf(row);
    const std::optional<Size> size = sizeOf(row);
    return {{"uuid", device.uuid},
            {"type", jsonOrNull(device.type)},
            {"type_name", jsonOrNull(device.typeName)},
            {"parent", jsonOrNull(device.parent)},
            {"driver", jsonOrNull(device.parentDriver)},
            {"iommu_group", device.iommuGroup ? Json(*device.iommuGroup) : Json(nullptr)},
            {"cdev", jsonOrNull(device.cdevName)},
            {"holder", holder},
            {"display", display ? Json(*display) : Json(nullptr)},
            {"width", size ? Json(size->width) : Json(nullptr)},
            {"height", size ? Json(size->height) : Json(nullptr)},
            {"error", jsonOrNull(row.why)}};
}

std::string holderText(const VgpuDevice& device) {
    if (!device.holder)
        return "-";
    const Holder& holder = *device.holder;
    return holder.vmName.empty() ? fmt::format("{} ({})", holder.pid, holder.processName)
                                 : fmt::format("{} ({})", holder.pid, holder.vmName);
}

void printTable(const std::vector<Row>& rows) {
    using Cells = std::array<std::string, 6>;
    std::vector<Cells> table{{"UUID", "TYPE", "PARENT", "HOLDER", "DISPLAY", "SIZE"}};
    for (const Row& row : rows) {
        const std::optional<Size> size = sizeOf(row);
        table.push_back({row.device.uuid, row.device.type.empty() ? "-" : row.device.type,
                         row.device.parent.empty() ? "-" : row.device.parent, holderText(row.device),
                         displayOf(row).value_or("?"), size ? fmt::format("{}x{}", size->width, size->height) : "-"});
    }
    std::array<std::size_t, 6> widths{};
    for (const Cells& cells : table)
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = std::max(widths[i], cells[i].size());
    for (const Cells& cells : table) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i)
            line += i + 1 < cells.size() ? fmt::format("{:<{}}  ", cells[i], widths[i]) : cells[i];
        fmt::print("{}\n", line);
    }
    for (const Row& row : rows)
        if (!row.why.empty())
            fmt::print(stderr, "vgpu-view: {}\n", row.why);
}

} // namespace

ExitCode runList(const Options& options) {
    const std::vector<Row> rows = collectRows();
    if (options.format == OutputFormat::json) {
        Json list = Json::array();
        for (const Row& row : rows)
            list.push_back(jsonOf(row));
        fmt::print("{}\n", list.dump(2));
    } else if (rows.empty()) {
        fmt::print(stderr, "vgpu-view: no vGPU on this host\nhint: vgpu-view doctor tells what is missing\n");
    } else {
        printTable(rows);
    }
    return ExitCode::done;
}

} // namespace vgpuview

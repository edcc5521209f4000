// SPDX-License-Identifier: MIT
// What a device tells about its display, for people and scripts.
#include "vfio/probe.h"

#include "base/clock.h"
#include "vfio/plane_query.h"
#include "vfio/quirks.h"

#include <utility>

namespace vgpuview {

namespace {

PlaneReport reportOn(PlaneType type, PlaneQuery& query, QuirkSet& quirks) {
    PlaneReport report{.type = type, .reported = {}};
    PlaneAnswer answer;
    switch (query.query(type, MonotonicClock().now(), answer)) {
    case QueryOutcome::answered:
        break;
    case QueryOutcome::unsupported:
        report.state = PlaneState::unsupported;
        report.errorNumber = query.error(type);
        return report;
    case QueryOutcome::resting:
    case QueryOutcome::failed:
    case QueryOutcome::gone:
        report.state = PlaneState::failed;
        report.errorNumber = query.error(type);
        return report;
    }
    report.reported = answer.plane;
    report.token = answer.token;
    const PlaneVerdict verdict = checkPlane(type, answer.plane);
    if (const auto* checked = std::get_if<CheckedPlane>(&verdict)) {
        report.state = PlaneState::shown;
        noteQuirksOf(type, answer.plane, *checked, quirks);
    } else if (const auto* fault = std::get_if<PlaneFault>(&verdict)) {
        report.state = PlaneState::bad;
        report.fault = *fault;
    }
    return report;
}

void reportPlanes(DeviceCalls device, QuirkSet& quirks, ProbeReport& report) {
    const DisplayKind kind = report.dmaBuf ? DisplayKind::dmaBuf : DisplayKind::region;
    PlaneQuery query(device, kind, quirks);
    const PlaneReport primary = reportOn(PlaneType::primary, query, quirks);
    PlaneReport cursor = reportOn(PlaneType::cursor, query, quirks);
    if (answersPrimary({primary.reported, primary.token}, {cursor.reported, cursor.token})) {
        quirks.note(Quirk::cursorAnswersPrimary);
        cursor = {.type = PlaneType::cursor, .state = PlaneState::unsupported, .reported = {}};
    }
    std::uint32_t regions = 0;
    if (kind == DisplayKind::region && primary.state == PlaneState::shown && device.countRegions(regions) >= 0 &&
        primary.token >= regions)
        quirks.note(Quirk::regionIndexBeyond);
    report.planes = {primary, cursor};
}

} // namespace

std::string_view nameOf(PlaneState state) noexcept {
    switch (state) {
    case PlaneState::shown:
        return "shown";
    case PlaneState::off:
        return "off";
    case PlaneState::bad:
        return "bad";
    case PlaneState::unsupported:
        return "unsupported";
    case PlaneState::failed:
        return "failed";
    }
    return "unknown";
}

ProbeReport probe(const SourceAddress& address, const HostPaths& paths, VfioIo& io) {
    const OpenedDevice opened = openDevice(address, paths, io);
    const DeviceCalls device(io, opened.device.get());
    ProbeReport report;
    report.address = textOf(address);
    report.device = opened.vgpu;
    report.holder = opened.holder;
    report.wayIn = opened.way;
    report.dmaBuf = device.offers(DisplayKind::dmaBuf) >= 0;
    report.region = device.offers(DisplayKind::region) >= 0;
    QuirkSet quirks = opened.vgpu ? quirksOfDriver(opened.vgpu->parentDriver) : QuirkSet{};
    if (report.dmaBuf || report.region)
        reportPlanes(device, quirks, report);
    if (const auto edid = EdidRegion::find(device))
        report.edid = edid->limits();
    for (const QuirkFacts& facts : quirkTable())
        if (quirks.has(facts.quirk))
            report.quirks.push_back({.name = std::string(facts.name), .remedy = std::string(facts.remedy)});
    return report;
}

} // namespace vgpuview

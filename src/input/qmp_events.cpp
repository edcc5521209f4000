// SPDX-License-Identifier: MIT
// Input events as QMP's input-send-event has them.
#include "input/qmp_events.h"

#include <linux/input-event-codes.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>

namespace vgpuview {

namespace {

using nlohmann::json;

constexpr double axisEnd = 0x7fff; // INPUT_EVENT_ABS_MAX

std::int64_t axisValue(double part) {
    return std::lround(part * axisEnd);
}

const char* buttonName(std::uint32_t evdevCode) noexcept {
    switch (evdevCode) {
    case BTN_LEFT:
        return "left";
    case BTN_RIGHT:
        return "right";
    case BTN_MIDDLE:
        return "middle";
    case BTN_SIDE:
    case BTN_BACK:
        return "side";
    case BTN_EXTRA:
    case BTN_FORWARD:
        return "extra";
    default:
        return nullptr;
    }
}

json event(const char* type, json data) {
    json made;
    made["type"] = type;
    made["data"] = std::move(data);
    return made;
}

json axisEvent(const char* type, const char* axis, std::int64_t value) {
    return event(type, {{"axis", axis}, {"value", value}});
}

json buttonEvent(const char* button, bool down) {
    return event("btn", {{"down", down}, {"button", button}});
}

void addClicks(json& to, const char* button, std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) {
        to.push_back(buttonEvent(button, true));
        to.push_back(buttonEvent(button, false));
    }
}

json touchEvent(const char* type, unsigned slot, std::int64_t trackingId, const char* axis, std::int64_t value) {
    return event("mtt",
                 {{"type", type}, {"slot", slot}, {"tracking-id", trackingId}, {"axis", axis}, {"value", value}});
}

} // namespace

json qmpKey(const KeyMapping& key, KeyState state) {
    const json code{{"type", "qcode"}, {"data", key.keyCode}};
    return json::array({event("key", {{"down", state == KeyState::pressed}, {"key", code}})});
}

json qmpPointer(const PointerChange& change, PointerMode mode) {
    json events = json::array();
    if (mode == PointerMode::none)
        return events;
    if (mode == PointerMode::absolute && change.place) {
        events.push_back(axisEvent("abs", "x", axisValue(change.place->x)));
        events.push_back(axisEvent("abs", "y", axisValue(change.place->y)));
    }
    if (mode == PointerMode::relative && change.dx != 0)
        events.push_back(axisEvent("rel", "x", change.dx));
    if (mode == PointerMode::relative && change.dy != 0)
        events.push_back(axisEvent("rel", "y", change.dy));
    for (const ButtonChange& button : change.buttons)
        if (const char* name = buttonName(button.evdevCode))
            events.push_back(buttonEvent(name, button.state == ButtonState::pressed));
    addClicks(events, change.wheelDown > 0 ? "wheel-down" : "wheel-up", std::abs(change.wheelDown));
    addClicks(events, change.wheelRight > 0 ? "wheel-right" : "wheel-left", std::abs(change.wheelRight));
    return events;
}

json qmpTouch(const TouchChange& change, std::int64_t trackingId) {
    json events = json::array();
    if (change.phase == TouchPhase::end) {
        events.push_back(touchEvent("end", change.slot, -1, "x", 0));
        events.push_back(buttonEvent("touch", false));
        return events;
    }
    if (change.phase == TouchPhase::begin)
        events.push_back(buttonEvent("touch", true));
    events.push_back(
        touchEvent(change.phase == TouchPhase::begin ? "begin" : "update", change.slot, trackingId, "x", 0));
    events.push_back(touchEvent("data", change.slot, trackingId, "x", axisValue(change.place.x)));
    events.push_back(touchEvent("data", change.slot, trackingId, "y", axisValue(change.place.y)));
    return events;
}

json qmpTouchProbe() {
    return json::array({touchEvent("end", 0, -1, "x", 0)});
}

} // namespace vgpuview

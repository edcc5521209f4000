// SPDX-License-Identifier: MIT
// The page on which a user sets a source up.
#include "obs/properties.h"

#include "frame/plane_check.h"
#include "obs/capture_settings.h"
#include "obs/capture_source.h"
#include "obs/device_list.h"

#include <obs-module.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vgpuview {

namespace {

constexpr const char* statusName = "status";
constexpr const char* refreshName = "refresh";

obs_property_t* addList(obs_properties_t* page, const char* name, const char* text) {
    return obs_properties_add_list(page, name, obs_module_text(text), OBS_COMBO_TYPE_LIST, OBS_COMBO_FORMAT_STRING);
}

void fill(obs_property_t* list, const std::vector<Choice>& choices) {
    for (const Choice& choice : choices)
        obs_property_list_add_string(list, choice.text.c_str(), choice.value.c_str());
}

void fillDevices(obs_property_t* list) {
    obs_property_list_clear(list);
    obs_property_list_add_string(list, obs_module_text("Device.Only"), "");
    fill(list, listDevices());
    obs_property_list_add_string(list, obs_module_text("Device.Test"), "test");
    obs_property_list_add_string(list, obs_module_text("Device.Other"), setting::otherDevice);
}

void fillNodes(obs_property_t* list) {
    obs_property_list_clear(list);
    obs_property_list_add_string(list, obs_module_text("Node.None"), "");
    fill(list, listNodes());
}

/// What is set stays in the list and is not silently changed for something else, even if it is not there now.
void keepInList(obs_property_t* list, std::string_view value) {
    if (value.empty())
        return;
    const std::size_t count = obs_property_list_item_count(list);
    for (std::size_t i = 0; i < count; ++i)
        if (value == obs_property_list_item_string(list, i))
            return;
    const std::string text = std::string(value) + " " + obs_module_text("NotThere");
    obs_property_list_add_string(list, text.c_str(), std::string(value).c_str());
}

void showStatus(obs_property_t* text, const CaptureSource* source) {
    const std::string status = source ? source->status() : std::string();
    obs_property_set_description(text, status.c_str());
    obs_property_set_visible(text, !status.empty());
}

/// Shows only what matters for the chosen origin.
bool settingsChanged(obs_properties_t* page, obs_property_t*, obs_data_t* settings) {
    const bool ofDevice = std::string_view(obs_data_get_string(settings, setting::origin)) != setting::nodeOrigin;
    const std::string_view device = obs_data_get_string(settings, setting::device);
    obs_property_t* devices = obs_properties_get(page, setting::device);
    keepInList(devices, device);
    obs_property_set_visible(devices, ofDevice);
    obs_property_set_visible(obs_properties_get(page, setting::address), ofDevice && device == setting::otherDevice);
    obs_property_t* nodes = obs_properties_get(page, setting::node);
    keepInList(nodes, obs_data_get_string(settings, setting::node));
    obs_property_set_visible(nodes, !ofDevice);
    return true;
}

bool refresh(obs_properties_t* page, obs_property_t*, void* source) {
    fillDevices(obs_properties_get(page, setting::device));
    fillNodes(obs_properties_get(page, setting::node));
    showStatus(obs_properties_get(page, statusName), static_cast<const CaptureSource*>(source));
    return true;
}

} // namespace

obs_properties* makeProperties(CaptureSource* source) {
    obs_properties_t* page = obs_properties_create();
    showStatus(obs_properties_add_text(page, statusName, "", OBS_TEXT_INFO), source);

    obs_property_t* origin = addList(page, setting::origin, "Origin");
    obs_property_list_add_string(origin, obs_module_text("Origin.Device"), setting::deviceOrigin);
    obs_property_list_add_string(origin, obs_module_text("Origin.Node"), setting::nodeOrigin);
    obs_property_set_modified_callback(origin, settingsChanged);
    obs_property_t* devices = addList(page, setting::device, "Device");
    fillDevices(devices);
    obs_property_set_modified_callback(devices, settingsChanged);
    obs_property_t* address =
        obs_properties_add_text(page, setting::address, obs_module_text("Address"), OBS_TEXT_DEFAULT);
    obs_property_set_long_description(address, obs_module_text("Address.Help"));
    obs_property_t* nodes = addList(page, setting::node, "Node");
    fillNodes(nodes);
    obs_property_set_modified_callback(nodes, settingsChanged);
    obs_properties_add_button2(page, refreshName, obs_module_text("Refresh"), refresh, source);

    obs_properties_add_bool(page, setting::cursor, obs_module_text("Cursor"));
    obs_property_t* blanking = addList(page, setting::blanking, "Blanking");
    obs_property_list_add_string(blanking, obs_module_text("Blanking.Last"), setting::lastPicture);
    obs_property_list_add_string(blanking, obs_module_text("Blanking.Nothing"), setting::nothing);
    const auto addInset = [&](const char* name, const char* text) {
        obs_property_t* inset =
            obs_properties_add_int(page, name, obs_module_text(text), 0, static_cast<int>(maxPlaneExtent), 1);
        obs_property_int_set_suffix(inset, " px");
    };
    addInset(setting::cropLeft, "Crop.Left");
    addInset(setting::cropTop, "Crop.Top");
    addInset(setting::cropRight, "Crop.Right");
    addInset(setting::cropBottom, "Crop.Bottom");
    return page;
}

} // namespace vgpuview

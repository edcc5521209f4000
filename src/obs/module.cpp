// SPDX-License-Identifier: MIT
// The module as libobs sees it: C functions that pass on to CaptureSource. No exception leaves them.
#include "obs/capture_settings.h"
#include "obs/capture_source.h"
#include "obs/properties.h"

#include <obs-module.h>

#include <exception>
#include <memory>

OBS_DECLARE_MODULE()
OBS_MODULE_USE_DEFAULT_LOCALE("vgpu-capture", "en-US")

namespace {

using vgpuview::CaptureSource;

CaptureSource& captureOf(void* data) noexcept {
    return *static_cast<CaptureSource*>(data);
}

/// What goes wrong here is no set-up step that a user could mend: memory ran out, most likely.
template<typename Function>
void guarded(const char* operation, Function&& function) noexcept {
    try {
        function();
    } catch (const std::exception& error) {
        blog(LOG_ERROR, "[vgpu-capture] %s failed: %s", operation, error.what());
    }
}

void* create(obs_data_t* settings, obs_source_t* source) noexcept {
    std::unique_ptr<CaptureSource> capture;
    guarded("creating a source", [&] { capture = std::make_unique<CaptureSource>(*settings, *source); });
    return capture.release();
}

obs_source_info describeSource() noexcept {
    obs_source_info info{};
    info.id = "vgpu_capture";
    info.type = OBS_SOURCE_TYPE_INPUT;
    // Its own drawing: filters see the picture and the cursor as one. No duplicates: a device is opened once.
    info.output_flags = OBS_SOURCE_VIDEO | OBS_SOURCE_CUSTOM_DRAW | OBS_SOURCE_SRGB | OBS_SOURCE_DO_NOT_DUPLICATE;
    info.icon_type = OBS_ICON_TYPE_DESKTOP_CAPTURE;
    info.get_name = [](void*) { return obs_module_text("Name"); };
    info.create = create;
    info.destroy = [](void* data) { delete static_cast<CaptureSource*>(data); };
    info.get_width = [](void* data) { return captureOf(data).size().width; };
    info.get_height = [](void* data) { return captureOf(data).size().height; };
    info.get_defaults = [](obs_data_t* settings) { vgpuview::setDefaults(*settings); };
    info.get_properties = [](void* data) {
        obs_properties_t* page = nullptr;
        guarded("listing the properties", [&] { page = vgpuview::makeProperties(static_cast<CaptureSource*>(data)); });
        return page;
    };
    info.update = [](void* data, obs_data_t* settings) {
        guarded("taking over settings", [&] { captureOf(data).update(*settings); });
    };
    info.show = [](void* data) { captureOf(data).show(); };
    info.hide = [](void* data) { captureOf(data).hide(); };
    info.video_tick = [](void* data, float) { guarded("polling", [&] { captureOf(data).tick(); }); };
    info.video_render = [](void* data, gs_effect_t*) { guarded("drawing", [&] { captureOf(data).render(); }); };
    return info;
}

} // namespace

MODULE_EXPORT const char* obs_module_name() {
    return obs_module_text("Name");
}

MODULE_EXPORT const char* obs_module_description() {
    return "Shows a virtual GPU's screen without copying it";
}

bool obs_module_load() {
    const obs_source_info info = describeSource();
    obs_register_source(&info);
    return true;
}

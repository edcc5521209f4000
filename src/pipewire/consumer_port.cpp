// SPDX-License-Identifier: MIT
// The port of a consumer that is linked to our node, and which kinds of memory it takes.
#include "pipewire/consumer_port.h"

#include <spa/param/param.h>
#include <spa/param/video/format.h>
#include <spa/pod/iter.h>

#include <array>
#include <utility>

namespace vgpuview {

ConsumerPort::ConsumerPort(pw_registry* registry, std::uint32_t portId, std::function<void()> changed)
    : changed_(std::move(changed))
    , port_(static_cast<pw_port*>(pw_registry_bind(registry, portId, PW_TYPE_INTERFACE_Port, PW_VERSION_PORT, 0))) {
    if (!port_)
        return;
    static constexpr pw_port_events events{
        .version = PW_VERSION_PORT_EVENTS,
        .param =
            [](void* self, int, std::uint32_t id, std::uint32_t index, std::uint32_t, const spa_pod* parameter) {
                if (id != SPA_PARAM_EnumFormat || !parameter)
                    return;
                auto& port = *static_cast<ConsumerPort*>(self);
                // They are told anew, all of them, where one changed.
                if (index == 0)
                    port.dmaBufs_ = port.memory_ = false;
                (spa_pod_find_prop(parameter, nullptr, SPA_FORMAT_VIDEO_modifier) ? port.dmaBufs_ : port.memory_) =
                    true;
                port.changed_();
            },
    };
    pw_port_add_listener(port_.get(), &hook_, &events, this);
    std::array<std::uint32_t, 1> wanted{SPA_PARAM_EnumFormat};
    pw_port_subscribe_params(port_.get(), wanted.data(), wanted.size());
}

} // namespace vgpuview

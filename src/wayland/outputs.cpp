// SPDX-License-Identifier: MIT
// The outputs that the window is on: refresh rate and scale.
#include "wayland/outputs.h"

#include <algorithm>

namespace vgpuview {

namespace {

constexpr std::int32_t usualRefreshMilliHz = 60000;
constexpr std::int32_t lowestRefreshMilliHz = 1000;
constexpr std::int32_t highestRefreshMilliHz = 1000000;
constexpr std::int32_t largestFactor = 16;

} // namespace

Outputs::Outputs(EventLoop& loop, std::function<void()> changed)
    : loop_(loop)
    , changed_(std::move(changed)) {}

void Outputs::outputAdded(Proxy<wl_output> output, std::uint32_t name) {
    outputs_.push_back(std::make_unique<Output>(*this, std::move(output), name));
}

void Outputs::outputRemoved(std::uint32_t name) {
    if (std::erase_if(outputs_, [&](const auto& output) { return output->name == name; }) > 0)
        changed_();
}

void Outputs::follow(wl_surface* surface) {
    static constexpr wl_surface_listener listener{
        .enter = EventHandler<&Outputs::entered>::call,
        .leave = EventHandler<&Outputs::left>::call,
    };
    wl_surface_add_listener(surface, &listener, this);
}

Nanoseconds Outputs::refreshInterval() const noexcept {
    std::int32_t refresh = 0;
    for (const auto& output : outputs_)
        if (output->entered || outputs_.size() == 1)
            refresh = std::max(refresh, output->refresh);
    if (refresh == 0)
        refresh = usualRefreshMilliHz;
    refresh = std::clamp(refresh, lowestRefreshMilliHz, highestRefreshMilliHz);
    return Nanoseconds(1'000'000'000'000LL / refresh);
}

Scale120 Outputs::scale() const noexcept {
    std::int32_t factor = 1;
    for (const auto& output : outputs_)
        if (output->entered || outputs_.size() == 1)
            factor = std::max(factor, output->factor);
    return static_cast<Scale120>(factor) * wholeScale;
}

void Outputs::entered(wl_output* which) {
    for (const auto& output : outputs_)
        if (output->output.get() == which)
            output->entered = true;
    changed_();
}

void Outputs::left(wl_output* which) {
    for (const auto& output : outputs_)
        if (output->output.get() == which)
            output->entered = false;
    changed_();
}

Outputs::Output::Output(Outputs& owner, Proxy<wl_output> proxy, std::uint32_t globalName)
    : outputs(owner)
    , output(std::move(proxy))
    , name(globalName) {
    static constexpr wl_output_listener listener{
        .geometry = ignoreEvent,
        .mode = EventHandler<&Output::mode>::call,
        .done = EventHandler<&Output::done>::call,
        .scale = EventHandler<&Output::setScale>::call,
    };
    wl_output_add_listener(output.get(), &listener, this);
}

void Outputs::Output::mode(std::uint32_t flags, std::int32_t, std::int32_t, std::int32_t refreshMilliHz) {
    if ((flags & WL_OUTPUT_MODE_CURRENT) != 0)
        refresh = std::max(0, refreshMilliHz);
}

void Outputs::Output::setScale(std::int32_t newFactor) {
    factor = std::clamp(newFactor, 1, largestFactor);
}

void Outputs::Output::done() {
    outputs.changed_();
}

} // namespace vgpuview

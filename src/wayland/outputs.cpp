// SPDX-License-Identifier: MIT
// The outputs that the window is on: refresh rate, scale, pixel density.
#include "wayland/outputs.h"

#include <algorithm>

namespace vgpuview {

namespace {

constexpr std::int32_t usualRefreshMilliHz = 60000;
constexpr std::int32_t lowestRefreshMilliHz = 1000;
constexpr std::int32_t highestRefreshMilliHz = 1000000;
constexpr std::int32_t largestFactor = 16;
// Beyond these, in pixels an inch, what an output says of its size is made up.
constexpr std::uint64_t coarsestDensity = 20;
constexpr std::uint64_t finestDensity = 1000;

/// How long so many pixels are where others have that length; 0: not known.
std::uint32_t millimetresOf(std::uint32_t pixels, std::uint32_t ofPixels, std::uint32_t millimetres) noexcept {
    if (ofPixels == 0 || millimetres == 0)
        return 0;
    const std::uint64_t tenthsOfInch = std::uint64_t{millimetres} * 100 / 254;
    if (ofPixels * 10ULL < coarsestDensity * tenthsOfInch || ofPixels * 10ULL > finestDensity * tenthsOfInch)
        return 0;
    return static_cast<std::uint32_t>((std::uint64_t{pixels} * millimetres + ofPixels / 2) / ofPixels);
}

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
    return Nanoseconds(1'000'000'000'000LL / refreshOf(fastest()));
}

const Outputs::Output* Outputs::fastest() const noexcept {
    const Output* found = nullptr;
    for (const auto& output : outputs_)
        if ((output->entered || outputs_.size() == 1) && (!found || output->refresh > found->refresh))
            found = output.get();
    return found;
}

std::int32_t Outputs::refreshOf(const Output* output) noexcept {
    if (!output || output->refresh == 0)
        return usualRefreshMilliHz;
    return std::clamp(output->refresh, lowestRefreshMilliHz, highestRefreshMilliHz);
}

GuestMonitor Outputs::monitorFor(Size devicePixels) const noexcept {
    const Output* output = fastest();
    GuestMonitor monitor{.size = devicePixels, .refreshMilliHz = static_cast<std::uint32_t>(refreshOf(output))};
    if (!output)
        return monitor;
    const auto asSeen = [&](Size size) { return output->turned ? Size{size.height, size.width} : size; };
    const Size pixels = asSeen(output->pixels);
    const Size panel = asSeen(output->millimetres);
    const Size picture{millimetresOf(devicePixels.width, pixels.width, panel.width),
                       millimetresOf(devicePixels.height, pixels.height, panel.height)};
    if (!picture.empty())
        monitor.millimetres = picture;
    return monitor;
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
        .geometry = EventHandler<&Output::geometry>::call,
        .mode = EventHandler<&Output::mode>::call,
        .done = EventHandler<&Output::done>::call,
        .scale = EventHandler<&Output::setScale>::call,
    };
    wl_output_add_listener(output.get(), &listener, this);
}

void Outputs::Output::geometry(std::int32_t, std::int32_t, std::int32_t widthMillimetres,
                               std::int32_t heightMillimetres, std::int32_t, const char*, const char*,
                               std::int32_t transform) {
    millimetres = {static_cast<std::uint32_t>(std::max(0, widthMillimetres)),
                   static_cast<std::uint32_t>(std::max(0, heightMillimetres))};
    turned = transform == WL_OUTPUT_TRANSFORM_90 || transform == WL_OUTPUT_TRANSFORM_270 ||
             transform == WL_OUTPUT_TRANSFORM_FLIPPED_90 || transform == WL_OUTPUT_TRANSFORM_FLIPPED_270;
}

void Outputs::Output::mode(std::uint32_t flags, std::int32_t width, std::int32_t height, std::int32_t refreshMilliHz) {
    if ((flags & WL_OUTPUT_MODE_CURRENT) == 0)
        return;
    refresh = std::max(0, refreshMilliHz);
    pixels = {static_cast<std::uint32_t>(std::max(0, width)), static_cast<std::uint32_t>(std::max(0, height))};
}

void Outputs::Output::setScale(std::int32_t newFactor) {
    factor = std::clamp(newFactor, 1, largestFactor);
}

void Outputs::Output::done() {
    outputs.changed_();
}

} // namespace vgpuview

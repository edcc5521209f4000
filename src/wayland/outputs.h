// SPDX-License-Identifier: MIT
// The outputs that the window is on: refresh rate, scale, pixel density.
#pragma once

#include "base/clock.h"
#include "frame/guest_monitor.h"
#include "loop/event_loop.h"
#include "wayland/connection.h"
#include "wayland/layout.h"

#include <functional>
#include <memory>
#include <vector>

namespace vgpuview {

class Outputs final : public OutputObserver {
public:
    /// changed: scale or refresh of the window's output may be another.
    Outputs(EventLoop& loop, std::function<void()> changed);
    Outputs(const Outputs&) = delete;
    Outputs& operator=(const Outputs&) = delete;

    void outputAdded(Proxy<wl_output> output, std::uint32_t name) override;
    void outputRemoved(std::uint32_t name) override;
    /// Follows on which outputs the surface is. It outlives this object.
    void follow(wl_surface* surface);

    /// Of the fastest output the window is on; 60 Hz where nothing is known.
    [[nodiscard]] Nanoseconds refreshInterval() const noexcept;
    /// A monitor that covers that much of the output the window is on: as fast, its pixels as large.
    [[nodiscard]] GuestMonitor monitorFor(Size devicePixels) const noexcept;
    /// The largest wl_output.scale the window is on, else the only output's.
    [[nodiscard]] Scale120 scale() const noexcept;

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    struct Output {
        Output(Outputs& owner, Proxy<wl_output> proxy, std::uint32_t globalName);
        Output(const Output&) = delete;
        Output& operator=(const Output&) = delete;

        void geometry(std::int32_t x, std::int32_t y, std::int32_t widthMillimetres, std::int32_t heightMillimetres,
                      std::int32_t subpixel, const char* make, const char* model, std::int32_t transform);
        void mode(std::uint32_t flags, std::int32_t width, std::int32_t height, std::int32_t refreshMilliHz);
        void setScale(std::int32_t factor);
        void done();
        void eventFailed(std::exception_ptr failure) noexcept { outputs.eventFailed(std::move(failure)); }

        Outputs& outputs;
        Proxy<wl_output> output;
        std::uint32_t name;
        std::int32_t refresh = 0; ///< milliHz, 0: unknown
        std::int32_t factor = 1;
        Size millimetres; ///< of the panel as it is mounted, as are the pixels; empty: unknown
        Size pixels;
        bool turned = false; ///< by 90 or 270 degrees
        bool entered = false;
    };

    /// The fastest that the window is on, or null.
    [[nodiscard]] const Output* fastest() const noexcept;
    [[nodiscard]] static std::int32_t refreshOf(const Output* output) noexcept;
    void entered(wl_output* output);
    void left(wl_output* output);

    EventLoop& loop_;
    std::function<void()> changed_;
    std::vector<std::unique_ptr<Output>> outputs_;
};

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// The outputs that the window is on: refresh rate and scale.
#pragma once

#include "base/clock.h"
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
    /// The largest wl_output.scale the window is on, else the only output's.
    [[nodiscard]] Scale120 scale() const noexcept;

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    struct Output {
        Output(Outputs& owner, Proxy<wl_output> proxy, std::uint32_t globalName);
        Output(const Output&) = delete;
        Output& operator=(const Output&) = delete;

        void mode(std::uint32_t flags, std::int32_t, std::int32_t, std::int32_t refreshMilliHz);
        void setScale(std::int32_t factor);
        void done();
        void eventFailed(std::exception_ptr failure) noexcept { outputs.eventFailed(std::move(failure)); }

        Outputs& outputs;
        Proxy<wl_output> output;
        std::uint32_t name;
        std::int32_t refresh = 0; ///< milliHz, 0: unknown
        std::int32_t factor = 1;
        bool entered = false;
    };

    void entered(wl_output* output);
    void left(wl_output* output);

    EventLoop& loop_;
    std::function<void()> changed_;
    std::vector<std::unique_ptr<Output>> outputs_;
};

} // namespace vgpuview

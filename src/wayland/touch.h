// SPDX-License-Identifier: MIT
// The touch screen: fingers to the guest.
#pragma once

#include "input/input_sink.h"
#include "loop/event_loop.h"
#include "wayland/pointer.h"
#include "wayland/proxy.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace vgpuview {

/// One wl_touch. Fingers that came down beside the guest's picture are none of the guest's.
class Touch final {
public:
    /// Only what happens on that surface counts. All outlive it.
    Touch(EventLoop& loop, Proxy<wl_touch> touch, wl_surface* window, InputSink& input);
    ~Touch();
    Touch(const Touch&) = delete;
    Touch& operator=(const Touch&) = delete;

    void setPicture(const std::optional<PictureArea>& area) { area_ = area; }

    void eventFailed(std::exception_ptr failure) noexcept { loop_.fail(std::move(failure)); }

private:
    void down(std::uint32_t serial, std::uint32_t time, wl_surface* surface, std::int32_t id, wl_fixed_t x,
              wl_fixed_t y);
    void up(std::uint32_t serial, std::uint32_t time, std::int32_t id);
    void motion(std::uint32_t time, std::int32_t id, wl_fixed_t x, wl_fixed_t y);
    void frame();
    void cancel();

    EventLoop& loop_;
    wl_surface* window_;
    InputSink& input_;
    std::optional<PictureArea> area_;
    std::vector<std::int32_t> fingers_; ///< that touch the guest
    Proxy<wl_touch> touch_;
};

} // namespace vgpuview

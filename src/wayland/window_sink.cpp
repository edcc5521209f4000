// SPDX-License-Identifier: MIT
// A Wayland window as a sink: the guest's buffers go to the compositor as they are.
#include "wayland/window_sink.h"

#include "wayland/window.h"

namespace vgpuview {

WindowSink::WindowSink(EventLoop& loop, Log& log, GpuFactory makeGpu, WindowOptions options)
    : window_(std::make_unique<Window>(loop, log, std::move(makeGpu), std::move(options), *this)) {}

WindowSink::~WindowSink() = default;

void WindowSink::attach(FrameDemand& demand) {
    window_->attach(demand);
}

void WindowSink::show(const FrameUpdate& update) {
    window_->show(update);
}

void WindowSink::forget(const Buffer& buffer) {
    window_->forget(buffer);
}

void WindowSink::sourceGone() {
    window_->sourceGone();
}

Nanoseconds WindowSink::pollInterval() const noexcept {
    return window_->pollInterval();
}

SinkReport WindowSink::report() const {
    return window_->report();
}

} // namespace vgpuview

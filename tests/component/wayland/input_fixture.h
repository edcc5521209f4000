// SPDX-License-Identifier: MIT
// A window whose events go to a guest that writes down, in words, what it is told.
#pragma once

#include "component/wayland/window_fixture.h"
#include "doubles/fake_input_backend.h"
#include "input/guest_input.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vgpuview::testing_wayland {

class InputTest : public WindowTest {
protected:
    ~InputTest() override { closeWindow(); }

    /// The window shows a picture of that size, and the guest has been told nothing yet.
    void openOn(Size picture, CompositorOptions options = {}, WindowOptions windowOptions = {}) {
        windowOptions.input = &input;
        source.flip(dmaBuf(picture));
        open(std::move(options), std::move(windowOptions));
        start();
        ASSERT_TRUE(until([&] { return mainSurface().mapped; }));
        guest.take();
    }
    void closeWindow() {
        if (window)
            engine.removeSink(*window);
        window.reset();
    }
    void user(const std::function<void(TestSeat&)>& does) { compositor->withSeat(does); }
    bool seat(const std::function<bool(TestSeat&)>& is) {
        bool answer = false;
        compositor->withSeat([&](TestSeat& which) { answer = is(which); });
        return answer;
    }
    /// What the guest was told since the last call, once all that the user did has arrived.
    std::vector<std::string> told() {
        settle();
        return guest.take();
    }
    /// Returns when the window has seen all that the compositor sent.
    void settle() {
        // Events come in order: what was sent before a ping has been seen when it is answered.
        compositor->ping();
        EXPECT_TRUE(until([&] { return compositor->ponged(); }));
        loop.iterate(Nanoseconds{});
    }

    doubles::FakeGuest guest;
    GuestInput input{std::make_unique<doubles::FakeInputBackend>(guest), HeldKeys()};
};

} // namespace vgpuview::testing_wayland

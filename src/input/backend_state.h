// SPDX-License-Identifier: MIT
// What a back end tells about itself: to its observer, and in the log.
#pragma once

#include "base/log.h"
#include "input/input_backend.h"
#include "loop/event_loop.h"

#include <string>

namespace vgpuview {

/// Tells the observer in the loop's next turn. Logs each reason to be off once, until input is on again.
class BackendState {
public:
    BackendState(EventLoop& loop, Log& log, std::string description);

    void set(InputStatus status, PointerMode mode);
    [[nodiscard]] const InputStatus& status() const noexcept { return status_; }
    [[nodiscard]] bool ready() const noexcept { return status_.state == InputState::ready; }
    [[nodiscard]] PointerMode pointerMode() const noexcept { return mode_; }
    [[nodiscard]] const std::string& description() const noexcept { return description_; }

    void observe(InputBackendObserver* observer) noexcept { observer_ = observer; }
    void motionTaken();

private:
    void tell();

    EventLoop& loop_;
    Log& log_;
    std::string description_;
    InputBackendObserver* observer_ = nullptr;
    InputStatus status_;
    InputStatus toldStatus_;
    PointerMode mode_ = PointerMode::none;
    PointerMode toldMode_ = PointerMode::none;
    std::string lastLogged_;
    Watch telling_;
};

} // namespace vgpuview

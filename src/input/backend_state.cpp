// SPDX-License-Identifier: MIT
// What a back end tells about itself.
#include "input/backend_state.h"

#include <utility>

namespace vgpuview {

BackendState::BackendState(EventLoop& loop, Log& log, std::string description)
    : loop_(loop)
    , log_(log)
    , description_(std::move(description)) {}

void BackendState::set(InputStatus status, PointerMode mode) {
    mode_ = mode;
    if (status != status_) {
        status_ = std::move(status);
        if (status_.state == InputState::off && status_.reason != lastLogged_) {
            log_.warning("input is off: {}: {}", description_, status_.reason);
            lastLogged_ = status_.reason;
        }
        if (status_.state == InputState::ready) {
            log_.info("input goes to {}, pointer {}", description_, nameOf(mode_));
            lastLogged_.clear();
        }
    }
    if ((status_ != toldStatus_ || mode_ != toldMode_) && !telling_)
        telling_ = loop_.nextTurn([this] { tell(); });
}

void BackendState::motionTaken() {
    if (observer_ != nullptr)
        observer_->motionTaken();
}

void BackendState::tell() {
    telling_ = {};
    if (status_ == toldStatus_ && mode_ == toldMode_)
        return;
    toldStatus_ = status_;
    toldMode_ = mode_;
    if (observer_ != nullptr)
        observer_->backendChanged();
}

} // namespace vgpuview

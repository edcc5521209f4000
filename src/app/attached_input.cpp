// SPDX-License-Identifier: MIT
// The input of whichever guest is attached to.
#include "app/attached_input.h"

#include "app/input_factory.h"

#include <utility>

namespace vgpuview {

AttachedInput::AttachedInput(const InputOptions& options, HostPaths paths, EventLoop& loop, Log& log)
    : paths_(std::move(paths))
    , loop_(loop)
    , log_(log)
    , named_(options.named()) {
    if (named_)
        take(makeNamedInput(options, loop, log));
}

AttachedInput::~AttachedInput() = default;

void AttachedInput::attach(const SourceDescription& source) {
    if (named_)
        return;
    FoundInput found;
    if (source.vmProcess > 0)
        found = findInput(paths_, source.vmProcess, loop_, log_);
    absent_.reason = std::move(found.reason);
    take(std::move(found.sink));
    inputChanged();
}

void AttachedInput::detach() {
    if (named_)
        return;
    absent_.reason.clear();
    take(nullptr);
    inputChanged();
}

void AttachedInput::take(std::unique_ptr<InputSink> sink) {
    sink_ = std::move(sink);
    if (sink_)
        sink_->observe(this);
}

void AttachedInput::inputChanged() {
    if (observer_ != nullptr)
        observer_->inputChanged();
}

void AttachedInput::key(std::uint32_t evdevCode, KeyState state) {
    if (sink_)
        sink_->key(evdevCode, state);
}
void AttachedInput::button(std::uint32_t evdevCode, ButtonState state) {
    if (sink_)
        sink_->button(evdevCode, state);
}
void AttachedInput::moveTo(double x, double y) {
    if (sink_)
        sink_->moveTo(x, y);
}
void AttachedInput::moveBy(double dx, double dy) {
    if (sink_)
        sink_->moveBy(dx, dy);
}
void AttachedInput::scroll(ScrollAxis axis, std::int32_t value120) {
    if (sink_)
        sink_->scroll(axis, value120);
}
void AttachedInput::touchDown(std::int32_t id, double x, double y) {
    if (sink_)
        sink_->touchDown(id, x, y);
}
void AttachedInput::touchMove(std::int32_t id, double x, double y) {
    if (sink_)
        sink_->touchMove(id, x, y);
}
void AttachedInput::touchUp(std::int32_t id) {
    if (sink_)
        sink_->touchUp(id);
}
void AttachedInput::frame() {
    if (sink_)
        sink_->frame();
}
void AttachedInput::releaseAll() {
    if (sink_)
        sink_->releaseAll();
}

PointerMode AttachedInput::pointerMode() const noexcept {
    return sink_ ? sink_->pointerMode() : PointerMode::none;
}
const InputStatus& AttachedInput::status() const noexcept {
    return sink_ ? sink_->status() : absent_;
}
const std::string& AttachedInput::description() const noexcept {
    return sink_ ? sink_->description() : noDescription_;
}

} // namespace vgpuview

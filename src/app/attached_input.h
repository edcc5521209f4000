// SPDX-License-Identifier: MIT
// The input of whichever guest is attached to.
#pragma once

#include "app/input_options.h"
#include "base/log.h"
#include "frame/frame_source.h"
#include "input/input_sink.h"
#include "loop/event_loop.h"
#include "vfio/host_paths.h"

#include <memory>

namespace vgpuview {

/// One sink for the whole run, while guests come and go. Where there is no guest, or no way to it, status() is off; its
/// reason is empty where nothing is amiss.
class AttachedInput final : public InputSink, private InputObserver {
public:
    /// Takes a way that the options name at once, and for good. All are copied or outlive it. Throws Error (usage).
    AttachedInput(const InputOptions& options, HostPaths paths, EventLoop& loop, Log& log);
    ~AttachedInput() override;
    AttachedInput(const AttachedInput&) = delete;
    AttachedInput& operator=(const AttachedInput&) = delete;

    /// A source was opened: looks for the way to its guest, unless one was named.
    void attach(const SourceDescription& source);
    /// It ended.
    void detach();

    void key(std::uint32_t evdevCode, KeyState state) override;
    void button(std::uint32_t evdevCode, ButtonState state) override;
    void moveTo(double x, double y) override;
    void moveBy(double dx, double dy) override;
    void scroll(ScrollAxis axis, std::int32_t value120) override;
    void touchDown(std::int32_t id, double x, double y) override;
    void touchMove(std::int32_t id, double x, double y) override;
    void touchUp(std::int32_t id) override;
    void frame() override;
    void releaseAll() override;

    [[nodiscard]] PointerMode pointerMode() const noexcept override;
    [[nodiscard]] const InputStatus& status() const noexcept override;
    [[nodiscard]] const std::string& description() const noexcept override;
    void observe(InputObserver* observer) noexcept override { observer_ = observer; }

private:
    void inputChanged() override;
    void take(std::unique_ptr<InputSink> sink);

    HostPaths paths_;
    EventLoop& loop_;
    Log& log_;
    bool named_;
    InputObserver* observer_ = nullptr;
    InputStatus absent_{.state = InputState::off};
    std::string noDescription_;
    std::unique_ptr<InputSink> sink_;
};

} // namespace vgpuview

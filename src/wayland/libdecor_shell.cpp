// SPDX-License-Identifier: MIT
// A window with decorations of libdecor's, for compositors that draw none (GNOME).
#include "wayland/libdecor_shell.h"

#include "base/error.h"
#include "frame/plane_check.h"

#include <libdecor.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vgpuview {

namespace {

// Before the first picture the window has no size; nothing is drawn yet.
constexpr Size provisionalSize{640, 480};

constexpr unsigned bindingStates = LIBDECOR_WINDOW_STATE_MAXIMIZED | LIBDECOR_WINDOW_STATE_FULLSCREEN |
                                   LIBDECOR_WINDOW_STATE_TILED_LEFT | LIBDECOR_WINDOW_STATE_TILED_RIGHT |
                                   LIBDECOR_WINDOW_STATE_TILED_TOP | LIBDECOR_WINDOW_STATE_TILED_BOTTOM;
#if VGPUVIEW_LIBDECOR_SUSPENDED
constexpr unsigned suspendedState = LIBDECOR_WINDOW_STATE_SUSPENDED;
#else
constexpr unsigned suspendedState = 0;
#endif

struct StateDeleter {
    void operator()(libdecor_state* state) const noexcept { libdecor_state_free(state); }
};

} // namespace

void LibdecorShell::ContextDeleter::operator()(libdecor* context) const noexcept {
    libdecor_unref(context);
}

void LibdecorShell::FrameDeleter::operator()(libdecor_frame* frame) const noexcept {
    libdecor_frame_unref(frame);
}

template<typename Handler>
void LibdecorShell::guarded(void* self, const Handler& handler) noexcept {
    auto* shell = static_cast<LibdecorShell*>(self);
    try {
        handler(*shell);
    } catch (...) {
        shell->loop_.fail(std::current_exception());
    }
}

const libdecor_frame_interface& LibdecorShell::frameEvents() noexcept {
    static constexpr libdecor_frame_interface events{
        .configure = [](libdecor_frame*, libdecor_configuration* configuration,
                        void* self) { guarded(self, [=](LibdecorShell& shell) { shell.configure(configuration); }); },
        .close = [](libdecor_frame*,
                    void* self) { guarded(self, [](LibdecorShell& shell) { shell.observer_.shellClosed(); }); },
        .commit =
            [](libdecor_frame*, void* self) {
                auto* shell = static_cast<LibdecorShell*>(self);
                // What belongs to a new size waits for the picture of that size.
                if (shell->committing_ == Committing::byObserver)
                    shell->news_ = true;
                else
                    wl_surface_commit(shell->surface_);
            },
        .dismiss_popup = [](libdecor_frame*, const char*, void*) {},
    };
    return events;
}

libdecor_interface& LibdecorShell::contextEvents() noexcept {
    // Its errors are of compositors without xdg-shell, which the connection has refused before, and of frames without
    // a size.
    static libdecor_interface events{.error = [](libdecor*, libdecor_error, const char*) {}};
    return events;
}

LibdecorShell::LibdecorShell(EventLoop& loop, wl_display* display, wl_surface* surface, const WindowOptions& options,
                             ShellObserver& observer)
    : loop_(loop)
    , surface_(surface)
    , observer_(observer)
    , context_(libdecor_new(display, &contextEvents())) {
    // Only read, but the interface has no const.
    auto* events = const_cast<libdecor_frame_interface*>(&frameEvents());
    if (context_)
        frame_.reset(libdecor_decorate(context_.get(), surface, events, this));
    if (!frame_)
        throw Error(EIO, {.operation = "decorate", .object = "the window", .cause = "libdecor does not work here"});
    libdecor_frame_set_app_id(frame_.get(), options.appId.c_str());
    if (options.start == StartMode::fullScreen)
        setFullScreen(true);
    libdecor_frame_map(frame_.get());
}

void LibdecorShell::setTitle(const std::string& title) {
    libdecor_frame_set_title(frame_.get(), title.c_str());
}

void LibdecorShell::setFullScreen(bool wanted) {
    // Version 0.1.1 asks the toplevel without looking whether it is there yet.
    if (!toplevel()) {
        startsFullScreen_ = wanted;
        return;
    }
    if (wanted)
        libdecor_frame_set_fullscreen(frame_.get(), nullptr);
    else
        libdecor_frame_unset_fullscreen(frame_.get());
}

xdg_toplevel* LibdecorShell::toplevel() const noexcept {
    return libdecor_frame_get_xdg_toplevel(frame_.get());
}

bool LibdecorShell::accept(Size size) {
    if (size != content_) {
        content_ = size;
        commitContent(nullptr);
        news_ = true;
    }
    return std::exchange(news_, false);
}

void LibdecorShell::afterEvents() {
    // Decorations of toolkits have events of their own. Nothing waits; what fails shows when the connection is read.
    static_cast<void>(libdecor_dispatch(context_.get(), 0));
    if (toplevel() && std::exchange(startsFullScreen_, false))
        setFullScreen(true);
}

void LibdecorShell::configure(libdecor_configuration* configuration) {
    libdecor_window_state flags = LIBDECOR_WINDOW_STATE_NONE;
    unsigned states = 0;
    if (libdecor_configuration_get_window_state(configuration, &flags))
        states = flags;
    state_ = {.configured = true,
              .size = {},
              .sizeBinding = (states & bindingStates) != 0,
              .fullScreen = (states & LIBDECOR_WINDOW_STATE_FULLSCREEN) != 0,
              .suspended = (states & suspendedState) != 0};
    int width = 0;
    int height = 0;
    if (libdecor_configuration_get_content_size(configuration, frame_.get(), &width, &height) && width > 0 &&
        height > 0) {
        state_.size = {std::min(static_cast<std::uint32_t>(width), maxPlaneExtent),
                       std::min(static_cast<std::uint32_t>(height), maxPlaneExtent)};
        content_ = state_.size;
    } else if (content_.empty()) {
        content_ = provisionalSize;
    }
    commitContent(configuration);
    news_ = true;
    observer_.shellConfigured();
}

void LibdecorShell::commitContent(libdecor_configuration* configuration) {
    const std::unique_ptr<libdecor_state, StateDeleter> state(
        libdecor_state_new(static_cast<int>(content_.width), static_cast<int>(content_.height)));
    committing_ = Committing::byObserver;
    libdecor_frame_commit(frame_.get(), state.get(), configuration);
    committing_ = Committing::byLibdecor;
}

} // namespace vgpuview

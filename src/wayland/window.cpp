// SPDX-License-Identifier: MIT
// The window: puts connection, surfaces, buffers and pacing together.
#include "wayland/window.h"

#include "base/error.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>

namespace vgpuview {

namespace {

constexpr Size sizeWithoutPicture{640, 480};
constexpr std::string_view quirkOfLostSign = "cursor-sign-dropped";
constexpr Scale120 smallestScale = wholeScale / 4;
constexpr Scale120 largestScale = wholeScale * 16;

// libdecor needs a few to come to its first configure; a compositor that takes longer is heard later.
constexpr unsigned mostRoundtrips = 8;

/// libdecor does not pass on what compositors say of visibility in all its versions.
Visibility visibilityOn(const Globals& globals) noexcept {
    return decorationsOn(globals) != Decorations::libdecor && xdg_wm_base_get_version(globals.shell.get()) >= 6
               ? Visibility::told
               : Visibility::guessed;
}

/// Cut between characters of UTF-8: a message holds no more than 4096 bytes.
std::string_view shortened(std::string_view text) noexcept {
    constexpr std::size_t longest = 200;
    if (text.size() <= longest)
        return text;
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

} // namespace

WindowSink::Window::Window(EventLoop& loop, Log& log, GpuFactory makeGpu, WindowOptions options, WindowSink& sink)
    : loop_(loop)
    , log_(log)
    , options_(std::move(options))
    , sink_(sink)
    , connection_(loop, std::move(options_.display))
    , outputs_(loop, [this] { outputsChanged(); })
    , formats_(loop, connection_.globals().dmabuf.get())
    , imports_(connection_.globals(), connection_.display(), formats_, *this)
    , blits_(imports_, formats_, log, std::move(makeGpu))
    , primaryCopies_(connection_.globals(), *this, WL_SHM_FORMAT_XRGB8888)
    , presentation_(loop, connection_.globals().presentation.get())
    , black_(makeBlack())
    , main_(connection_.globals())
    , video_(connection_.globals(), main_, Surface::Pointer::passes)
    , cursor_(connection_.globals(), main_, imports_, blits_, *this, options_.cursor)
    , hints_(connection_.globals(), options_.tearing, main_, video_)
    , overlay_(
          loop, connection_.globals(), main_, *this, [this] { return overlayFacts(); },
          [this] {
              main_.touch();
              commitAll();
          })
    , pacing_(loop, sink, visibilityOn(connection_.globals()),
              [this] {
                  requestCallback();
                  commitAll();
              })
    , resize_(loop, sink, log, options_.resize, options_.size)
    , seat_(loop, connection_.globals(), main_.get(), options_.input, options_.hotKeys, *this) {
    const Globals& globals = connection_.globals();
    main_.makeOpaque(globals);
    video_.makeOpaque(globals);
    connection_.observeOutputs(outputs_);
    outputs_.follow(main_.get());
    if (globals.fractionalScale) {
        static constexpr wp_fractional_scale_v1_listener listener{.preferred_scale =
                                                                      EventHandler<&Window::preferredScale>::call};
        fractionalScale_.reset(
            wp_fractional_scale_manager_v1_get_fractional_scale(globals.fractionalScale.get(), main_.get()));
        wp_fractional_scale_v1_add_listener(fractionalScale_.get(), &listener, this);
    }
    shell_ = makeShell(loop, connection_.display(), globals, main_.get(), options_, *this);
    // Formats, outputs and the clock are known after this; the first configure usually is too.
    connection_.roundtrip();
    for (unsigned i = 1; i < mostRoundtrips && !shell_->state().configured; ++i) {
        shell_->afterEvents();
        connection_.roundtrip();
    }
    presentation_.observe([this](const PresentedFrame& frame) {
        overlay_.presented(frame.presentedAt - frame.queriedAt, frame.zeroCopy);
        if (options_.latency == Latency::low)
            latePolling_.presented(frame.committedAt, frame.presentedAt, frame.refresh);
    });
    if (options_.latency == Latency::low)
        pacing_.askAt([this](TimePoint now) { return latePolling_.next(now); });
    hints_.nameIcon(shell_->toplevel(), options_.appId.c_str());
    built_ = true;
    if (options_.input != nullptr)
        options_.input->observe(this);
    connection_.start([this] { afterEvents(); });
}

WindowSink::Window::~Window() {
    if (options_.input != nullptr)
        options_.input->observe(nullptr);
}

ClientBuffer WindowSink::Window::makeBlack() {
    const Globals& globals = connection_.globals();
    Proxy<wl_buffer> buffer;
    if (globals.singlePixel) {
        buffer.reset(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(
            globals.singlePixel.get(), 0, 0, 0, std::numeric_limits<std::uint32_t>::max()));
    } else {
        constexpr std::int32_t bytes = 4;
        const UniqueFd memory(::memfd_create("vgpu-view black", MFD_CLOEXEC));
        if (!memory || ::ftruncate(memory.get(), bytes) != 0)
            throw Error(errno, {.operation = "create", .object = "shared memory for the compositor"});
        const Proxy<wl_shm_pool> pool(wl_shm_create_pool(globals.shm.get(), memory.get(), bytes));
        buffer.reset(wl_shm_pool_create_buffer(pool.get(), 0, 1, 1, bytes, WL_SHM_FORMAT_XRGB8888));
    }
    return {std::move(buffer), {1, 1}, nullptr, nullptr};
}

void WindowSink::Window::attach(FrameDemand& demand) {
    demand_ = &demand;
    if (options_.overlay == StatisticsOverlay::shown && !overlay_.on())
        overlay_.toggle();
    pacing_.attach(demand);
    resize_.attach(demand, options_.size ? std::optional(outputs_.monitorFor(options_.size->size)) : std::nullopt);
    if (shell_->state().configured)
        pacing_.start();
}

void WindowSink::Window::show(const FrameUpdate& update) {
    pacing_.shown();
    resize_.sourceIs(update.source);
    frame_ = update.frame;
    pollDuration_ = update.pollDuration;
    shown_ = true;
    if (update.primaryChanged) {
        primaryDirty_ = true;
        damage_.add(update.primaryDamage);
    }
    cursorDirty_ = cursorDirty_ || update.cursorChanged;
    noteTitle(update.source);
    cursorSignDropped_ = std::ranges::find(update.source.quirks, quirkOfLostSign) != update.source.quirks.end();
    present();
}

Nanoseconds WindowSink::Window::pollInterval() const noexcept {
    const TimePoint now = loop_.now();
    return latePolling_.nextAfter(now, outputs_.refreshInterval()) - now;
}

void WindowSink::Window::forget(const Buffer& buffer) {
    cursor_.forget(buffer);
    imports_.forget(buffer.id());
    blits_.forget(buffer);
}

void WindowSink::Window::sourceGone() {
    frame_ = {};
    primaryDirty_ = true;
    cursorDirty_ = true;
    present();
    // Where the window is not there yet, nothing was presented.
    video_.hide();
    cursor_.sourceGone();
    picture_ = nullptr;
    blits_.clear();
    imports_.clear();
    primaryCopies_.clear();
    route_ = Route::none;
    connection_.flush();
}

void WindowSink::Window::shellConfigured() {
    configureNews_ = true;
}

void WindowSink::Window::shellClosed() {
    if (demand_)
        demand_->sinkClosed(sink_);
}

void WindowSink::Window::importSettled() {
    pacing_.importDone();
    retry_ = true;
}

void WindowSink::Window::bufferReleased() {
    retry_ = true;
}

void WindowSink::Window::preferredScale(std::uint32_t scale) {
    fractional_ = std::clamp(scale, smallestScale, largestScale);
    configureNews_ = true;
}

void WindowSink::Window::outputsChanged() {
    if (!built_)
        return;
    configureNews_ = true;
    pacing_.awaken();
}

void WindowSink::Window::callbackDone(std::uint32_t) {
    callback_.reset();
    pacing_.callbackDone();
}

void WindowSink::Window::inputChanged() {
    seat_.inputChanged();
    grabChanged();
}

HostPointer WindowSink::Window::hostPointer() const noexcept {
    if (options_.input == nullptr || options_.input->status().state != InputState::ready)
        return HostPointer::stranger;
    switch (options_.input->pointerMode()) {
    case PointerMode::absolute:
        return HostPointer::leader;
    case PointerMode::relative:
        return seat_.grabbed() ? HostPointer::captured : HostPointer::stranger;
    case PointerMode::none:
        break;
    }
    return HostPointer::stranger;
}

void WindowSink::Window::grabChanged() {
    if (titled_)
        shell_->setTitle(titleNow());
    refreshCursor();
}

void WindowSink::Window::pointerEntered(wl_pointer* pointer, std::uint32_t serial) {
    cursor_.pointerEntered(pointer, serial);
    refreshCursor();
}

void WindowSink::Window::pointerLeft() {
    cursor_.pointerLeft();
    refreshCursor();
}

void WindowSink::Window::pointerMoved(Point guestPixel) {
    cursor_.pointerMoved(guestPixel);
}

void WindowSink::Window::hotKeyPressed(HotKeyAction action) {
    switch (action) {
    case HotKeyAction::fullScreen:
        shell_->setFullScreen(!shell_->state().fullScreen);
        break;
    case HotKeyAction::screenshot:
        if (options_.saveScreenshot)
            options_.saveScreenshot(frame_, titleName_);
        break;
    case HotKeyAction::statistics:
        overlay_.toggle();
        break;
    case HotKeyAction::quit:
        shellClosed();
        break;
    default:
        break;
    }
}

void WindowSink::Window::afterEvents() {
    shell_->afterEvents();
    // Of several configures only the newest counts, so they are looked at when all are read.
    if (std::exchange(configureNews_, false) && shell_->state().configured) {
        if (demand_)
            pacing_.start();
        pacing_.suspended(shell_->state().suspended);
        if (shell_->state().suspended)
            seat_.letGo();
        pacing_.awaken();
        present();
    } else if (retry_ && (primaryDirty_ || cursorDirty_)) {
        present();
    }
    if (std::exchange(retry_, false))
        imports_.collect();
}

Scale120 WindowSink::Window::scale() const noexcept {
    return fractional_ ? *fractional_ : outputs_.scale();
}

Size WindowSink::Window::windowSize() noexcept {
    const ShellState& state = shell_->state();
    // A size that only repeats the window's own choice does not bind it.
    const Size picture = frame_.primary ? frame_.primary->buffer->layout().size : Size{};
    if (!state.size.empty() && (state.sizeBinding || state.size != ownSize_)) {
        resize_.windowIs(outputs_.monitorFor(deviceSize(state.size, scale())), picture);
        return state.size;
    }
    if (options_.size)
        ownSize_ = naturalWindowSize(options_.size->size, scale());
    else if (!picture.empty() && (ownSize_.empty() || !resize_.leads()))
        ownSize_ = naturalWindowSize(picture, scale());
    else if (ownSize_.empty())
        ownSize_ = sizeWithoutPicture;
    if (resize_.leads())
        resize_.windowIs(outputs_.monitorFor(options_.size ? options_.size->size : deviceSize(ownSize_, scale())),
                         picture);
    return ownSize_;
}

void WindowSink::Window::present() {
    if (!shown_ || !shell_->state().configured)
        return;
    ClientBuffer* picture = nullptr;
    if (frame_.primary) {
        picture = primaryDirty_ || !picture_ ? resolvePrimary() : picture_;
        if (!picture) {
            pacing_.waitingForImport();
            return;
        }
    }
    const Size window = windowSize();
    overlay_.scaleTo(scale());
    if (shell_->accept(window))
        main_.touch();
    placePrimary(picture, window);
    placeCursor();
    hints_.showing(stage(), shell_->state().fullScreen);
    requestCallback();
    commitAll();
    imports_.collect();
    primaryCopies_.collect();
    cursor_.collect();
}

void WindowSink::Window::placePrimary(ClientBuffer* picture, Size window) {
    if (!picture) {
        video_.hide();
        if (main_.content() != &black_)
            main_.show(black_, {{0, 0}, {1, 1}}, window);
        main_.resize({{0, 0}, {1, 1}}, window);
        main_.damage(Damage::all({1, 1}));
        picture_ = nullptr;
        layout_ = {};
        seat_.setPicture({});
        primaryDirty_ = false;
        damage_.clear();
        return;
    }
    layout_ = layOut(window, picture->size(), options_.scale, scale());
    seat_.setPicture(PictureArea{.layout = layout_, .picture = picture->size()});
    Surface& stage = layout_.fillsWindow ? main_ : video_;
    const Rect source = layout_.picture.source;
    const Rect destination = layout_.picture.destination;
    if (layout_.fillsWindow) {
        video_.hide();
    } else {
        if (main_.content() != &black_) {
            main_.show(black_, {{0, 0}, {1, 1}}, window);
            main_.damage(Damage::all({1, 1}));
        }
        main_.resize({{0, 0}, {1, 1}}, window);
        video_.move(destination.origin);
    }
    const bool otherContent = stage.content() != picture;
    if (primaryDirty_ || otherContent) {
        if (!stage.content() || stage.content() == &black_ || damage_.empty())
            damage_ = Damage::all(picture->size());
        stage.show(*picture, source, destination.size);
        stage.damage(damage_);
        presentation_.follow(stage.get(), frame_.queriedAt);
        latePolling_.committed(loop_.now());
        overlay_.shown(frame_.sequence, pollDuration_);
        ++commits_;
    } else {
        stage.resize(source, destination.size);
    }
    picture_ = picture;
    primaryDirty_ = false;
    damage_.clear();
}

void WindowSink::Window::placeCursor() {
    cursor_.hostPointerIs(hostPointer());
    cursorDirty_ = !cursor_.show({.plane = frame_.cursor,
                                  .layout = picture_ != nullptr ? &layout_ : nullptr,
                                  .scale = scale(),
                                  .signDropped = cursorSignDropped_});
}

void WindowSink::Window::refreshCursor() {
    if (!shown_ || !shell_->state().configured)
        return;
    placeCursor();
    commitAll();
}

ClientBuffer* WindowSink::Window::resolvePrimary() {
    const BufferRef& buffer = frame_.primary->buffer;
    Import& import = imports_.of(buffer, PlaneType::primary);
    switch (import.state()) {
    case ImportState::pending:
        return nullptr;
    case ImportState::ready:
        takeRoute(buffer->kind() == BufferKind::dmaBuf ? Route::dmaBuf : Route::sharedMemory, {});
        return &import.buffer();
    case ImportState::refused:
        break;
    }
    if (options_.zeroCopy == ZeroCopy::required)
        throw Error(EOPNOTSUPP, {.operation = "show",
                                 .object = fmt::format("the guest's {} picture without a copy",
                                                       vgpuview::nameOf(buffer->layout().format)),
                                 .cause = import.refusal(),
                                 .hint = "leave out --require-zero-copy to let it be copied",
                                 .exit = ExitCode::notSupported});
    if (buffer->kind() == BufferKind::dmaBuf) {
        const Blits::Result blit = blits_.draw(*buffer);
        if (blit.buffer)
            takeRoute(Route::blit, import.refusal());
        if (!blit.impossible)
            return blit.buffer;
    }
    return copyOf(*frame_.primary, import.refusal());
}

ClientBuffer* WindowSink::Window::copyOf(const Plane& plane, const std::string& why) {
    const Buffer& from = *plane.buffer;
    ClientBuffer* to = primaryCopies_.next(from.layout().size);
    if (!to)
        return nullptr;
    const std::span<std::uint32_t> pixels = primaryCopies_.pixels();
    if (!copyPicture(from, pixels) && !blits_.read(from, pixels))
        throw Error(EOPNOTSUPP,
                    {.operation = "show",
                     .object = fmt::format("the guest's {} picture", vgpuview::nameOf(from.layout().format)),
                     .cause = fmt::format("{}, and it cannot be copied either", why),
                     .hint = "`vgpu-view doctor` tells what this host lacks",
                     .exit = ExitCode::notSupported});
    bytesCopied_ += pixels.size_bytes();
    takeRoute(Route::copy, why);
    return to;
}

void WindowSink::Window::requestCallback() {
    Surface& stage = this->stage();
    if (callback_ && callbackSurface_ == &stage)
        return;
    static constexpr wl_callback_listener listener{.done = EventHandler<&Window::callbackDone>::call};
    callback_.reset(wl_surface_frame(stage.get()));
    wl_callback_add_listener(callback_.get(), &listener, this);
    callbackSurface_ = &stage;
    stage.touch();
    pacing_.callbackRequested();
}

void WindowSink::Window::commitAll() {
    // Children first: what they commit shows with the parent's commit, all at once.
    bool any = main_.dirty();
    for (Surface* surface : {&cursor_.surface(), &video_})
        if (surface->dirty()) {
            surface->commit();
            any = true;
        }
    // A window that does not show anything yet must not be committed before its time.
    if (Surface* figures = overlay_.surface(); figures != nullptr && figures->dirty() && main_.content() != nullptr) {
        figures->commit();
        any = true;
    }
    if (any)
        main_.commit();
    overlay_.collect();
}

void WindowSink::Window::noteTitle(const SourceDescription& source) {
    const Size mode = frame_.primary ? frame_.primary->buffer->layout().size : Size{};
    const std::string& name = source.vmName.empty() ? source.name : source.vmName;
    if (titled_ && mode == titleMode_ && name == titleName_)
        return;
    titled_ = true;
    titleMode_ = mode;
    titleName_ = name;
    shell_->setTitle(titleNow());
}

std::string WindowSink::Window::titleNow() const {
    std::string title = fmt::format("{} - ", shortened(options_.title.empty() ? titleName_ : options_.title));
    title += titleMode_.empty() ? "no picture" : fmt::format("{}x{}", titleMode_.width, titleMode_.height);
    if (options_.input == nullptr)
        return title;
    const InputStatus& status = options_.input->status();
    if (status.state == InputState::off && !status.reason.empty())
        title += fmt::format(" (input is off: {})", shortened(status.reason));
    if (const auto chord = options_.hotKeys.chordOf(HotKeyAction::grab); chord && seat_.grabbed())
        title += fmt::format(" ({} lets go)", textOf(*chord));
    return title;
}

} // namespace vgpuview

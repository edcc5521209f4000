// SPDX-License-Identifier: MIT
// One "vGPU capture" in OBS: what the guest shows, as a source of a scene.
#include "obs/capture_source.h"

#include "base/pixel_format.h"
#include "obs/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace vgpuview {

namespace {

constexpr Nanoseconds firstAttemptInterval = std::chrono::seconds(1);
constexpr Nanoseconds longestAttemptInterval = std::chrono::seconds(4);

TimePoint timeNow() noexcept {
    return MonotonicClock().now();
}

} // namespace

CaptureSource::CaptureSource(obs_data& settings, obs_source& source)
    : log_(&source)
    , worker_(log_)
    , settings_(readSettings(settings))
    , attemptInterval_(firstAttemptInterval)
    , primary_(AlphaUse::opaque, log_)
    , cursor_(AlphaUse::premultiplied, log_) {}

CaptureSource::~CaptureSource() {
    const GraphicsScope graphics;
    closeSession();
    lastPicture_.reset();
}

void CaptureSource::update(obs_data& settings) {
    CaptureSettings read = readSettings(settings);
    const std::lock_guard lock(mutex_);
    newSettings_ = std::move(read);
}

void CaptureSource::tick() {
    adoptSettings();
    if (session_) {
        // Also while hidden: a device whose VM ended must be let go of.
        try {
            session_->iterate();
        } catch (const std::exception& error) {
            endSession(error.what());
            return;
        }
        session_->setShowing(showing_);
        if (ended_)
            endSession(session_->source().endReason());
        else if (showing_)
            pollSession();
        else if (!retired_.empty())
            forgetRetired();
    } else if (showing_ || opening_) {
        awaitSession();
    }
}

void CaptureSource::adoptSettings() {
    std::optional<CaptureSettings> fresh;
    {
        const std::lock_guard lock(mutex_);
        fresh = std::exchange(newSettings_, std::nullopt);
    }
    if (!fresh)
        return;
    const bool moved = fresh->origin != settings_.origin;
    settings_ = std::move(*fresh);
    if (moved) {
        const GraphicsScope graphics;
        closeSession();
        lastPicture_.reset();
        pictureSize_ = {};
        opening_ = false;
        nextAttempt_ = {};
        attemptInterval_ = firstAttemptInterval;
        lastFailure_.clear();
        setStatus({});
    }
    setPictureSize(pictureSize_);
}

void CaptureSource::awaitSession() {
    if (!opening_) {
        if (timeNow() < nextAttempt_)
            return;
        worker_.open(settings_.origin);
        opening_ = true;
        return;
    }
    std::optional<OpenResult> result = worker_.takeResult();
    if (!result)
        return;
    opening_ = false;
    if (auto* session = std::get_if<std::unique_ptr<Session>>(&*result))
        adopt(std::move(*session));
    else
        failed(std::get<OpenFailure>(*result));
}

void CaptureSource::adopt(std::unique_ptr<Session> session) {
    session_ = std::move(session);
    session_->source().observe(this);
    ended_ = false;
    attemptInterval_ = firstAttemptInterval;
    lastFailure_.clear();
    const SourceDescription& description = session_->source().description();
    log_.info("opened {}{}{}", description.address, description.vmName.empty() ? "" : ", VM ", description.vmName);
    setStatus(fmt::format("{}: no picture yet", description.address));
    if (showing_) {
        session_->setShowing(true);
        pollSession();
    }
}

void CaptureSource::failed(const OpenFailure& failure) {
    nextAttempt_ = timeNow() + attemptInterval_;
    attemptInterval_ = std::min(2 * attemptInterval_, longestAttemptInterval);
    if (failure.message == lastFailure_)
        return;
    lastFailure_ = failure.message;
    log_.error("{}{}{}", failure.message, failure.hint.empty() ? "" : "; hint: ", failure.hint);
    setStatus(failure.hint.empty() ? failure.message : failure.message + "\n" + failure.hint);
}

void CaptureSource::pollSession() {
    FrameSource& source = session_->source();
    const PollResult result = source.poll();
    if (result.status == PollStatus::ended) {
        endSession(source.endReason());
        return;
    }
    const Frame& frame = source.frame();
    if (frame.primary) {
        const Size size = frame.primary->buffer->layout().size;
        if (size != pictureSize_)
            setPictureSize(size);
    } else if (primaryTexture_) {
        keepLastPicture();
        setStatus(fmt::format("{}: the guest shows no picture", source.description().address));
        describedWay_ = PlaneTexture::Way::none;
    }
    if (!retired_.empty())
        forgetRetired();
    if (result.primary != PrimaryChange::none)
        damage_.add(result.damage);
    polled_ = true;
}

void CaptureSource::endSession(const std::string& reason) {
    log_.info("the source ended: {}", reason);
    setStatus(reason);
    const GraphicsScope graphics;
    keepLastPicture();
    closeSession();
    nextAttempt_ = timeNow() + attemptInterval_;
}

void CaptureSource::closeSession() {
    if (!session_)
        return;
    session_->source().observe(nullptr);
    retired_.clear();
    // Every hold on a buffer goes before the device does.
    primary_.clear();
    cursor_.clear();
    primaryTexture_ = cursorTexture_ = nullptr;
    cursorBuffer_ = 0;
    damage_.clear();
    polled_ = false;
    ended_ = false;
    describedWay_ = PlaneTexture::Way::none;
    worker_.close(std::move(session_));
}

void CaptureSource::keepLastPicture() {
    gs_texture_t* texture = std::exchange(primaryTexture_, nullptr);
    if (!texture || settings_.blanking != Blanking::lastPicture)
        return;
    const GraphicsScope graphics;
    if (!lastPicture_)
        lastPicture_.reset(gs_texrender_create(GS_RGBA_UNORM, GS_ZS_NONE));
    copyOpaque(*texture, *lastPicture_);
}

void CaptureSource::forgetRetired() {
    const GraphicsScope graphics;
    for (const BufferId buffer : retired_) {
        primary_.forget(buffer);
        cursor_.forget(buffer);
    }
    retired_.clear();
    // They may have been textures of these buffers. render() finds them anew.
    primaryTexture_ = cursorTexture_ = nullptr;
    cursorBuffer_ = 0;
    polled_ = true;
}

void CaptureSource::refreshTextures(const Frame& frame) {
    primaryTexture_ = primary_.update(*frame.primary->buffer, damage_);
    damage_.clear();
    cursorTexture_ = nullptr;
    if (frame.cursor && settings_.cursor == CursorDrawing::drawn) {
        // Nothing tells whether a region's cursor changed.
        const Buffer& buffer = *frame.cursor->buffer;
        const bool another =
            buffer.id() != cursorBuffer_ || session_->source().description().display == DisplayKind::region;
        cursorTexture_ = cursor_.update(buffer, another ? Damage::all(buffer.layout().size) : Damage());
        cursorBuffer_ = buffer.id();
    }
    describePicture(frame.primary->buffer->layout());
}

void CaptureSource::render() {
    const Frame* frame = session_ && session_->source().frame().primary ? &session_->source().frame() : nullptr;
    if (!frame) {
        if (lastPicture_ && settings_.blanking == Blanking::lastPicture)
            if (gs_texture_t* texture = gs_texrender_get_texture(lastPicture_.get()))
                drawOpaque(*texture, cropped(pictureSize_, settings_.crop));
        return;
    }
    if (std::exchange(polled_, false))
        refreshTextures(*frame);
    if (!primaryTexture_)
        return;
    const Rect visible = cropped(frame->primary->buffer->layout().size, settings_.crop);
    drawOpaque(*primaryTexture_, visible);
    if (frame->cursor && cursorTexture_)
        drawCursor(*frame->cursor, visible);
}

void CaptureSource::drawCursor(const Plane& cursor, const Rect& visible) {
    const Rect whole{cursor.position, cursor.buffer->layout().size};
    const Rect seen = intersect(whole, visible);
    if (seen.empty())
        return;
    const Point at{seen.origin.x - visible.origin.x, seen.origin.y - visible.origin.y};
    const Rect part{{seen.origin.x - whole.origin.x, seen.origin.y - whole.origin.y}, seen.size};
    drawPremultiplied(*cursorTexture_, part, at);
}

void CaptureSource::describePicture(const BufferLayout& layout) {
    if (layout == describedLayout_ && primary_.way() == describedWay_)
        return;
    describedLayout_ = layout;
    describedWay_ = primary_.way();
    const std::string& address = session_->source().description().address;
    if (describedWay_ == PlaneTexture::Way::refused) {
        setStatus(fmt::format("{}: {}", address, primary_.trouble()));
        return;
    }
    std::string text =
        fmt::format("{}: {}x{}, {}, {}", address, layout.size.width, layout.size.height, nameOf(layout.format),
                    describedWay_ == PlaneTexture::Way::imported ? "drawn from the guest's own memory"
                                                                 : "changed rows are uploaded");
    log_.info("{}", text);
    if (!primary_.trouble().empty())
        text += "\n" + primary_.trouble();
    setStatus(std::move(text));
}

Size CaptureSource::size() const noexcept {
    const std::uint64_t packed = shownSize_;
    return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed)};
}

void CaptureSource::setPictureSize(Size size) noexcept {
    pictureSize_ = size;
    const Size shown = cropped(size, settings_.crop).size;
    shownSize_ = std::uint64_t{shown.width} << 32 | shown.height;
}

std::string CaptureSource::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void CaptureSource::setStatus(std::string status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
}

} // namespace vgpuview

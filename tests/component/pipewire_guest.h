// SPDX-License-Identifier: MIT
// A guest whose buffers the test turns over as it likes; its pictures are the test vGPU's, numbered by Frame::sequence.
#pragma once

#include "doubles/fake_source.h"
#include "frame/mapped_buffer.h"
#include "synthetic/pattern.h"

#include <sys/stat.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace vgpuview::component {

class Guest final : public FrameSource {
public:
    explicit Guest(BufferKind kind)
        : kind_(kind) {}

    [[nodiscard]] const SourceDescription& description() const noexcept override { return description_; }
    void observe(FrameSourceObserver* observer) noexcept override { observer_ = observer; }
    PollResult poll() override {
        ++polls;
        if (onPoll)
            onPoll();
        frame_.queriedAt = MonotonicClock().now();
        return {.status = PollStatus::ok,
                .primary = std::exchange(changed_, false) ? PrimaryChange::certain : PrimaryChange::none,
                .damage = damage};
    }
    [[nodiscard]] const Frame& frame() const noexcept override { return frame_; }
    [[nodiscard]] std::span<const BufferRef> primaryBuffers() const noexcept override { return told_; }
    [[nodiscard]] SourceCounters counters() const noexcept override { return {}; }
    [[nodiscard]] std::string endReason() const override { return "the test ended it"; }

    /// From the next picture on the guest flips between this many buffers of this size: all new ones.
    void useBuffers(std::size_t count, Size size) {
        for (const Drawn& drawn : buffers_)
            if (observer_)
                observer_->bufferRetired(*drawn.buffer);
        buffers_.clear();
        told_.clear();
        size_ = size;
        while (buffers_.size() < count)
            addBuffer();
    }
    /// From the next poll on it tells which buffers it has.
    void tellBuffers() {
        for (const Drawn& drawn : buffers_)
            told_.push_back(drawn.buffer);
    }
    void addBuffer() {
        BufferRef buffer = doubles::makeMemoryBuffer(size_, kind_);
        auto mapped = MappedBuffer::map(*buffer, MapAccess::readWrite);
        buffer = withModifier(std::move(buffer));
        struct stat status {};
        ::fstat(buffer->fd(), &status);
        inodes.insert(status.st_ino);
        buffers_.push_back({std::move(buffer), std::move(*mapped), status.st_ino});
    }
    void replaceOldest() {
        if (observer_)
            observer_->bufferRetired(*buffers_.front().buffer);
        buffers_.pop_front();
        addBuffer();
        std::rotate(buffers_.begin(), buffers_.end() - 1, buffers_.end());
    }
    /// Whether flip() would draw into what a consumer reads.
    [[nodiscard]] bool nextIsBeingRead() const noexcept { return buffers_.front().buffer->beingRead(); }
    /// Draws the next picture into the buffer that was shown longest ago, and shows it.
    void flip() {
        std::rotate(buffers_.begin(), buffers_.begin() + 1, buffers_.end());
        Drawn& drawn = buffers_.back();
        ++frame_.sequence;
        drawPattern(frame_.sequence, DRM_FORMAT_XRGB8888, PatternAlpha::zero, size_, drawn.buffer->layout().stride,
                    drawn.mapped.bytes());
        showLast();
    }
    /// A picture of which one row differs from the last one, in a buffer that nobody reads; none: nothing is shown.
    void flipRow(std::uint32_t y) {
        const auto bytes = buffers_.back().mapped.bytes();
        const auto next = std::find_if(buffers_.begin(), buffers_.end() - 1,
                                       [](const Drawn& drawn) { return !drawn.buffer->beingRead(); });
        if (next == buffers_.end() - 1)
            return;
        std::rotate(next, next + 1, buffers_.end());
        Drawn& drawn = buffers_.back();
        std::copy(bytes.begin(), bytes.end(), drawn.mapped.bytes().begin());
        ++frame_.sequence;
        auto* row = reinterpret_cast<std::uint32_t*>(drawn.mapped.row(y).data());
        std::fill_n(row, size_.width, 0x01010101U * static_cast<std::uint32_t>(frame_.sequence % 255 + 1));
        damage.clear();
        damage.add({{0, static_cast<std::int32_t>(y)}, {size_.width, 1}});
        showLast();
    }
    /// The last ones, as added, come first now.
    void turnBack(std::size_t count) {
        std::rotate(buffers_.begin(), buffers_.end() - static_cast<std::ptrdiff_t>(count), buffers_.end());
    }
    /// Shows the buffer that was shown longest ago, as it is.
    void turn() {
        std::rotate(buffers_.begin(), buffers_.begin() + 1, buffers_.end());
        ++frame_.sequence;
        showLast();
    }
    /// Something new in the buffer that is shown.
    void turnInPlace() {
        ++frame_.sequence;
        changed_ = true;
    }
    void blank() {
        ++frame_.sequence;
        frame_.primary.reset();
        changed_ = true;
    }
    void showCursor(Point position) {
        if (!cursor_) {
            BufferRef buffer = doubles::makeMemoryBuffer(patternCursorSize, kind_, DRM_FORMAT_ARGB8888);
            const auto mapped = MappedBuffer::map(*buffer, MapAccess::readWrite);
            auto* pixel = reinterpret_cast<std::uint32_t*>(mapped->bytes().data());
            for (std::uint32_t y = 0; y < patternCursorSize.height; ++y)
                for (std::uint32_t x = 0; x < patternCursorSize.width; ++x)
                    *pixel++ = cursorPixel(x, y);
            cursor_ = withModifier(std::move(buffer));
        }
        frame_.cursor = Plane{.buffer = cursor_, .position = position, .hotSpot = patternCursorHotSpot};
    }
    void hideCursor() { frame_.cursor.reset(); }
    [[nodiscard]] std::uint64_t sequence() const noexcept { return frame_.sequence; }

    std::uint64_t modifier = DRM_FORMAT_MOD_LINEAR; ///< of buffers to come; rows all the same
    Damage damage;                                  ///< what poll() says is new; empty: it can't tell
    unsigned polls = 0;
    std::function<void()> onPoll; ///< what the guest does before each answer
    std::set<std::uint64_t> inodes;
    std::uint64_t inode = 0; ///< of what is shown

private:
    struct Drawn {
        BufferRef buffer;
        MappedBuffer mapped;
        std::uint64_t inode;
    };

    void showLast() {
        frame_.primary = Plane{.buffer = buffers_.back().buffer, .position = {}, .hotSpot = {}};
        inode = buffers_.back().inode;
        changed_ = true;
    }
    [[nodiscard]] BufferRef withModifier(BufferRef buffer) const {
        if (modifier == DRM_FORMAT_MOD_LINEAR)
            return buffer;
        BufferLayout layout = buffer->layout();
        layout.format.modifier = modifier;
        return std::make_shared<const Buffer>(kind_, layout, UniqueFd::duplicateOf(buffer->fd()));
    }

    SourceDescription description_{.address = "test:",
                                   .name = "test",
                                   .vmName = "Guest",
                                   .type = "test",
                                   .display = DisplayKind::dmaBuf,
                                   .quirks = {}};
    FrameSourceObserver* observer_ = nullptr;
    BufferKind kind_;
    Size size_;
    std::deque<Drawn> buffers_;
    std::vector<BufferRef> told_;
    BufferRef cursor_;
    Frame frame_;
    bool changed_ = false;
};

} // namespace vgpuview::component

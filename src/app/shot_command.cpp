// SPDX-License-Identifier: MIT
// vgpu-view shot: one picture, without a compositor.
#include "app/commands.h"
#include "app/late_gpu_reader.h"
#include "image/picture.h"
#include "image/png_file.h"
#include "loop/event_loop.h"
#include "sources/source_opener.h"

#include <cerrno>
#include <memory>

namespace vgpuview {

using namespace std::chrono_literals;

namespace {

// A guest that has just been started, or is changing its mode, shows nothing for a moment.
constexpr Nanoseconds patience = 2s;
constexpr Nanoseconds pollInterval = 20ms;

void waitForPicture(EventLoop& loop, FrameSource& source) {
    const TimePoint end = loop.now() + patience;
    while (true) {
        if (source.poll().status == PollStatus::ended)
            throw Error(ENODEV, {.operation = "take a picture of",
                                 .object = source.description().address,
                                 .cause = source.endReason(),
                                 .exit = ExitCode::failed});
        if (source.frame().primary)
            return;
        if (loop.now() >= end)
            throw Error(ENODATA, {.operation = "take a picture of",
                                  .object = source.description().address,
                                  .cause = "the guest shows none",
                                  .hint = "a guest shows a picture once its firmware or driver has set a mode"});
        loop.iterate(pollInterval);
    }
}

} // namespace

ExitCode runShot(const Options& options, Log& log) {
    EventLoop loop;
    SourceOpener opener(loop, log);
    const std::unique_ptr<FrameSource> source = opener.open(options.source);
    waitForPicture(loop, *source);
    const CursorVisibility cursor = options.pictureWithCursor ? CursorVisibility::visible : CursorVisibility::hidden;
    LateGpuReader reader(log);
    const Picture picture = composePicture(source->frame(), cursor, &reader);
    writePng(options.picturePath, picture.size, picture.argb);
    return ExitCode::done;
}

} // namespace vgpuview

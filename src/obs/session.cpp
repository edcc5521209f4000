// SPDX-License-Identifier: MIT
// An open origin with all that it needs to run: handed from thread to thread as a whole.
#include "obs/session.h"

#include "base/error.h"
#include "obs/dma_buf_textures.h"

#include <cerrno>
#include <utility>

namespace vgpuview {

#if VGPUVIEW_STREAM
namespace {

std::vector<ImportableFormat> importableFormats() {
    const GraphicsScope graphics;
    DmaBufSupport support;
    std::vector<ImportableFormat> formats;
    for (const std::uint32_t fourcc : shownFourccs())
        formats.push_back({fourcc, support.modifiersOf(fourcc)});
    return formats;
}

} // namespace
#endif

Session::Session(const Origin& origin, Log& log)
    : opener_(loop_, log)
    , source_(open(origin, log)) {}

std::unique_ptr<FrameSource> Session::open(const Origin& origin, Log& log) {
    if (origin.kind == OriginKind::device)
        return opener_.open(origin.target);
#if VGPUVIEW_STREAM
    auto node = std::make_unique<NodeSource>(origin.target, importableFormats(), loop_, log);
    node_ = node.get();
    return node;
#else
    static_cast<void>(log);
    throw Error(ENOTSUP, {.operation = "connect to",
                          .object = "PipeWire",
                          .cause = "this build does without it",
                          .hint = "build with -Dstream=enabled"});
#endif
}

void Session::setShowing(bool showing) {
    if (std::exchange(showing_, showing) == showing)
        return;
#if VGPUVIEW_STREAM
    if (node_)
        node_->setActivity(showing ? NodeSource::Activity::active : NodeSource::Activity::paused);
#endif
}

} // namespace vgpuview

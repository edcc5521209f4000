// SPDX-License-Identifier: MIT
// A Wayland compositor inside the test: strict, records every request, and misbehaves on demand.
#pragma once

#include "base/geometry.h"
#include "base/pixel_format.h"
#include "base/unique_fd.h"
#include "component/wayland/test_seat.h"

#include <drm_fourcc.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vgpuview::testing_wayland {

/// How honest the dma-buf feedback's format table is.
enum class FormatTable { honest, noFile, sizeZero, sizeBeyondFile, wildIndices };
enum class ImportAnswer { created, failed, none };
enum class Releases { whenReplaced, never };
enum class FrameCallbacks { atOnce, held };

/// An output that refreshes by the clock. Each refresh shows what was committed until a while before it; then, too,
/// frame callbacks are answered, and feedback at the refresh itself.
struct ScriptedRefresh {
    enum class Told { constant, varying };
    std::chrono::nanoseconds interval{0}; ///< 0: no such output; see FrameCallbacks
    std::chrono::nanoseconds takenBefore{0};
    Told told = Told::constant; ///< as the feedback has it
};

struct CompositorOptions {
    std::uint32_t dmabufVersion = 4; ///< 0: no linux-dmabuf
    std::vector<PixelFormat> dmabufFormats = {{DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR},
                                              {DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR}};
    FormatTable table = FormatTable::honest;
    std::uint32_t shellVersion = 5;
    bool viewporter = true;
    bool presentation = true;
    clockid_t presentationClock = CLOCK_MONOTONIC;
    ScriptedRefresh refresh = {};
    bool singlePixel = true;
    bool decoration = true;
    std::uint32_t fractionalScale = 0; ///< in 120ths; 0: no such protocol
    Size firstConfigure = {};          ///< empty: the client chooses
    SeatOptions seat = {};
    Size outputPixels{1920, 1080};
    Size outputMillimetres = {}; ///< empty: not known
    std::int32_t outputTransform = 0;
    bool configures = true; ///< false: only by configure()
    bool answers = true;    ///< false: reads nothing
};

/// What a surface shows since its last commit.
struct SurfaceState {
    bool mapped = false;
    ino_t inode = 0; ///< of the dma-buf or shared memory; 0: a single pixel, or nothing
    Size buffer;
    std::uint32_t format = 0;   ///< as the client gave it
    std::optional<Rect> source; ///< of the viewport
    std::optional<Size> destination;
    Point position;
    std::vector<Rect> damage; ///< of the last commit with any
    std::uint32_t contentType = 0;
    std::uint32_t tearingHint = 0;
    bool keepsScreenLit = false;
    unsigned attaches = 0;
    unsigned commits = 0;
};

struct ServerCounters {
    unsigned created = 0; ///< wl_buffers of dma-bufs
    unsigned alive = 0;   ///< wl_buffers of dma-bufs and single pixels not destroyed
    unsigned presented = 0;
    unsigned toplevelCommits = 0;
    unsigned frameCallbacks = 0; ///< asked for
};

/// Runs in a thread of its own; every public call is answered in that thread. One client.
class TestCompositor {
public:
    explicit TestCompositor(CompositorOptions options = {});
    ~TestCompositor();
    TestCompositor(const TestCompositor&) = delete;
    TestCompositor& operator=(const TestCompositor&) = delete;

    /// The client's end of the socket; once.
    [[nodiscard]] UniqueFd takeClientSocket();

    void answerImports(ImportAnswer answer);
    /// Answers what was left unanswered.
    void settleImports(ImportAnswer answer);
    void setReleases(Releases releases);
    void setFrameCallbacks(FrameCallbacks callbacks);
    /// Answers held frame callbacks and feedback.
    void repaint();
    void configure(Size size, std::vector<std::uint32_t> states = {});
    void preferScale(std::uint32_t scale120);
    void close();
    void pressKey(std::uint32_t code);
    /// Asks whether the client is alive; ponged() tells whether it has answered.
    void ping();
    [[nodiscard]] bool ponged();
    /// In the server's thread.
    void withSeat(const std::function<void(TestSeat&)>& task);
    /// What the host's pointer wears; nothing where it is hidden, or never was set.
    [[nodiscard]] std::optional<SurfaceState> cursorSurface();
    /// Ends the connection without a word.
    void die();
    void setZeroCopy(bool zeroCopy);
    void recordRequests(bool record);

    /// In the order of wl_compositor.create_surface.
    [[nodiscard]] std::vector<SurfaceState> surfaces();
    /// "interface.request(arg, arg)"; descriptors as "inode N".
    [[nodiscard]] std::vector<std::string> requests();
    [[nodiscard]] std::vector<std::string> requests(const std::string& name);
    [[nodiscard]] ServerCounters counters();
    [[nodiscard]] std::string title();
    [[nodiscard]] bool clientConnected();

    struct Server;

private:
    void run(const std::function<void(Server&)>& task);

    std::unique_ptr<Server> server_;
};

} // namespace vgpuview::testing_wayland

// SPDX-License-Identifier: MIT
// A PipeWire consumer in a process of its own, that looks closely at what it gets.
//
// usage: pipewire_consumer REPORT_FD TARGET_NODE_NAME [dmabuf] [shm] [yuy2] [modifiers=HEX,HEX...] [refuse]
// [buffers=N] [hold=N] [recheck] [slow=MS] [first=N] [nolink] [wait] [nocheck] [nolook]. refuse: of each kind of
// dma-buf one is tried, and its modifier offered no more, as by a consumer that can't import it. recheck: what was held
// must be the same picture still when it is given back. slow: it looks at each frame so late, and keeps a picture by
// the damage alone. tell: a line "SEQUENCE MEMORY_TYPE INODE MODIFIER" a frame on standard output; REPORT_FD may then
// be -1. Commands on standard input, one letter each: p pause, r resume, l link, which else (without wait) it does by
// itself, h release what is held, n the same and hold none from now on, q quit.
#include "pipewire_report.h"
#include "synthetic/pattern.h"

#include <drm_fourcc.h>
#include <pipewire/pipewire.h>
#include <spa/param/buffers.h>
#include <spa/param/video/format-utils.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using vgpuview::component::ConsumerReport;

namespace {

constexpr std::size_t cursorPixels = 384;

struct Consumer {
    ConsumerReport* report = nullptr;
    std::string target;
    bool dmaBufs = false;
    bool sharedMemory = false;
    bool yuy2 = false;
    bool refuse = false;
    bool tell = false;
    std::vector<std::uint64_t> modifiers{DRM_FORMAT_MOD_LINEAR, DRM_FORMAT_MOD_INVALID};
    bool link = true;
    bool wait = false;
    bool check = true;
    bool look = true;
    bool recheck = false;
    int slow = 0;
    std::vector<std::uint32_t> canvas; ///< the picture, kept by damage alone
    int buffers = 16;
    std::size_t hold = 0;
    std::uint64_t firstSequence = 0; ///< of picture 0

    pw_main_loop* loop = nullptr;
    pw_core* core = nullptr;
    pw_registry* registry = nullptr;
    pw_stream* stream = nullptr;
    pw_proxy* linkProxy = nullptr;
    spa_hook registryHook{};
    spa_hook streamHook{};
    spa_video_info_raw format{};
    std::uint32_t targetId = PW_ID_ANY;
    std::map<std::uint32_t, std::string> ports; ///< node id -> the id of its port; all of ours have one
    struct Held {
        pw_buffer* buffer;
        std::uint64_t sequence;
    };
    std::deque<Held> held;
    std::vector<std::uint32_t> row;
};

std::int64_t now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void linkUp(Consumer& self) {
    const std::uint32_t own = pw_stream_get_node_id(self.stream);
    if (!self.link || self.wait || self.linkProxy || self.targetId == PW_ID_ANY || own == PW_ID_ANY)
        return;
    // By port: where only the node is named, the factory wants a port that has no link yet.
    const auto outputPort = self.ports.find(self.targetId);
    const auto inputPort = self.ports.find(own);
    if (outputPort == self.ports.end() || inputPort == self.ports.end())
        return;
    const std::string output = std::to_string(self.targetId);
    const std::string input = std::to_string(own);
    const std::array items{spa_dict_item{PW_KEY_LINK_OUTPUT_NODE, output.c_str()},
                           spa_dict_item{PW_KEY_LINK_OUTPUT_PORT, outputPort->second.c_str()},
                           spa_dict_item{PW_KEY_LINK_INPUT_NODE, input.c_str()},
                           spa_dict_item{PW_KEY_LINK_INPUT_PORT, inputPort->second.c_str()}};
    const spa_dict properties{0, items.size(), items.data()};
    self.linkProxy = static_cast<pw_proxy*>(
        pw_core_create_object(self.core, "link-factory", PW_TYPE_INTERFACE_Link, PW_VERSION_LINK, &properties, 0));
}

void checkCursor(Consumer& self, const spa_buffer& buffer) {
    ConsumerReport& report = *self.report;
    const auto* cursor = static_cast<const spa_meta_cursor*>(
        spa_buffer_find_meta_data(&buffer, SPA_META_Cursor, sizeof(spa_meta_cursor)));
    if (!cursor || cursor->id == 0)
        return;
    report.cursorX = cursor->position.x;
    report.cursorY = cursor->position.y;
    report.hotSpotX = cursor->hotspot.x;
    report.hotSpotY = cursor->hotspot.y;
    if (cursor->bitmap_offset == 0)
        return;
    const auto* bitmap =
        reinterpret_cast<const spa_meta_bitmap*>(reinterpret_cast<const std::byte*>(cursor) + cursor->bitmap_offset);
    bool visible = false;
    bool different = false;
    const auto* pixel = reinterpret_cast<const std::uint8_t*>(bitmap) + bitmap->offset;
    for (std::uint32_t y = 0; bitmap->offset && y < bitmap->size.height; ++y) {
        for (std::uint32_t x = 0; x < bitmap->size.width; ++x, pixel += 4) {
            const std::uint32_t argb =
                std::uint32_t{pixel[3]} << 24 | std::uint32_t{pixel[0]} << 16 | std::uint32_t{pixel[1]} << 8 | pixel[2];
            visible = visible || pixel[3] != 0;
            different = different || argb != vgpuview::cursorPixel(x, y);
        }
    }
    report.cursorWidth = visible ? bitmap->size.width : 0;
    if (visible && different)
        ++report.cursorMismatches;
    ++report.cursorImages;
}

void noteDamage(Consumer& self, const spa_buffer& buffer) {
    ConsumerReport& report = *self.report;
    const spa_meta* const meta = spa_buffer_find_meta(&buffer, SPA_META_VideoDamage);
    if (!meta) {
        report.damageRects = ConsumerReport::noDamage;
        return;
    }
    std::uint32_t count = 0;
    const auto* regions = static_cast<const spa_meta_region*>(meta->data);
    const std::size_t most = meta->size / sizeof(spa_meta_region);
    while (count < most && spa_meta_region_is_valid(&regions[count]))
        ++count;
    report.damageRects = count;
    if (count > 0) {
        report.damageY = static_cast<std::uint32_t>(regions[0].region.position.y);
        report.damageHeight = regions[0].region.size.height;
    }
}

/// Draws what is new into the canvas, which must then be the frame.
void checkDamage(Consumer& self, const spa_buffer& buffer) {
    const spa_data& data = buffer.datas[0];
    const spa_meta* const meta = spa_buffer_find_meta(&buffer, SPA_META_VideoDamage);
    const std::size_t width = self.format.size.width;
    const std::size_t height = self.format.size.height;
    const std::size_t length = data.mapoffset + data.maxsize;
    void* const address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, static_cast<int>(data.fd), 0);
    if (!meta || address == MAP_FAILED)
        return;
    const auto* first = static_cast<const std::byte*>(address) + data.mapoffset + data.chunk->offset;
    const auto rowAt = [&](std::size_t y) {
        return reinterpret_cast<const std::uint32_t*>(first + y * static_cast<std::size_t>(data.chunk->stride));
    };
    const bool drawn = self.canvas.size() == width * height;
    self.canvas.resize(width * height);
    const auto* regions = static_cast<const spa_meta_region*>(meta->data);
    for (std::size_t i = 0; i < meta->size / sizeof(spa_meta_region) && spa_meta_region_is_valid(&regions[i]); ++i) {
        const spa_region& region = regions[i].region;
        for (std::uint32_t y = 0; y < region.size.height; ++y)
            std::copy_n(rowAt(static_cast<std::size_t>(region.position.y) + y) + region.position.x, region.size.width,
                        &self.canvas[(static_cast<std::size_t>(region.position.y) + y) * width +
                                     static_cast<std::size_t>(region.position.x)]);
    }
    bool same = true;
    for (std::size_t y = 0; y < height; ++y)
        same = same && std::equal(rowAt(y), rowAt(y) + width, &self.canvas[y * width]);
    if (!same) {
        if (drawn)
            ++self.report->damageGaps;
        for (std::size_t y = 0; y < height; ++y)
            std::copy_n(rowAt(y), width, &self.canvas[y * width]);
    }
    ::munmap(address, length);
}

/// BT.601, limited range.
bool isLumaOf(std::uint32_t rgb, std::byte luma) {
    const double expected =
        16 + (65.481 * ((rgb >> 16) & 0xff) + 128.553 * ((rgb >> 8) & 0xff) + 24.966 * (rgb & 0xff)) / 255;
    return std::abs(std::to_integer<int>(luma) - expected) <= 1.5;
}

/// The number that the picture itself claims must be the header's, and every pixel that frame's.
void checkPicture(Consumer& self, const spa_data& data, std::uint64_t sequence) {
    const std::uint64_t number = sequence - self.firstSequence;
    ConsumerReport& report = *self.report;
    const std::uint32_t width = self.format.size.width;
    const std::uint32_t height = self.format.size.height;
    const std::size_t length = data.mapoffset + data.maxsize;
    void* const address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, static_cast<int>(data.fd), 0);
    if (address == MAP_FAILED || data.chunk->offset + data.chunk->size > data.maxsize) {
        ++report.mismatches;
        return;
    }
    const auto* first = static_cast<const std::byte*>(address) + data.mapoffset + data.chunk->offset;
    bool same = true;
    for (std::uint32_t y = 0; y < height; ++y) {
        const std::byte* const line = first + std::size_t{y} * static_cast<std::uint32_t>(data.chunk->stride);
        if (self.yuy2) {
            if (y == 100)
                std::memcpy(&self.row[0], line, 4);
            for (std::uint32_t x = 0; self.check && x < width; ++x)
                same = same && isLumaOf(vgpuview::patternPixel(number, x, y), line[std::size_t{x} * 2]);
            continue;
        }
        std::memcpy(self.row.data(), line, std::size_t{width} * 4);
        if (y == 100 && width > 300)
            report.firstPixel = self.row[300] & 0xffffff;
        for (std::uint32_t x = 0; self.check && x < width; ++x)
            same = same && (self.row[x] & 0xffffff) == (vgpuview::patternPixel(number, x, y) & 0xffffff);
    }
    if (self.yuy2)
        report.firstPixel = self.row[0];
    if (!same)
        ++report.mismatches;
    ::munmap(address, length);
}

void take(Consumer& self, pw_buffer& buffer) {
    ConsumerReport& report = *self.report;
    const spa_buffer& content = *buffer.buffer;
    const auto* header = static_cast<const spa_meta_header*>(
        spa_buffer_find_meta_data(&content, SPA_META_Header, sizeof(spa_meta_header)));
    const spa_data& data = content.datas[0];
    if (!header)
        ++report.errors;
    const std::uint64_t sequence = header ? header->seq : 0;
    const std::int64_t timestamp = header ? header->pts : 0;
    if (sequence < report.lastSequence || timestamp <= report.lastTimestamp)
        ++report.regressions;
    if (report.lastSequence != 0 && sequence > report.lastSequence + 1)
        report.skipped += sequence - report.lastSequence - 1;
    report.latencies[report.frames % ConsumerReport::mostLatencies] =
        static_cast<std::uint32_t>((now() - timestamp) / 1000);
    report.lastTimestamp = timestamp;
    report.memoryType = data.type;
    report.chunkSize = data.chunk->size;
    struct stat status {};
    if (::fstat(static_cast<int>(data.fd), &status) == 0)
        report.lastInode = status.st_ino;
    checkCursor(self, content);
    noteDamage(self, content);
    report.modifier = self.format.modifier;
    if (self.slow > 0) {
        ::usleep(static_cast<useconds_t>(self.slow) * 1000);
        checkDamage(self, content);
    }
    if (data.chunk->size != 0 && self.look)
        checkPicture(self, data, sequence);
    report.lastSequence = sequence;
    if (self.tell) {
        std::printf("%llu %u %llu %llx\n", static_cast<unsigned long long>(sequence), data.type,
                    static_cast<unsigned long long>(report.lastInode),
                    static_cast<unsigned long long>(report.modifier));
        std::fflush(stdout);
    }
    // Last: the test waits for it.
    ++report.frames;
}

const spa_pod* offer(spa_pod_builder& builder, const Consumer& self, bool modifiers) {
    spa_pod_frame object{};
    spa_pod_builder_push_object(&builder, &object, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
    spa_pod_builder_add(&builder, SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
                        SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
                        SPA_POD_Id(self.yuy2 ? SPA_VIDEO_FORMAT_YUY2 : SPA_VIDEO_FORMAT_BGRx), 0);
    if (modifiers) {
        spa_pod_frame choice{};
        spa_pod_builder_prop(&builder, SPA_FORMAT_VIDEO_modifier,
                             SPA_POD_PROP_FLAG_MANDATORY | SPA_POD_PROP_FLAG_DONT_FIXATE);
        spa_pod_builder_push_choice(&builder, &choice, SPA_CHOICE_Enum, 0);
        spa_pod_builder_long(&builder, static_cast<std::int64_t>(self.modifiers.front()));
        for (const std::uint64_t modifier : self.modifiers)
            spa_pod_builder_long(&builder, static_cast<std::int64_t>(modifier));
        spa_pod_builder_pop(&builder, &choice);
    }
    spa_rectangle preferred{1280, 720};
    spa_rectangle least{1, 1};
    spa_rectangle most{16384, 16384};
    spa_fraction variable{0, 1};
    spa_fraction fastest{10000, 1};
    spa_pod_builder_add(&builder, SPA_FORMAT_VIDEO_size, SPA_POD_CHOICE_RANGE_Rectangle(&preferred, &least, &most),
                        SPA_FORMAT_VIDEO_framerate, SPA_POD_CHOICE_RANGE_Fraction(&variable, &variable, &fastest), 0);
    return static_cast<const spa_pod*>(spa_pod_builder_pop(&builder, &object));
}

std::vector<const spa_pod*> offers(spa_pod_builder& builder, const Consumer& self) {
    std::vector<const spa_pod*> pods;
    if (self.dmaBufs && !self.modifiers.empty())
        pods.push_back(offer(builder, self, true));
    if (self.sharedMemory)
        pods.push_back(offer(builder, self, false));
    return pods;
}

void formatChanged(Consumer& self, const spa_pod* parameter) {
    ConsumerReport& report = *self.report;
    if (!parameter) {
        report.width = 0;
        return;
    }
    spa_format_video_raw_parse(parameter, &self.format);
    ++report.formats;
    report.width = self.format.size.width;
    report.height = self.format.size.height;
    report.videoFormat = self.format.format;
    self.row.resize(self.format.size.width);
    std::array<std::byte, 2048> memory{};
    spa_pod_builder builder{};
    spa_pod_builder_init(&builder, memory.data(), memory.size());
    const bool modifier = spa_pod_find_prop(parameter, nullptr, SPA_FORMAT_VIDEO_modifier) != nullptr;
    const int types = modifier ? 1 << SPA_DATA_DmaBuf : 1 << SPA_DATA_MemFd;
    const auto cursorSize = [](std::size_t extent) {
        return static_cast<int>(sizeof(spa_meta_cursor) + sizeof(spa_meta_bitmap) + extent * extent * 4);
    };
    std::array<const spa_pod*, 4> parameters{};
    parameters[0] = static_cast<const spa_pod*>(
        spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
                                   SPA_POD_CHOICE_RANGE_Int(self.buffers, 1, self.buffers), SPA_PARAM_BUFFERS_blocks,
                                   SPA_POD_Int(1), SPA_PARAM_BUFFERS_dataType, SPA_POD_CHOICE_FLAGS_Int(types)));
    parameters[1] = static_cast<const spa_pod*>(spa_pod_builder_add_object(
        &builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta, SPA_PARAM_META_type, SPA_POD_Id(SPA_META_Header),
        SPA_PARAM_META_size, SPA_POD_Int(sizeof(spa_meta_header))));
    parameters[2] = static_cast<const spa_pod*>(spa_pod_builder_add_object(
        &builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta, SPA_PARAM_META_type, SPA_POD_Id(SPA_META_Cursor),
        SPA_PARAM_META_size, SPA_POD_CHOICE_RANGE_Int(cursorSize(64), cursorSize(1), cursorSize(cursorPixels))));
    constexpr int region = sizeof(spa_meta_region);
    parameters[3] = static_cast<const spa_pod*>(spa_pod_builder_add_object(
        &builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta, SPA_PARAM_META_type, SPA_POD_Id(SPA_META_VideoDamage),
        SPA_PARAM_META_size, SPA_POD_CHOICE_RANGE_Int(region * 8, region, region * 16)));
    pw_stream_update_params(self.stream, parameters.data(), parameters.size());
}

/// A dma-buf that can't be imported: what is left is offered anew, and the buffer goes back unseen.
bool refused(Consumer& self, pw_buffer& buffer) {
    if (!self.refuse || buffer.buffer->datas[0].type != SPA_DATA_DmaBuf)
        return false;
    pw_stream_queue_buffer(self.stream, &buffer);
    if (std::erase(self.modifiers, self.format.modifier) == 0)
        return true;
    ++self.report->refusals;
    std::array<std::byte, 4096> memory{};
    spa_pod_builder builder{};
    spa_pod_builder_init(&builder, memory.data(), memory.size());
    std::vector<const spa_pod*> formats = offers(builder, self);
    pw_stream_update_params(self.stream, formats.data(), static_cast<std::uint32_t>(formats.size()));
    return true;
}

void giveBack(Consumer& self, std::size_t keep) {
    for (; self.held.size() > keep; self.held.pop_front()) {
        const Consumer::Held& oldest = self.held.front();
        if (self.recheck)
            checkPicture(self, oldest.buffer->buffer->datas[0], oldest.sequence);
        pw_stream_queue_buffer(self.stream, oldest.buffer);
    }
}

void process(Consumer& self) {
    while (pw_buffer* buffer = pw_stream_dequeue_buffer(self.stream)) {
        if (refused(self, *buffer))
            return;
        for (const Consumer::Held& held : self.held)
            if (held.buffer == buffer)
                ++self.report->errors;
        take(self, *buffer);
        self.held.push_back({buffer, self.report->lastSequence});
        giveBack(self, self.hold);
    }
}

void obey(Consumer& self, char command) {
    switch (command) {
    case 'p':
        pw_stream_set_active(self.stream, false);
        break;
    case 'r':
        pw_stream_set_active(self.stream, true);
        break;
    case 'l':
        self.wait = false;
        linkUp(self);
        break;
    case 'n':
        self.hold = 0;
        [[fallthrough]];
    case 'h':
        giveBack(self, 0);
        break;
    case 'q':
        pw_main_loop_quit(self.loop);
        break;
    default:
        break;
    }
}

const pw_registry_events registryEvents{
    .version = PW_VERSION_REGISTRY_EVENTS,
    .global =
        [](void* data, std::uint32_t id, std::uint32_t, const char* type, std::uint32_t, const spa_dict* properties) {
            auto& self = *static_cast<Consumer*>(data);
            const char* name = properties ? spa_dict_lookup(properties, PW_KEY_NODE_NAME) : nullptr;
            if (std::string_view(type) == PW_TYPE_INTERFACE_Node && name && self.target == name)
                self.targetId = id;
            const char* node = properties ? spa_dict_lookup(properties, PW_KEY_NODE_ID) : nullptr;
            if (std::string_view(type) == PW_TYPE_INTERFACE_Port && node)
                self.ports[static_cast<std::uint32_t>(std::atoi(node))] = std::to_string(id);
            linkUp(self);
        },
    .global_remove =
        [](void* data, std::uint32_t id) {
            auto& self = *static_cast<Consumer*>(data);
            if (id == self.targetId) {
                self.targetId = PW_ID_ANY;
                self.linkProxy = nullptr;
            }
        },
};

const pw_stream_events streamEvents{
    .version = PW_VERSION_STREAM_EVENTS,
    .state_changed =
        [](void* data, pw_stream_state, pw_stream_state state, const char* error) {
            auto& self = *static_cast<Consumer*>(data);
            self.report->state = static_cast<std::uint32_t>(state + 1);
            if (error) {
                std::fprintf(stderr, "consumer: %s\n", error);
                ++self.report->errors;
            }
            linkUp(self);
        },
    .param_changed =
        [](void* data, std::uint32_t id, const spa_pod* parameter) {
            if (id == SPA_PARAM_Format)
                formatChanged(*static_cast<Consumer*>(data), parameter);
        },
    .add_buffer =
        [](void* data, pw_buffer*) {
            ConsumerReport& report = *static_cast<Consumer*>(data)->report;
            if (report.slots == 0)
                ++report.pools;
            ++report.slots;
        },
    .remove_buffer =
        [](void* data, pw_buffer* buffer) {
            auto& self = *static_cast<Consumer*>(data);
            --self.report->slots;
            std::erase_if(self.held, [&](const Consumer::Held& held) { return held.buffer == buffer; });
        },
    .process = [](void* data) { process(*static_cast<Consumer*>(data)); },
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 3)
        return 2;
    Consumer self;
    self.target = argv[2];
    for (const std::string_view word : std::span(argv + 3, argv + argc)) {
        self.dmaBufs |= word == "dmabuf";
        self.sharedMemory |= word == "shm";
        self.yuy2 |= word == "yuy2";
        self.refuse |= word == "refuse";
        self.tell |= word == "tell";
        self.link &= word != "nolink";
        self.wait |= word == "wait";
        self.check &= word != "nocheck";
        self.look &= word != "nolook";
        self.recheck |= word == "recheck";
        if (word.starts_with("modifiers=")) {
            self.modifiers.clear();
            for (const char* text = word.data() + 9; *text != 0;) {
                char* end = nullptr;
                self.modifiers.push_back(std::strtoull(text + 1, &end, 16));
                text = end;
            }
        }
        if (word.starts_with("buffers="))
            self.buffers = std::atoi(word.data() + 8);
        if (word.starts_with("first="))
            self.firstSequence = std::strtoull(word.data() + 6, nullptr, 10);
        if (word.starts_with("slow="))
            self.slow = std::atoi(word.data() + 5);
        if (word.starts_with("hold="))
            self.hold = static_cast<std::size_t>(std::atoi(word.data() + 5));
    }
    static ConsumerReport own;
    self.report = &own;
    if (const int memory = std::atoi(argv[1]); memory >= 0) {
        void* const shared = ::mmap(nullptr, sizeof(ConsumerReport), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        if (shared == MAP_FAILED)
            return 1;
        self.report = static_cast<ConsumerReport*>(shared);
    }

    pw_init(&argc, &argv);
    self.loop = pw_main_loop_new(nullptr);
    pw_context* const context = pw_context_new(pw_main_loop_get_loop(self.loop), nullptr, 0);
    self.core = pw_context_connect(context, nullptr, 0);
    if (!self.core)
        return 1;
    self.registry = pw_core_get_registry(self.core, PW_VERSION_REGISTRY, 0);
    pw_registry_add_listener(self.registry, &self.registryHook, &registryEvents, &self);
    pw_properties* const properties = pw_properties_new(PW_KEY_MEDIA_TYPE, "Video", PW_KEY_MEDIA_CATEGORY, "Capture",
                                                        PW_KEY_MEDIA_ROLE, "Screen", nullptr);
    if (!self.link)
        pw_properties_set(properties, "target.object", self.target.c_str());
    self.stream = pw_stream_new(self.core, "test consumer", properties);
    pw_stream_add_listener(self.stream, &self.streamHook, &streamEvents, &self);
    std::array<std::byte, 4096> memory{};
    spa_pod_builder builder{};
    spa_pod_builder_init(&builder, memory.data(), memory.size());
    std::vector<const spa_pod*> formats = offers(builder, self);
    const int flags = self.link ? PW_STREAM_FLAG_NONE : PW_STREAM_FLAG_AUTOCONNECT;
    pw_stream_connect(self.stream, PW_DIRECTION_INPUT, PW_ID_ANY, static_cast<pw_stream_flags>(flags), formats.data(),
                      static_cast<std::uint32_t>(formats.size()));
    pw_loop_add_io(
        pw_main_loop_get_loop(self.loop), STDIN_FILENO, SPA_IO_IN | SPA_IO_HUP, false,
        [](void* data, int fd, std::uint32_t) {
            char command = 'q';
            if (::read(fd, &command, 1) != 1)
                command = 'q';
            obey(*static_cast<Consumer*>(data), command);
        },
        &self);
    pw_main_loop_run(self.loop);
    pw_stream_destroy(self.stream);
    pw_context_destroy(context);
    pw_main_loop_destroy(self.loop);
    return 0;
}

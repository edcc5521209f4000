// SPDX-License-Identifier: MIT
// What the consumer process tells the test, in memory that both share.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vgpuview::component {

/// Written by the consumer, read by the test.
struct ConsumerReport {
    static constexpr std::size_t mostLatencies = 4096;
    static constexpr std::uint32_t noDamage = 0xffffffff;

    std::atomic<std::uint64_t> frames{0};      ///< buffers with a picture that were taken
    std::atomic<std::uint64_t> mismatches{0};  ///< pictures that are not the one that their sequence number claims
    std::atomic<std::uint64_t> regressions{0}; ///< sequence numbers or timestamps that went back
    std::atomic<std::uint64_t> skipped{0};     ///< sequence numbers that never came
    std::atomic<std::uint64_t> lastSequence{0};
    std::atomic<std::int64_t> lastTimestamp{0};
    std::atomic<std::uint32_t> width{0}; ///< of the format in use; 0: none
    std::atomic<std::uint32_t> height{0};
    std::atomic<std::uint32_t> formats{0};     ///< how often one was chosen
    std::atomic<std::uint32_t> videoFormat{0}; ///< enum spa_video_format
    std::atomic<std::uint32_t> memoryType{0};  ///< enum spa_data_type of the last frame
    std::atomic<std::uint32_t> chunkSize{0};
    std::atomic<std::uint32_t> slots{0};      ///< in the pool now
    std::atomic<std::uint32_t> pools{0};      ///< how often a pool was made
    std::atomic<std::uint64_t> lastInode{0};  ///< of the last frame's descriptor
    std::atomic<std::uint32_t> firstPixel{0}; ///< 0x00RRGGBB at 300,100 of the last frame
    std::atomic<std::int32_t> cursorX{0};
    std::atomic<std::int32_t> cursorY{0};
    std::atomic<std::int32_t> hotSpotX{0};
    std::atomic<std::int32_t> hotSpotY{0};
    std::atomic<std::uint32_t> cursorWidth{0};  ///< of the last image told; 0: hidden
    std::atomic<std::uint32_t> cursorImages{0}; ///< how often an image was told
    std::atomic<std::uint32_t> cursorMismatches{0};
    std::atomic<std::uint64_t> modifier{0};    ///< of the format in use
    std::atomic<std::uint32_t> refusals{0};    ///< modifiers that were given up
    std::atomic<std::uint32_t> damageRects{0}; ///< of the last frame
    std::atomic<std::uint32_t> damageY{0};     ///< of its first rectangle
    std::atomic<std::uint32_t> damageHeight{0};
    std::atomic<std::uint32_t> damageGaps{0}; ///< pixels were new outside of all damage, against the last frame taken
    std::atomic<std::uint32_t> state{0};      ///< enum pw_stream_state + 1
    std::atomic<std::uint32_t> errors{0};
    std::array<std::atomic<std::uint32_t>, mostLatencies> latencies{}; ///< microseconds from the timestamp; a ring
};

} // namespace vgpuview::component

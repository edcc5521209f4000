// SPDX-License-Identifier: MIT
// What the tests of the OBS source share: one libobs for the whole process.
#pragma once

#include "obs_host.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace vgpuview::headless {

inline constexpr std::chrono::seconds patience{60};

/// The settings for a SOURCE; more: further settings, as JSON's members.
inline std::string device(const std::string& test, const std::string& more = "") {
    return R"({"device":"other","address":")" + test + "\"" + (more.empty() ? "" : "," + more) + "}";
}

class Obs : public testing::Test {
protected:
    void SetUp() override;

    [[nodiscard]] static ObsHost* host();
    /// The next picture that fulfils the condition, or the last one.
    template<typename Condition>
    std::optional<Picture> drawUntil(obs_source_t* source, Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        for (;;) {
            std::optional<Picture> picture = host()->draw(source);
            if ((picture && condition(*picture)) || std::chrono::steady_clock::now() > deadline)
                return picture;
        }
    }
    std::optional<Picture> drawPicture(obs_source_t* source) {
        return drawUntil(source, [](const Picture& picture) { return picture.argb.front() != 0; });
    }
};

} // namespace vgpuview::headless

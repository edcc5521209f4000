// SPDX-License-Identifier: MIT
// libobs with one source of the module, for tests that are not in this process.
//
// usage: obs_player SETTINGS, the source's as JSON. Commands, a line each on standard input, answered by "> " and:
// draw FILE   what the source shows now: "WIDTH HEIGHT" and the pixels in the file, 32 bit little endian 0xAARRGGBB;
//             "nothing" while it has no size
// status      what the properties say of the source, with / for each end of a line
// frames N    waits until that many frames were drawn: "ok"
// show, hide  as in a scene: "ok". It is shown at first.
// update SETTINGS  "ok"
#include "obs_host.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

namespace vgpuview::headless {
namespace {

std::string draw(ObsHost& host, obs_source_t* source, const std::string& file) {
    const std::optional<Picture> picture = host.draw(source);
    if (!picture)
        return "nothing";
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(picture->argb.data()),
               static_cast<std::streamsize>(picture->argb.size() * sizeof(std::uint32_t)));
    std::ostringstream answer;
    answer << picture->size.width << ' ' << picture->size.height;
    return answer.str();
}

int play(const char* settings) {
    ObsHost host(LogLines::printed);
    if (!host.trouble().empty()) {
        std::fprintf(stderr, "obs_player: %s\n", host.trouble().c_str());
        return 77;
    }
    const SourcePtr source = createSource("vgpu_capture", settings);
    auto showing = std::make_unique<Showing>(source.get());
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string command;
        std::string rest;
        words >> command;
        std::getline(words >> std::ws, rest);
        std::string answer = "ok";
        if (command == "draw") {
            answer = draw(host, source.get(), rest);
        } else if (command == "status") {
            answer = statusOf(source.get());
            std::replace(answer.begin(), answer.end(), '\n', '/');
        } else if (command == "frames") {
            host.waitFrames(static_cast<unsigned>(std::stoul(rest)));
        } else if (command == "show") {
            showing = std::make_unique<Showing>(source.get());
        } else if (command == "hide") {
            showing.reset();
        } else if (command == "update") {
            updateSource(source.get(), rest);
        } else {
            answer = "no such command";
        }
        std::cout << "> " << answer << std::endl;
    }
    return 0;
}

} // namespace
} // namespace vgpuview::headless

int main(int argc, char** argv) {
    return argc == 2 ? vgpuview::headless::play(argv[1]) : 2;
}

// SPDX-License-Identifier: MIT
// What a peer says, made fit for people.
#include "input/peer_words.h"

namespace vgpuview {

std::string peerWords(std::string_view said) {
    constexpr std::size_t longest = 200;
    std::string words(said.substr(0, longest));
    for (char& c : words)
        if (c < ' ' || c > '~')
            c = '?';
    return words;
}

} // namespace vgpuview

// SPDX-License-Identifier: MIT
// Runs a fuzz target without libFuzzer: a fixed number of inputs from a fixed seed, rich in values that break things;
// or the files that are named, to look into a finding.
#include "fuzz/fuzz_target.h"

#include <array>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

namespace {

constexpr std::array<std::uint32_t, 18> edges{0,          1,          2,          3,          4,          16,
                                              64,         1024,       4096,       16384,      65536,      0x34325258,
                                              0x34325241, 0x7fffffff, 0x80000000, 0xffff0000, 0xfffffffc, 0xffffffff};
constexpr std::string_view characters = "pid:vm:fd:mdev:test,=-/0123456789abcdef-name guest=qemu";

class Inputs {
public:
    std::vector<std::uint8_t> next() {
        std::vector<std::uint8_t> input;
        const std::size_t size = pick(200);
        const std::size_t style = pick(3);
        while (input.size() < size) {
            if (style == 0)
                input.push_back(static_cast<std::uint8_t>(characters[pick(characters.size())]));
            else
                appendWord(input, style == 1 || pick(4) != 0 ? edges[pick(edges.size())]
                                                             : static_cast<std::uint32_t>(random_()));
            if (pick(40) == 0)
                input.push_back(static_cast<std::uint8_t>(pick(256)));
        }
        return input;
    }

private:
    std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
    static void appendWord(std::vector<std::uint8_t>& input, std::uint32_t word) {
        for (unsigned shift = 0; shift < 32; shift += 8)
            input.push_back(static_cast<std::uint8_t>(word >> shift));
    }

    std::mt19937 random_{20240229};
};

} // namespace

/// Arguments: `-runs=N`, or files.
int main(int argc, char** argv) {
    unsigned long runs = 20000;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument.starts_with("-runs=")) {
            runs = std::strtoul(argv[i] + 6, nullptr, 10);
            continue;
        }
        std::ifstream file(argv[i], std::ios::binary);
        const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
        runs = 0;
    }
    Inputs inputs;
    for (unsigned long i = 0; i < runs; ++i) {
        const std::vector<std::uint8_t> input = inputs.next();
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    return 0;
}

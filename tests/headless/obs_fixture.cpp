// SPDX-License-Identifier: MIT
// What the tests of the OBS source share: one libobs for the whole process.
#include "obs_fixture.h"

#include <util/bmem.h>

#include <cstdio>

namespace vgpuview::headless {

namespace {

std::unique_ptr<ObsHost>& theHost() {
    static std::unique_ptr<ObsHost> one;
    return one;
}

} // namespace

void Obs::SetUp() {
    if (!theHost())
        theHost() = std::make_unique<ObsHost>();
    if (!theHost()->trouble().empty())
        GTEST_SKIP() << theHost()->trouble();
}

ObsHost* Obs::host() {
    return theHost().get();
}

/// Whether libobs ended with nothing left allocated.
static bool shutDown() {
    const bool ran = theHost() && theHost()->trouble().empty();
    theHost().reset();
    if (!ran || bnum_allocs() == 0)
        return true;
    std::fprintf(stderr, "libobs counts %ld blocks of memory that nobody freed\n", bnum_allocs());
    return false;
}

} // namespace vgpuview::headless

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const int result = RUN_ALL_TESTS();
    return vgpuview::headless::shutDown() ? result : 1;
}

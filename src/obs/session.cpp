// SPDX-License-Identifier: MIT
// An open origin with all that it needs to run: handed from thread to thread as a whole.
#include "obs/session.h"

namespace vgpuview {

Session::Session(const Origin& origin, Log& log)
    : opener_(loop_, log)
    , source_(opener_.open(origin.target)) {}

} // namespace vgpuview

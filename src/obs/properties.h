// SPDX-License-Identifier: MIT
// The page on which a user sets a source up.
#pragma once

struct obs_properties;

namespace vgpuview {

class CaptureSource;

/// libobs owns it. source: nullptr where the page is for no source in particular; else it outlives the page.
[[nodiscard]] obs_properties* makeProperties(CaptureSource* source);

} // namespace vgpuview

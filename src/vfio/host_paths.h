// SPDX-License-Identifier: MIT
// Where the host's kernel interfaces are: under one root, so that tests can lay out a host of their own.
#pragma once

#include <filesystem>
#include <utility>

namespace vgpuview {

class HostPaths {
public:
    explicit HostPaths(std::filesystem::path root = "/")
        : root_(std::move(root)) {}

    [[nodiscard]] std::filesystem::path sysfs() const { return root_ / "sys"; }
    [[nodiscard]] std::filesystem::path procfs() const { return root_ / "proc"; }
    [[nodiscard]] std::filesystem::path dev() const { return root_ / "dev"; }
    [[nodiscard]] std::filesystem::path run() const { return root_ / "run"; }

private:
    std::filesystem::path root_;
};

} // namespace vgpuview

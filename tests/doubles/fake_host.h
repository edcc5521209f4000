// SPDX-License-Identifier: MIT
// A host's sysfs, procfs and run folders, laid out in a temporary folder.
#pragma once

#include "vfio/host_paths.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace vgpuview::doubles {

class FakeHost {
public:
    FakeHost() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vgpu-view-host-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        std::filesystem::create_directories(root_ / "proc" / "self" / "fd");
        std::filesystem::create_directories(root_ / "sys" / "bus" / "mdev" / "devices");
    }
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;
    ~FakeHost() {
        std::error_code error;
        std::filesystem::remove_all(root_, error);
    }

    [[nodiscard]] HostPaths paths() const { return HostPaths(root_); }
    [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }
    /// The path of a device node as the program under test names it.
    [[nodiscard]] std::string node(std::string_view name) const { return (root_ / "dev" / name).string(); }

    void write(const std::filesystem::path& file, std::string_view content) {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file, std::ios::binary) << content;
    }
    void link(const std::filesystem::path& file, const std::filesystem::path& target) {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::filesystem::remove(root_ / file);
        std::filesystem::create_symlink(target, root_ / file);
    }

    /// A mediated device as the kernel shows it. group < 0 or an empty cdev: it has none.
    void addMdev(const std::string& uuid, const std::string& parent, const std::string& type, int group,
                 const std::string& cdev = {}, const std::string& parentDriver = {}) {
        const std::filesystem::path parentFolder = std::filesystem::path("sys/devices") / parent;
        const std::filesystem::path folder = parentFolder / uuid;
        write(parentFolder / "mdev_supported_types" / type / "name", "type " + type + "\n");
        link(folder / "mdev_type", std::filesystem::path("../mdev_supported_types") / type);
        link(folder / "driver", "../../../bus/mdev/drivers/" + parent);
        if (!parentDriver.empty())
            link(parentFolder / "driver", "../../bus/pci/drivers/" + parentDriver);
        if (group >= 0)
            link(folder / "iommu_group", "../../../kernel/iommu_groups/" + std::to_string(group));
        if (!cdev.empty())
            std::filesystem::create_directories(root_ / folder / "vfio-dev" / cdev);
        link(std::filesystem::path("sys/bus/mdev/devices") / uuid, "../../../devices/" + parent + "/" + uuid);
    }

    /// process: a number, or "self".
    void addDescriptor(const std::string& process, int fd, std::string_view target, std::string_view fdinfo = {}) {
        const std::filesystem::path folder = std::filesystem::path("proc") / process;
        link(folder / "fd" / std::to_string(fd), target);
        write(folder / "fdinfo" / std::to_string(fd), fdinfo);
    }
    /// arguments: ended by NUL each, as the kernel shows them.
    void addProcess(int pid, std::string_view name, std::string_view commandLine = {}) {
        const std::filesystem::path folder = std::filesystem::path("proc") / std::to_string(pid);
        std::filesystem::create_directories(root_ / folder / "fd");
        write(folder / "comm", std::string(name) + "\n");
        write(folder / "cmdline", commandLine);
    }

private:
    std::filesystem::path root_;
};

} // namespace vgpuview::doubles

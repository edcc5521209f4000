// SPDX-License-Identifier: MIT
// The kernel's VFIO interface, with what headers older than Linux 6.6 lack.
#pragma once

#include <linux/vfio.h>
#include <sys/ioctl.h>

namespace vgpuview {

/// struct vfio_device_bind_iommufd of linux/vfio.h, Linux 6.6.
struct BindIommufd {
    __u32 argsz;
    __u32 flags;
    __s32 iommufd;
    __u32 outDeviceId;
};

} // namespace vgpuview

#ifndef VFIO_DEVICE_BIND_IOMMUFD
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

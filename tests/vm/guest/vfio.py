# SPDX-License-Identifier: MIT
"""VFIO as the test bed needs it, independent of the code under test. Source: linux/vfio.h, linux/iommufd.h."""

import fcntl
import mmap
import os
import struct


def _io(number):
    return (ord(";") << 8) | (100 + number)


SET_IOMMU = _io(2)
GROUP_SET_CONTAINER = _io(4)
GROUP_GET_DEVICE_FD = _io(6)
DEVICE_GET_REGION_INFO = _io(8)
DEVICE_BIND_IOMMUFD = _io(18)
TYPE1V2_IOMMU = 3

REGION_READ, REGION_WRITE, REGION_MMAP, REGION_CAPS = 1, 2, 4, 8
CAP_TYPE = 2
TYPE_GFX, SUBTYPE_GFX_EDID = 1, 1


class Region:
    def __init__(self, device, index):
        reply = bytearray(struct.pack("<IIIIQQ", 32, 0, index, 0, 0, 0))
        fcntl.ioctl(device, DEVICE_GET_REGION_INFO, reply, True)
        argsz = struct.unpack_from("<I", reply)[0]
        if argsz > 32:
            reply = bytearray(struct.pack("<IIIIQQ", argsz, 0, index, 0, 0, 0)) + bytearray(argsz - 32)
            fcntl.ioctl(device, DEVICE_GET_REGION_INFO, reply, True)
        _, self.flags, _, capability, self.size, self.offset = struct.unpack_from("<IIIIQQ", reply)
        self.kind = None
        while self.flags & REGION_CAPS and capability:
            identity, _, following = struct.unpack_from("<HHI", reply, capability)
            if identity == CAP_TYPE:
                self.kind = struct.unpack_from("<II", reply, capability + 8)
            capability = following


class Device:
    """An mdev, opened by group or by character device. Use as a context; close() lets go of it."""

    def __init__(self, uuid, way="group"):
        self._others = []
        path = f"/sys/bus/mdev/devices/{uuid}"
        if way == "group":
            group = os.open("/dev/vfio/" + os.path.basename(os.readlink(path + "/iommu_group")), os.O_RDWR)
            container = os.open("/dev/vfio/vfio", os.O_RDWR)
            self._others = [group, container]
            fcntl.ioctl(group, GROUP_SET_CONTAINER, struct.pack("<i", container))
            fcntl.ioctl(container, SET_IOMMU, TYPE1V2_IOMMU)
            self.fd = fcntl.ioctl(group, GROUP_GET_DEVICE_FD, bytearray(uuid.encode() + b"\0"), True)
        else:
            iommufd = os.open("/dev/iommu", os.O_RDWR)
            self._others = [iommufd]
            self.fd = os.open("/dev/vfio/devices/" + os.listdir(path + "/vfio-dev")[0], os.O_RDWR)
            fcntl.ioctl(self.fd, DEVICE_BIND_IOMMUFD, bytearray(struct.pack("<IIiI", 16, 0, iommufd, 0)), True)

    def region(self, index):
        return Region(self.fd, index)

    def map(self, index):
        region = self.region(index)
        return mmap.mmap(self.fd, region.size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=region.offset)

    def read(self, index, offset, count):
        return os.pread(self.fd, count, self.region(index).offset + offset)

    def write(self, index, offset, data):
        os.pwrite(self.fd, data, self.region(index).offset + offset)

    def edid_region(self):
        """The number of the region that takes the monitor's EDID, or None."""
        for index in range(9, 16):
            try:
                if self.region(index).kind == (TYPE_GFX, SUBTYPE_GFX_EDID):
                    return index
            except OSError:
                return None
        return None

    def close(self):
        for fd in [self.fd, *self._others]:
            if fd >= 0:
                os.close(fd)
        self.fd, self._others = -1, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

# SPDX-License-Identifier: MIT
"""What the kernel and the machine can do: a loop that flips between two buffers, by KMS' own calls, and nothing else."""

import array
import fcntl
import os
import struct
import time

# drm/drm_mode.h
GET_RESOURCES, GET_CONNECTOR, SET_CRTC = 0xC04064A0, 0xC05064A7, 0xC06864A2
CREATE_DUMB, ADD_FRAMEBUFFER, PAGE_FLIP, PAGE_FLIP_EVENT = 0xC02064B2, 0xC01C64AE, 0xC01864B0, 1
# drm/drm.h: its header, user data, seconds, microseconds, sequence, CRTC
FLIP_COMPLETE, EVENT = 2, "IIQIIII"
MODE_INFO = 68


def bare_flips(card, width, height, seconds):
    """(how many refreshes the monitor made, in how many of them a flip was done)."""
    fd = os.open(card, os.O_RDWR)
    try:
        crtcs, connectors = array.array("I", [0] * 8), array.array("I", [0] * 8)
        fcntl.ioctl(fd, GET_RESOURCES, struct.pack("4Q8I", 0, address(crtcs), address(connectors), 0, 0, 8, 8, 0, 0, 0,
                                                   0, 0))
        modes = array.array("B", bytes(MODE_INFO * 64))
        # The one that asks for nothing looks for modes.
        for room in (0, 64):
            count = struct.unpack("4Q12I", fcntl.ioctl(fd, GET_CONNECTOR, struct.pack(
                "4Q12I", 0, address(modes), 0, 0, room, 0, 0, 0, connectors[0], *[0] * 7)))[4]
        found = [bytes(modes[start:start + MODE_INFO]) for start in range(0, count * MODE_INFO, MODE_INFO)]
        mode = next(mode for mode in found if struct.unpack_from("I6H", mode)[1:7:5] == (width, height))
        framebuffers = [framebuffer(fd, width, height) for _ in range(2)]
        fcntl.ioctl(fd, SET_CRTC, struct.pack("Q7I", address(connectors), 1, crtcs[0],
                                              framebuffers[0], 0, 0, 0, 1) + mode)
        flips, first, last, end = 0, None, 0, time.monotonic() + seconds
        while time.monotonic() < end:
            fcntl.ioctl(fd, PAGE_FLIP, struct.pack("4IQ", crtcs[0], framebuffers[flips % 2 - 1], PAGE_FLIP_EVENT, 0, 0))
            kind, _, _, _, _, last, _ = struct.unpack(EVENT, os.read(fd, struct.calcsize(EVENT)))
            assert kind == FLIP_COMPLETE
            first = last if first is None else first
            flips += 1
        return last - first + 1, flips
    finally:
        os.close(fd)


def address(values):
    return values.buffer_info()[0]


def framebuffer(fd, width, height):
    _, _, _, _, handle, pitch, _ = struct.unpack("6IQ", fcntl.ioctl(fd, CREATE_DUMB, struct.pack(
        "6IQ", height, width, 32, 0, 0, 0, 0)))
    return struct.unpack("7I", fcntl.ioctl(fd, ADD_FRAMEBUFFER, struct.pack("7I", 0, width, height, pitch, 32, 24,
                                                                            handle)))[0]

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plays the guest of an mbochs or mdpy device: holds it, sets modes, draws, flips.

As a module: Player. As a program: player.py UUID, then a command a line on standard input, answered by "ok":
mode WIDTH HEIGHT [VIRTUAL_HEIGHT] | draw SEED [PAGE] | flip PAGE | blank | quit
"""

import contextlib
import struct
import sys

import numpy
import pictures
import vfio

# The VBE registers of the bochs display, 16 bits each, at BAR2 + 0x500. Source: hw/display/bochs-vbe.h.
VBE = 0x500
XRES, YRES, BPP, ENABLE, VIRTUAL_WIDTH, VIRTUAL_HEIGHT, X_OFFSET, Y_OFFSET = 1, 2, 3, 4, 6, 7, 8, 9
ENABLED = 0x41


class Player:
    """Pages lie one below the other in BAR0; page n starts n * height lines down."""

    def __init__(self, uuid, way="group"):
        self.device = vfio.Device(uuid, way)
        self.memory = self.device.map(0)
        self.width = self.height = 0

    def _set(self, register, value):
        self.device.write(2, VBE + 2 * register, struct.pack("<H", value))

    def mode(self, width, height, virtual_height=None):
        self._set(ENABLE, 0)
        for register, value in ((XRES, width), (YRES, height), (BPP, 32), (VIRTUAL_WIDTH, width),
                                (VIRTUAL_HEIGHT, virtual_height or height), (X_OFFSET, 0), (Y_OFFSET, 0)):
            self._set(register, value)
        self.width, self.height = width, height
        self._set(ENABLE, ENABLED)

    def blank(self):
        self._set(ENABLE, 0)

    def page(self, number=0):
        """The page's memory as an array (height, width)."""
        offset = number * self.width * self.height * 4
        return numpy.frombuffer(self.memory, numpy.uint32, self.width * self.height, offset).reshape(
            self.height, self.width)

    def draw(self, seed, number=0):
        """Draws the pattern and returns it as it shows: without what the unused byte holds."""
        picture = pictures.pattern(seed, self.width, self.height)
        # What stands where alpha would is not alpha: XRGB.
        self.page(number)[:] = picture | 0x5A000000
        return picture

    def flip(self, number):
        self._set(Y_OFFSET, number * self.height)

    def close(self):
        # The mapping keeps the device, and numpy's views keep the mapping: none is left here.
        self.memory.close()
        self.device.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def mdpy_screen(uuid):
    """Holds an mdpy device; yields what puts a picture on its display."""
    with vfio.Device(uuid) as device:
        # Its display is region 16, beyond the number of regions that it admits to.
        memory = device.map(16)

        def put(picture):
            memory[: picture.size * 4] = picture.tobytes()

        yield put
        memory.close()


def main():
    player = Player(sys.argv[1], *sys.argv[2:3])
    print("ok", flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        if name == "quit":
            break
        {"mode": player.mode, "draw": player.draw, "flip": player.flip, "blank": player.blank}[name](*map(int, words))
        print("ok", flush=True)


if __name__ == "__main__":
    main()

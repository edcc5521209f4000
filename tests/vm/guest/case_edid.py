# SPDX-License-Identifier: MIT
"""The guest's monitor follows the window: what the driver's EDID region holds after it, read back through the kernel."""

import os
import struct
import subprocess
import threading
import time
import unittest

from mdev import Mdev
from player import Player
from programs import OUT, Viewer, Weston, vgpu_view, wait_for

# struct vfio_region_gfx_edid, 32 bits each. Source: linux/vfio.h.
EDID_OFFSET, EDID_MAX_SIZE, EDID_SIZE, MAX_XRES, MAX_YRES, LINK_STATE = range(6)
LINK_UP, LINK_DOWN = 1, 2


class Monitor:
    """The device's EDID region, as whoever else holds the device sees it."""

    def __init__(self, device):
        self.device = device
        self.region = device.region(device.edid_region())
        self.states = []

    def field(self, number):
        return struct.unpack("<I", os.pread(self.device.fd, 4, self.region.offset + 4 * number))[0]

    def block(self):
        return os.pread(self.device.fd, self.field(EDID_SIZE), self.region.offset + self.field(EDID_OFFSET))

    def watch(self, ended):
        """Keeps each state of the link that differs from the one before, with the block's size at that moment."""
        while not ended.is_set():
            state = self.field(LINK_STATE)
            if not self.states or self.states[-1] != state:
                self.states.append(state)
            time.sleep(0.001)


def preferred_size(block):
    """Of the first detailed timing. Source: VESA E-EDID A2, 3.10.2."""
    timing = block[54:72]
    return timing[2] | (timing[4] & 0xF0) << 4, timing[5] | (timing[7] & 0xF0) << 4


class Resize(unittest.TestCase):
    def test_the_monitor_is_the_windows_size(self):
        # A guest without a picture: what it shows plays no part here.
        with Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player:
            monitor = Monitor(player.device)
            for size in ((1280, 800), (1024, 768)):
                with self.subTest(size=size), Weston(*size) as weston:
                    monitor.states.clear()
                    ended = threading.Event()
                    watcher = threading.Thread(target=monitor.watch, args=(ended,))
                    watcher.start()
                    try:
                        with Viewer("window", mdev.uuid, "--full-screen", environment=weston.environment) as viewer:
                            wait_for(lambda: preferred_size(monitor.block().ljust(128, b"\0")) == size
                                     and monitor.field(LINK_STATE) == LINK_UP, "the monitor's EDID")
                            viewer.finish()
                    finally:
                        ended.set()
                        watcher.join()
                    # Down while the block is written, up 100 ms after: never up with the old one.
                    self.assertEqual(monitor.states[-2:], [LINK_DOWN, LINK_UP])
                    block = monitor.block()
                    path = OUT / f"edid-{size[0]}x{size[1]}"
                    path.write_bytes(block)
                    checked = subprocess.run(["edid-decode", "--check", str(path)], capture_output=True, text=True,
                                             check=False)
                    self.assertEqual(checked.returncode, 0, checked.stdout)
                    self.assertIn("EDID conformity: PASS", checked.stdout)
                    self.assertIn(f"{size[0]}x{size[1]}", checked.stdout)

    def test_no_other_monitor_where_it_is_fixed(self):
        with Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Weston(800, 600) as weston:
            player.mode(640, 480)
            monitor = Monitor(player.device)
            with Viewer("window", mdev.uuid, "--full-screen", "--resize", "fixed", "--frames", "3",
                        environment=weston.environment) as viewer:
                self.assertEqual(viewer.wait(), 0, viewer.text())
            self.assertEqual(monitor.field(EDID_SIZE), 0)
            code, text, _ = vgpu_view("probe", mdev.uuid)
            self.assertEqual(code, 0)
            self.assertIn("EDID      up to 1920x1440", text)

# SPDX-License-Identifier: MIT
"""The window on the real drivers, in a compositor that imports their dma-bufs: pixels, copies, flips, modes."""

import os
import subprocess
import time
import unittest

import pictures
from mdev import Mdev
from player import Player, mdpy_screen
from programs import Program, Viewer, Weston, vgpu_view, wait_for

SCREEN = (1920, 1080)
MODES = [(640, 480), (800, 600), (1280, 800), (1920, 1080)]


def window(source, weston, *options, name="viewer"):
    """Guest pixels are screen pixels, in the middle of the screen."""
    return Viewer("window", source, "--full-screen", "--scale", "1:1", *options, name=name,
                  environment=weston.environment)


class HolderCase(unittest.TestCase):
    def assert_at_once(self, killed):
        """A viewer that has just ended did so within a second, or three of an emulated machine's."""
        seconds = time.monotonic() - killed
        print(f"    {self.id()}: the viewer ended {seconds:.2f} s after the holder")
        self.assertLess(seconds, 3)


class Mbochs(HolderCase):
    def assert_untouched(self, report):
        self.assertEqual((report["bytes_copied"], report["blits"], report["import_failures"]), (0, 0, 0))

    def test_modes_and_flips(self):
        """Still pictures in four modes, changed while it runs, and 500 flips: each picture to the last pixel, by its UUID."""
        with (Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Weston(*SCREEN) as weston):
            player.mode(*MODES[0])
            drawn = player.draw(0)
            with window(mdev.uuid, weston) as viewer:
                weston.wait_for_picture(pictures.centred(drawn, *SCREEN), "mbochs-640x480")
                for seed, mode in enumerate(MODES[1:], start=1):
                    player.mode(*mode)
                    drawn = player.draw(seed)
                    weston.wait_for_picture(pictures.centred(drawn, *SCREEN), f"mbochs-{mode[0]}x{mode[1]}")

                # Drawn in place, with nothing that tells: the same buffer, other pixels.
                drawn = player.draw(77)
                weston.wait_for_picture(pictures.centred(drawn, *SCREEN), "mbochs-in-place")

                # 13 pages of 640x480 fit into its 16 MB; each is a dma-buf of its own.
                pages = 13
                player.mode(640, 480, pages * 480)
                drawn = [player.draw(100 + page, page) for page in range(pages)]
                for flip in range(1, 501):
                    player.flip(flip % pages)
                    time.sleep(0.02)
                    if flip % 100 == 0:
                        weston.wait_for_picture(pictures.centred(drawn[flip % pages], *SCREEN), f"mbochs-flip-{flip}")
                report = viewer.finish()
        self.assert_untouched(report)
        self.assertEqual(report["source"]["display"], "dma-buf")
        # One import per dma-buf: four modes and thirteen pages, of which the first is the first mode again.
        self.assertEqual(report["imports"], len(MODES) + pages - 1)
        self.assertGreaterEqual(report["guest_frames"], pages)
        self.assertGreater(report["presented"], 0)

    def test_by_pid_and_second_viewer(self):
        with (Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid, "cdev") as player,
              Weston(800, 600) as weston):
            player.mode(800, 600)
            drawn = player.draw(3)
            with Viewer("window", f"pid:{os.getpid()}", "--full-screen", environment=weston.environment) as viewer:
                weston.wait_for_picture(drawn, "mbochs-by-pid")
                code, _, errors = vgpu_view("probe", mdev.uuid)
                self.assertEqual(code, 5, errors)
                self.assertIn(mdev.uuid, errors)
                weston.wait_for_picture(drawn, "mbochs-after-second")
                self.assert_untouched(viewer.finish())

    def test_holder_killed(self):
        """The viewer ends within a second, by its own message, and lets go of the device."""
        with Mdev("mbochs_readwrite", "medium") as mdev, Weston(640, 480) as weston:
            with Program("player", "python3", "player.py", mdev.uuid, stdin=subprocess.PIPE) as player:
                wait_for(lambda: "ok" in player.text() or not player.running(), "the player")
                wait_for(lambda: vgpu_view("probe", f"pid:{player.pid}")[0] == 0, "the player's device")
                with Viewer("window", f"pid:{player.pid}", environment=weston.environment) as viewer:
                    wait_for(lambda: viewer.text() or holds_device(viewer.pid), "the viewer's copy")
                    player.process.kill()
                    player.process.wait()
                    killed = time.monotonic()
                    self.assertEqual(viewer.wait(20), 0, viewer.text())
                    self.assert_at_once(killed)
                    self.assertIn(f"pid {player.pid}", viewer.text())
        self.assertFalse(mdev.path.exists(), "the device could not be removed")

    def test_unmodified_driver(self):
        """What the compositor can't import, and nobody can map: said, and exit code 6 where zero copy is a must."""
        with (Mdev("mbochs", "medium") as mdev, Player(mdev.uuid) as player,
              Weston(640, 480, renderer="pixman") as weston):
            player.mode(640, 480)
            player.draw(1)
            with Viewer("window", mdev.uuid, "--require-zero-copy", environment=weston.environment) as viewer:
                self.assertEqual(viewer.wait(), 6, viewer.text())
                last = [line for line in viewer.text().splitlines() if line.startswith("vgpu-view: cannot ")]
                self.assertEqual(len(last), 1, viewer.text())
                self.assertRegex(last[0], "import|refuse|compositor")


class Mdpy(unittest.TestCase):
    def test_window(self):
        """A region: the picture by shared memory, and of a small change only its rows."""
        with Mdev("mdpy", "vga") as mdev, mdpy_screen(mdev.uuid) as put, Weston(640, 480) as weston:
            picture = pictures.pattern(9, 640, 480)
            put(picture)
            with Viewer("window", f"pid:{os.getpid()}", "--full-screen", environment=weston.environment) as viewer:
                weston.wait_for_picture(picture, "mdpy")
                for step in range(5):
                    picture[100 + step * 40, 50:90] = 0x00FF8000 + step
                    put(picture)
                    weston.wait_for_picture(picture, f"mdpy-row-{step}")
                report = viewer.finish()
        self.assertEqual(report["blits"], 0)
        # The whole picture a few times (the window's buffers), and then rows: far from a copy a frame.
        self.assertLess(report["bytes_copied"], 8 * 640 * 480 * 4)
        self.assertGreaterEqual(report["bytes_copied"], 640 * 480 * 4)


def holds_device(pid):
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    return any("vfio-device" in link or "/dev/vfio/devices" in link for link in links)

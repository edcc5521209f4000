# SPDX-License-Identifier: MIT
"""A monitor without a desktop: wlroots' DRM backend on vkms, which tells what is on its planes and the picture's CRC.

vkms maps what it scans out, so for that the guest is the test vGPU on udmabuf: mbochs' dma-bufs can't be mapped by a driver.
"""

import re
import time
import unittest

from bare_flips import bare_flips
from kms import Console, Devices, activate_terminal, active_terminal, crc, frame
from mdev import Mdev
from player import Player
from programs import Viewer, wait_for
from qmp_recorder import QmpRecorder

SIZE = (1024, 768)
STILL = "test:1024x768@60,buffers=1,still,cursor=off,memory=udmabuf,edid=off"
FLIPPING = "test:1024x768@60,buffers=3,period=3,cursor=off,memory=udmabuf,edid=off"


def monitor(console, source, *options, name="monitor"):
    return Viewer("monitor", source, "--mode", "1024x768", *options, name=name, environment=console.environment)


def until_scanned_out(console, viewer):
    """The kernel's word that the guest's own dma-buf is on the primary plane."""

    def looks():
        assert viewer.running(), viewer.text()
        if "picture is scanned out" not in viewer.text():
            return None
        primary = console.planes().get("plane-0", {})
        return primary if primary.get("imported") == ["yes"] else None

    return wait_for(looks, f"the guest's buffer on the primary plane; {viewer.log}")


class Vkms(unittest.TestCase):
    def test_scan_out(self):
        """A still picture: the guest's dma-buf is the plane's framebuffer, and the monitor's CRC is the picture's."""
        with Console() as console, monitor(console, STILL) as viewer:
            primary = until_scanned_out(console, viewer)
            self.assertEqual(primary["allocated by"], "vgpu-view")
            self.assertEqual(primary["size"], "1024x768")
            picture = {crc(frame(0, *SIZE))}
            wait_for(lambda: set(console.crcs(5)) == picture, "the guest's picture and no other")
            report = viewer.finish()
        self.assertEqual((report["bytes_copied"], report["blits"], report["import_failures"]), (0, 0, 0))
        self.assertGreaterEqual(int(report["monitor"]["scanned_out"]), 1)

    def test_flips(self):
        """A guest that flips between three buffers for 20 s: only whole pictures, all three of them, none composed."""
        expected = {crc(frame(number, *SIZE)) for number in range(3)}
        self.assertEqual(len(expected), 3)
        with Console() as console, monitor(console, FLIPPING) as viewer:
            until_scanned_out(console, viewer)
            # The composer of vkms lags behind: what was there before the guest may still come.
            wait_for(lambda: set(console.crcs(10)) <= expected, "nothing but the guest's pictures")
            seen, end = set(), time.monotonic() + 20
            while time.monotonic() < end:
                seen |= set(console.crcs(10))
            report = viewer.finish()
        self.assertEqual(seen, expected)
        section = report["monitor"]
        self.assertEqual((report["bytes_copied"], report["blits"]), (0, 0))
        self.assertEqual((int(section["composed"]), int(section["commit_failures"]), report["dropped"]), (0, 0, 0))
        # One may be on its way at the end.
        self.assertGreaterEqual(report["presented"], report["commits"] - 1)
        self.assertGreaterEqual(report["commits"], 100)
        self.assertEqual(report["imports"], 3)

    def test_every_refresh(self):
        """A minute of a guest that has a new picture whenever it is asked: as good as a loop that flips and does nothing
        else, which under emulation misses one now and then as well."""
        with Console() as console:
            bare_refreshes, bare = bare_flips(f"/dev/dri/{console.card}", 640, 480, 10)
        source = "test:640x480@60,clock=poll,buffers=3,period=3,cursor=off,memory=udmabuf,edid=off"
        with Console() as console, Viewer("monitor", source, "--mode", "640x480", name="every-refresh",
                                          environment=console.environment) as viewer:
            until_scanned_out(console, viewer)
            refreshes = console.watch_refreshes(60)
            report = viewer.finish()
        print(f"    {self.id()}: {report['presented']} flips in {refreshes} refreshes; a bare loop's: {bare} in "
              f"{bare_refreshes}")
        self.assertEqual((report["dropped"], report["bytes_copied"], report["blits"]), (0, 0, 0))
        self.assertGreaterEqual(report["presented"], report["commits"] - 1)
        self.assertEqual(int(report["monitor"]["composed"]), 0)
        self.assertGreaterEqual(report["presented"] / refreshes, bare / bare_refreshes - 0.02)

    def test_cursor(self):
        """The cursor is on the hardware's plane, and moves there, while the guest's buffer stays on the primary one."""
        source = "test:1024x768@60,buffers=3,cursor=on,memory=udmabuf,edid=off"
        with Console() as console, monitor(console, source) as viewer:
            until_scanned_out(console, viewer)
            places = set()

            def moves():
                planes = console.planes()
                cursor = [plane for name, plane in planes.items() if name != "plane-0"]
                places.update(plane["crtc-pos"] for plane in cursor if plane["allocated by"] == "vgpu-view")
                return len(places) >= 3 and planes["plane-0"]["imported"] == ["yes"]

            wait_for(moves, "the cursor in three places on its plane")
            report = viewer.finish()
        section = report["monitor"]
        self.assertGreater(int(section["cursor_plane"]) + int(section["cursor_plane_rendered"]), 0)
        self.assertEqual((int(section["composed"]), report["bytes_copied"]), (0, 0))

    def test_scaled(self):
        """A guest of another size is composed, in the middle; when its size becomes the monitor's it is scanned out."""
        source = "test:buffers=3,cursor=off,memory=udmabuf,edid=off,modes=512x768/1024x768,every=240"
        with Console() as console, monitor(console, source, "--scale", "1:1") as viewer:
            wait_for(lambda: "composed, not scanned out: it is 512x768" in viewer.text(), "the composed picture")
            until_scanned_out(console, viewer)
            report = viewer.finish()
        self.assertGreater(int(report["monitor"]["composed"]), 0)
        self.assertGreater(int(report["monitor"]["scanned_out"]), 0)

    def test_real_driver(self):
        """mbochs' dma-buf, which vkms can't read: composed, said once, and right to the last pixel, flip after flip."""
        with (Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Console() as console):
            player.mode(1024, 768, 2 * 768)
            drawn = [player.draw(3), player.draw(4, 1)]
            expected = [crc(picture) for picture in drawn]
            with monitor(console, mdev.uuid, "--resize", "fixed") as viewer:
                for flip in range(4):
                    player.flip(flip % 2)
                    # vkms may still read a buffer that it has given back: of what is composed anew each refresh, some
                    # of its CRCs are of two pictures.
                    wait_for(lambda: expected[flip % 2] in console.crcs(3), f"picture {flip}; {viewer.log}")
                self.assertEqual(viewer.text().count("composed, not scanned out"), 1, viewer.text())
                report = viewer.finish()
        self.assertEqual(int(report["monitor"]["scanned_out"]), 0)
        self.assertGreaterEqual(int(report["monitor"]["composed"]), 4)

    def test_terminals_and_keys(self):
        """Ctrl+Alt+F2 leaves and never reaches the guest; on return the picture is there again; keys and mouse go on."""
        with (Console() as console, Devices() as devices, QmpRecorder() as guest,
              monitor(console, STILL, "--qmp", guest.path) as viewer):
            until_scanned_out(console, viewer)
            wait_for(lambda: devices.tap("a") or guest.keys()[-2:] == ["a+", "a-"], "a key in the guest", interval=0.5)
            devices.move(4000, 4000)
            wait_for(lambda: set(guest.places()[-2:]) == {("x", 0x7FFF), ("y", 0x7FFF)}, "the mouse in the corner")

            guest.events.clear()
            devices.key("leftctrl", True)
            devices.key("leftalt", True)
            devices.tap("f2")
            wait_for(lambda: active_terminal() == 2, f"terminal 2; {viewer.text()}")
            wait_for(lambda: "the session is inactive" in viewer.text(), "the session's end")
            devices.key("leftalt", False)
            devices.key("leftctrl", False)
            wait_for(lambda: guest.keys().count("ctrl-") == 1 and guest.keys().count("alt-") == 1, "the keys' lift")
            self.assertEqual(sorted(guest.keys()), ["alt+", "alt-", "ctrl+", "ctrl-"])

            activate_terminal(1)
            wait_for(lambda: "the session is active again" in viewer.text(), "the session's return")
            until_scanned_out(console, viewer)
            wait_for(lambda: set(console.crcs(3)) == {crc(frame(0, *SIZE))}, "the guest's picture again")
            guest.events.clear()
            wait_for(lambda: devices.tap("a") or guest.keys()[-2:] == ["a+", "a-"], "a key after that", interval=0.5)

            devices.key("leftctrl", True)
            devices.key("leftalt", True)
            devices.tap("q")
            self.assertEqual(viewer.wait(), 0, viewer.text())
            self.assertNotIn("q+", guest.keys())

    def test_hotplug(self):
        """No monitor is waited for; one that comes shows the guest; one that goes is waited for again."""
        with Console() as console:
            console.connect("off")
            with monitor(console, STILL) as viewer:
                wait_for(lambda: "no monitor is connected; waiting for one" in viewer.text(), "its patience")
                console.connect("on")
                until_scanned_out(console, viewer)
                console.connect("off")
                wait_for(lambda: re.search("monitor .* is gone; waiting for another", viewer.text()), "the unplugging")
                console.connect("on")
                until_scanned_out(console, viewer)
                wait_for(lambda: set(console.crcs(3)) == {crc(frame(0, *SIZE))}, "the guest's picture again")
                report = viewer.finish()
            console.connect("detect")
        self.assertEqual(report["bytes_copied"], 0)


if __name__ == "__main__":
    unittest.main()

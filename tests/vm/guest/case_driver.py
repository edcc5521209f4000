# SPDX-License-Identifier: MIT
"""The real drivers without a compositor: what list, probe and shot say of mbochs and mdpy, and the ways in."""

import json
import os
import struct
import unittest

import pictures
from mdev import Mdev
from player import Player, mdpy_screen
from programs import OUT, vgpu_view
from vfio import Device


def shot(test, source, name, *options):
    """What `vgpu-view shot` saved."""
    path = OUT / f"{name}.png"
    code, _, errors = vgpu_view("shot", source, path, *options)
    test.assertEqual(code, 0, errors)
    return pictures.load(path)


class Mbochs(unittest.TestCase):
    def test_shot_equals_what_was_drawn(self):
        with Mdev("mbochs_readwrite", "medium") as mdev:
            for seed, (width, height) in enumerate([(640, 480), (800, 600), (1280, 800), (1920, 1080)]):
                with self.subTest(mode=f"{width}x{height}"), Player(mdev.uuid) as player:
                    player.mode(width, height)
                    drawn = player.draw(seed)
                    taken = shot(self, mdev.uuid, f"mbochs-{width}x{height}")
                    self.assertIsNone(pictures.difference(taken, drawn))

    def test_ways_in(self):
        with Mdev("mbochs_readwrite", "medium") as mdev:
            # Nobody holds it: the character device, with an iommufd.
            code, text, errors = vgpu_view("probe", mdev.uuid, "--json")
            self.assertEqual(code, 0, errors)
            alone = json.loads(text)
            self.assertEqual(alone["way_in"], "cdev")
            self.assertEqual((alone["dmabuf"], alone["region"], alone["driver"]), (True, False, "mbochs"))
            self.assertEqual((alone["edid"]["max_width"], alone["edid"]["max_height"]), (1920, 1440))
            for way in ("group", "cdev"):
                with self.subTest(held_by=way), Player(mdev.uuid, way) as player:
                    player.mode(640, 480)
                    for address in (mdev.uuid, f"pid:{os.getpid()}"):
                        code, text, errors = vgpu_view("probe", address, "--json")
                        self.assertEqual(code, 0, errors)
                        held = json.loads(text)
                        self.assertEqual((held["way_in"], held["holder"]), ("process", os.getpid()))
                        (primary,) = [p for p in held["planes"] if p["plane"] == "primary"]
                        self.assertEqual((primary["format"], primary["modifier"], primary["width"], primary["height"]),
                                         ("XR24", "linear", 640, 480))
            listed = json.loads(vgpu_view("list", "--json")[1])
            self.assertEqual([entry["uuid"] for entry in listed], [mdev.uuid])
        self.assertFalse(mdev.path.exists(), "the device could not be removed")

    def test_unmodified_driver_refuses_to_be_mapped(self):
        """What the second build of mbochs is for; and shot says why it has no picture."""
        with Mdev("mbochs", "medium") as mdev, Player(mdev.uuid) as player:
            player.mode(640, 480)
            code, _, errors = vgpu_view("shot", mdev.uuid, OUT / "unmodified.png")
            self.assertEqual(code, 6, errors)
            self.assertTrue(errors.startswith("vgpu-view: "), errors)
            self.assertIn("map", errors)


class Mdpy(unittest.TestCase):
    def test_shot_equals_what_was_drawn(self):
        for kind, (width, height) in {"vga": (640, 480), "xga": (1024, 768), "hd": (1920, 1080)}.items():
            with self.subTest(kind=kind), Mdev("mdpy", kind) as mdev, mdpy_screen(mdev.uuid) as put:
                picture = pictures.pattern(5, width, height)
                put(picture)
                self.assertIsNone(pictures.difference(shot(self, mdev.uuid, f"mdpy-{kind}"), picture))
                code, text, errors = vgpu_view("probe", mdev.uuid, "--json")
                self.assertEqual(code, 0, errors)
                probed = json.loads(text)
                self.assertEqual((probed["dmabuf"], probed["region"]), (False, True))
                self.assertIn("region-index-beyond", [quirk["name"] for quirk in probed["quirks"]])


class Edid(unittest.TestCase):
    def test_reference_reads_the_limits(self):
        """The reference itself: the region's registers as linux/vfio.h has them."""
        with Mdev("mbochs_readwrite", "medium") as mdev, Device(mdev.uuid) as device:
            region = device.edid_region()
            self.assertIsNotNone(region)
            offset, most, _, width, height = (struct.unpack("<I", device.read(region, 4 * i, 4))[0] for i in range(5))
            self.assertEqual((width, height), (1920, 1440))
            self.assertGreaterEqual(most, 128)
            self.assertGreater(offset, 0)

# SPDX-License-Identifier: MIT
"""A running QEMU and its guest's screen: attached by UUID, by pid and by name, without a restart.

The sample driver drops its pages twice when one dma-buf is asked for again after it was closed, so each guest is looked
at by one viewer.
"""

import json
import time

import pictures
from case_driver import shot
from case_window import HolderCase
from mdev import Mdev
from programs import Viewer, Weston, vgpu_view
from qemu_guest import Qemu


class Guest(HolderCase):
    def test_window_by_uuid_and_end_of_the_vm(self):
        with Mdev("mbochs_readwrite", "medium") as mdev, Weston(1280, 1024) as weston:
            with Qemu(mdev, name="guest-group") as guest:
                text = guest.wait_for_text()
                listed = json.loads(vgpu_view("list", "--json")[1])
                self.assertEqual([(entry["uuid"], entry["holder"]["pid"], entry["holder"]["vm"]) for entry in listed],
                                 [(mdev.uuid, guest.pid, "guest-group")])
                with Viewer("window", mdev.uuid, "--full-screen", "--scale", "1:1", name="guest-by-uuid",
                            environment=weston.environment) as viewer:
                    weston.wait_for_picture(pictures.centred(text, *weston.size), "guest-by-uuid")
                    guest.process.kill()
                    guest.process.wait()
                    killed = time.monotonic()
                    self.assertEqual(viewer.wait(20), 0, viewer.text())
                    self.assert_at_once(killed)
                    self.assertIn(f"pid {guest.pid}", viewer.text())
                report = viewer.report()
                self.assertEqual((report["bytes_copied"], report["blits"]), (0, 0))
                self.assertEqual(report["source"]["vm"], "guest-group")
        self.assertFalse(mdev.path.exists(), "the device could not be removed")

    def test_shot_by_pid_with_iommufd(self):
        with Mdev("mbochs_readwrite", "medium") as mdev, Qemu(mdev, iommufd=True, name="guest-iommufd") as guest:
            text = guest.wait_for_text()
            for address in (mdev.uuid, f"pid:{guest.pid}", "vm:guest-iommufd"):
                code, out, errors = vgpu_view("probe", address, "--json")
                self.assertEqual(code, 0, errors)
                self.assertEqual((json.loads(out)["way_in"], json.loads(out)["holder"]), ("process", guest.pid))
            taken = shot(self, f"pid:{guest.pid}", "guest-by-pid")
            # The text cursor blinks: 8x2 pixels are in one of two states.
            self.assertEqual(taken.shape, text.shape)
            y, x = (taken != text).nonzero()
            self.assertLessEqual(len(y), 16, pictures.difference(taken, text))
            if len(y):
                self.assertEqual((int(y.max() - y.min()), int(x.max() - x.min())), (1, 7))

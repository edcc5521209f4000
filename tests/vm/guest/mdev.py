# SPDX-License-Identifier: MIT
"""The kernel's sample drivers and the mediated devices they make."""

import contextlib
import os
import pathlib
import subprocess
import time
import uuid as uuids

DRIVERS = ("mbochs", "mbochs_readwrite", "mdpy")


def load(driver):
    """Loads a sample driver. mbochs and mbochs_readwrite are one driver: the other one goes first."""
    for other in DRIVERS:
        if other != driver and other.startswith("mbochs") and driver.startswith("mbochs"):
            subprocess.run(["rmmod", other], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["modprobe", driver], check=True)


def holders(uuid):
    """Processes that keep the device, for messages."""
    group = os.path.basename(os.readlink(f"/sys/bus/mdev/devices/{uuid}/iommu_group"))
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            target = os.readlink(link)
            if target == f"/dev/vfio/{group}" or "vfio-device" in target or "/dev/vfio/devices" in target:
                found.append(f"{link.parts[2]}: {target}")
    return found


class Mdev:
    """A mediated device that exists while the context lasts."""

    def __init__(self, driver, kind):
        """kind: "mbochs-medium", "mdpy-vga"."""
        load(driver)
        self.uuid = str(uuids.uuid4())
        parent = "mdpy" if driver == "mdpy" else "mbochs"
        types = pathlib.Path(f"/sys/class/mdev_bus/{parent}/mdev_supported_types")
        (types / f"{parent}-{kind}" / "create").write_text(self.uuid)
        self.path = pathlib.Path("/sys/bus/mdev/devices") / self.uuid

    def remove(self):
        """Fails after five seconds if somebody still keeps it."""
        if not self.path.exists():
            return
        # A write that waits for the holder would never return: look first.
        end = time.monotonic() + 5
        while held := holders(self.uuid):
            if time.monotonic() > end:
                raise AssertionError(f"{self.uuid} is still held by {held}")
            time.sleep(0.05)
        (self.path / "remove").write_text("1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

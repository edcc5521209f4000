# SPDX-License-Identifier: MIT
"""A real QEMU guest on an mdev: SeaBIOS draws its text through the bochs display's option ROM."""

import json
import re
import socket

import numpy
from programs import OUT, PATIENCE, Program, wait_for


class Qemu(Program):
    def __init__(self, mdev, *options, iommufd=False, name="guest"):
        self.socket_path = f"/run/{name}.qmp"
        device = (f"vfio-pci,sysfsdev={mdev.path},display=off,x-pci-vendor-id=0x1234,"
                  "romfile=/usr/share/seabios/vgabios-bochs-display.bin")
        backend = ["-object", "iommufd,id=iommufd0"] if iommufd else []
        super().__init__(name, "qemu-system-x86_64", "-name", name, "-machine", "q35", "-accel", "tcg", "-m", "128",
                         "-nodefaults", "-display", "none", *backend, "-device",
                         device + (",iommufd=iommufd0" if iommufd else ""), "-qmp",
                         f"unix:{self.socket_path},server=on,wait=off", *options)
        self.lines = wait_for(self._connect, "QEMU's monitor")
        self.lines.readline()
        self.command("qmp_capabilities")

    def _connect(self):
        assert self.running(), self.text()
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(self.socket_path)
            return connection.makefile("rw")
        except OSError:
            return None

    def command(self, name, **arguments):
        self.lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if "error" in answer:
                raise AssertionError(f"{name}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def pci_bar(self, number):
        """Where the guest's firmware put a BAR of its display."""
        text = self.command("human-monitor-command", **{"command-line": "info pci"})
        found = re.search(rf"BAR{number}: 32 bit (?:prefetchable )?memory at (0x[0-9a-f]{{8}})", text)
        return int(found.group(1), 16) if found else None

    def _save(self, address, size):
        path = OUT / "guest-memory"
        self.command("pmemsave", val=address, size=size, filename=str(path))
        return path.read_bytes()

    def _register(self, number):
        # The device answers accesses of two bytes alone, so pmemsave can't read it.
        address = self.pci_bar(2) + 0x500 + 2 * number
        text = self.command("human-monitor-command", **{"command-line": f"xp /1xh {address:#x}"})
        return int(text.split(":")[1], 16)

    def vbe(self):
        """The display's registers as the guest set them: width, height, bytes a line."""
        width, height, bits, virtual_width = (self._register(number) for number in (1, 2, 3, 6))
        return width, height, max(width, virtual_width) * bits // 8

    def screen(self):
        """The guest's picture, read by QEMU from the guest's own addresses: no VFIO call of ours is in the way."""
        width, height, stride = self.vbe()
        memory = numpy.frombuffer(self._save(self.pci_bar(0), stride * height), numpy.uint32)
        return memory.reshape(height, stride // 4)[:, :width] & 0xFFFFFF

    def wait_for_text(self):
        """Until the firmware has written something and is at rest; the picture."""
        last = [None]

        def at_rest():
            if not self.pci_bar(2):
                return False
            width, height, stride = self.vbe()
            if not width or not height or stride < 4 * width:
                return False
            now = self.screen()
            same = last[0] is not None and last[0].shape == now.shape and (last[0] == now).all()
            last[0] = now
            # Text is a few thousand pixels.
            return same and (now != 0).sum() > 500

        wait_for(at_rest, "the firmware's text", interval=1.0)
        return last[0]

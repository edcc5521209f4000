# SPDX-License-Identifier: MIT
"""A text console without a desktop: the kernel's virtual monitor (vkms), seatd, udev, virtual terminals, keyboards."""

import contextlib
import fcntl
import os
import pathlib
import re
import select
import struct
import subprocess
import time
import zlib

import numpy

from programs import Program, wait_for

DEBUG = pathlib.Path("/sys/kernel/debug/dri")
UDEV_RULE = pathlib.Path("/run/udev/rules.d/90-testbed.rules")

# linux/vt.h
VT_ACTIVATE = 0x5606
# drm/drm.h
DRM_IOCTL_WAIT_VBLANK, DRM_VBLANK_RELATIVE = 0xC018643A, 1
# linux/uinput.h
UI_DEV_CREATE, UI_DEV_DESTROY, UI_DEV_SETUP = 0x5501, 0x5502, 0x405C5503
UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_RELBIT = 0x40045564, 0x40045565, 0x40045566
# linux/input-event-codes.h
EV_SYN, EV_KEY, EV_REL = 0, 1, 2
REL_X, REL_Y = 0, 1
KEYS = {"a": 30, "leftctrl": 29, "leftalt": 56, "f2": 60, "q": 16}
BTN_LEFT = 0x110


def frame(number, width, height):
    """The test vGPU's picture, by its own rule once more (synthetic/pattern.h): 0x00RRGGBB."""
    x = numpy.arange(width, dtype=numpy.uint32)[None, :]
    y = numpy.arange(height, dtype=numpy.uint32)[:, None]

    def wave(phase):
        phase = phase.astype(numpy.uint32)
        return numpy.where(phase >> 8 & 1, ~phase, phase) & 255

    number = numpy.uint32(number)
    red, green = wave(x + 4 * number + 0 * y), wave(y + 2 * number + 0 * x)
    rgb = red << 16 | green << 8 | wave(x + y - 6 * number)
    rgb = numpy.where((x ^ y) & 64, rgb - (rgb >> 2 & 0x3F3F3F), rgb).astype(numpy.uint32)
    for bit in range(32):
        rgb[:16, bit * 8 : bit * 8 + 7] = 0xFFFFFF if number >> numpy.uint32(31 - bit) & 1 else 0
        rgb[:16, bit * 8 + 7] = 0x808080
    return rgb


def crc(picture):
    """vkms' CRC of a picture that fills the screen: crc32_le, from 0, over 16-bit alpha, red, green, blue a pixel."""
    channels = [numpy.full_like(picture, 255), picture >> 16 & 255, picture >> 8 & 255, picture & 255]
    pixels = numpy.stack([(channel * 257).astype("<u2") for channel in channels], axis=-1)
    return zlib.crc32(pixels.tobytes(), 0xFFFFFFFF) ^ 0xFFFFFFFF


class Console:
    """vkms with its monitor, udev and seatd; the environment for a program on it."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.environment = {"LIBSEAT_BACKEND": "seatd", "WLR_BACKENDS": "drm,libinput", "WLR_RENDERER": "pixman",
                            "XDG_RUNTIME_DIR": "/run"}

    def __enter__(self):
        UDEV_RULE.parent.mkdir(parents=True, exist_ok=True)
        # An event by hand can't be a hot plug's unless a rule makes it one.
        UDEV_RULE.write_text('SUBSYSTEM=="drm", ENV{SYNTH_ARG_HOTPLUG}=="1", ENV{HOTPLUG}="1"\n')
        self.stack.enter_context(Program("udevd", "/usr/lib/systemd/systemd-udevd"))
        subprocess.run(["modprobe", "vkms"], check=True)
        subprocess.run(["udevadm", "trigger"], check=True)
        subprocess.run(["udevadm", "settle", "--timeout=60"], check=True)
        self.card = wait_for(self._card, "vkms' card")
        self.environment["WLR_DRM_DEVICES"] = f"/dev/dri/{self.card}"
        activate_terminal(1)
        seatd = self.stack.enter_context(Program("seatd", "seatd", "-l", "info"))
        wait_for(lambda: os.path.exists("/run/seatd.sock") or not seatd.running(), "seatd's socket")
        return self

    def __exit__(self, *_):
        self.stack.close()
        # It stays where wlroots left a last picture of its own on it, as it does since 0.18.
        subprocess.run(["rmmod", "vkms"], check=False, stderr=subprocess.DEVNULL)
        UDEV_RULE.unlink()

    @staticmethod
    def _card():
        for card in sorted(pathlib.Path("/sys/class/drm").glob("card[0-9]")):
            if "vkms" in os.path.realpath(card) and os.path.exists(f"/dev/dri/{card.name}"):
                return card.name
        return None

    @property
    def debug(self):
        return DEBUG / self.card.removeprefix("card")

    def planes(self):
        """The planes in use: name -> what the kernel says of its framebuffer."""
        state = (self.debug / "state").read_text()
        found = {}
        for part in re.split(r"^(?=\S)", state, flags=re.MULTILINE):
            head = re.match(r"plane\[\d+\]: (\S+)", part)
            if not head or "fb=0\n" in part:
                continue
            found[head[1]] = {"allocated by": re.search(r"allocated by = (\S+)", part)[1],
                              "imported": re.findall(r"imported=(\S+)", part),
                              "size": re.search(r"^\t\tsize=(\S+)", part, re.MULTILINE)[1],
                              "crtc-pos": re.search(r"crtc-pos=(\S+)", part)[1]}
        return found

    def crcs(self, count, seconds=60):
        """The CRCs of the next pictures on the monitor."""
        (self.debug / "crtc-0" / "crc" / "control").write_text("auto")

        def opened():
            # Input/output error while the monitor is off.
            with contextlib.suppress(OSError):
                return open(self.debug / "crtc-0" / "crc" / "data", "rb", buffering=0)

        with wait_for(opened, "a picture on the monitor") as data:
            found, end = [], time.monotonic() + seconds
            while len(found) < count:
                assert time.monotonic() < end, f"only {len(found)} CRCs in {seconds} s"
                if select.select([data], [], [], 1)[0]:
                    found.append(int(data.read(64).split()[1], 16))
        return found

    def watch_refreshes(self, seconds):
        """How many the monitor makes in that time."""
        with open(f"/dev/dri/{self.card}", "rb+", buffering=0) as card:

            def count():
                answer = fcntl.ioctl(card, DRM_IOCTL_WAIT_VBLANK, struct.pack("IIqq", DRM_VBLANK_RELATIVE, 0, 0, 0))
                return struct.unpack("IIqq", answer)[1]

            first = count()
            time.sleep(seconds)
            return count() - first

    def connect(self, state):
        """Unplugs the monitor ("off") or plugs it in ("on"), and has udev tell."""
        (connector,) = pathlib.Path("/sys/class/drm").glob(f"{self.card}-Virtual-*")
        (connector / "status").write_text(state)
        (pathlib.Path("/sys/class/drm") / self.card / "uevent").write_text(
            "change 0f6a1a4e-5c2d-4e0b-9d1c-2a7d6b1f0c11 HOTPLUG=1")


def activate_terminal(number):
    with open("/dev/tty0", "wb", buffering=0) as terminal:
        fcntl.ioctl(terminal, VT_ACTIVATE, number)
    wait_for(lambda: active_terminal() == number, f"virtual terminal {number}")


def active_terminal():
    return int(pathlib.Path("/sys/class/tty/tty0/active").read_text().strip().removeprefix("tty"))


class Devices:
    """A keyboard and a mouse of the kernel's own (uinput)."""

    def __enter__(self):
        self.fd = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
        for kind in (EV_KEY, EV_REL):
            fcntl.ioctl(self.fd, UI_SET_EVBIT, kind)
        # As many as make a keyboard of it for udev.
        for key in [*range(1, 128), BTN_LEFT]:
            fcntl.ioctl(self.fd, UI_SET_KEYBIT, key)
        for axis in (REL_X, REL_Y):
            fcntl.ioctl(self.fd, UI_SET_RELBIT, axis)
        fcntl.ioctl(self.fd, UI_DEV_SETUP, struct.pack("HHHH80sI", 3, 1, 1, 1, b"testbed devices", 0))
        fcntl.ioctl(self.fd, UI_DEV_CREATE)
        subprocess.run(["udevadm", "settle", "--timeout=60"], check=True)
        return self

    def __exit__(self, *_):
        fcntl.ioctl(self.fd, UI_DEV_DESTROY)
        os.close(self.fd)

    def _event(self, kind, code, value):
        os.write(self.fd, struct.pack("llHHi", 0, 0, kind, code, value))

    def key(self, name, pressed):
        self._event(EV_KEY, KEYS[name], int(pressed))
        self._event(EV_SYN, 0, 0)

    def tap(self, name):
        self.key(name, True)
        self.key(name, False)

    def move(self, dx, dy):
        self._event(EV_REL, REL_X, dx)
        self._event(EV_REL, REL_Y, dy)
        self._event(EV_SYN, 0, 0)

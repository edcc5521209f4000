#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the kernel and the initramfs of a guest that writes down the input events it gets.

Usage: input_guest_image.py INIT FOLDER

INIT is the guest's only program. Kernel and modules are taken from the folder that VGPU_VIEW_TEST_KERNEL_ROOT names, a
system's root or an unpacked kernel package; else from what packaging/fetch-test-kernel left in build/test-kernel, else
from the running system. Exit code 77: there is no kernel.
"""

import lzma
import os
import pathlib
import re
import shutil
import sys

# In the order of loading; what they need comes before them.
MODULES = ["evdev", "virtio_pci", "virtio_input", "psmouse", "xhci_pci", "hid_generic", "usbhid"]


def roots():
    if "VGPU_VIEW_TEST_KERNEL_ROOT" in os.environ:
        return [pathlib.Path(os.environ["VGPU_VIEW_TEST_KERNEL_ROOT"])]
    return [pathlib.Path(__file__).resolve().parents[2] / "build/test-kernel", pathlib.Path("/")]


def find_kernel(root):
    for image in sorted((root / "boot").glob("vmlinuz-*"), reverse=True):
        release = image.name.removeprefix("vmlinuz-")
        for modules in (root / "lib/modules" / release, root / "usr/lib/modules" / release):
            if (modules / "kernel").is_dir() and os.access(image, os.R_OK):
                return image, modules
    return None


class Modules:
    def __init__(self, folder):
        self.files = {}
        for path in (folder / "kernel").rglob("*.ko*"):
            self.files[path.name.split(".")[0].replace("-", "_")] = path
        self.order = []

    def add(self, name):
        path = self.files.get(name)
        if path is None or path in self.order:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", content_of(path))
        for needed in depends.group(1).decode().split(",") if depends else []:
            self.add(needed.replace("-", "_"))
        self.order.append(path)


def content_of(path):
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    return path.read_bytes()


def cpio_entry(name, mode, content=b""):
    name = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    padded = header + name + b"\0" * (-(len(header) + len(name)) % 4)
    return padded + content + b"\0" * (-len(content) % 4)


def main():
    init, folder = (pathlib.Path(argument) for argument in sys.argv[1:3])
    kernel = next(filter(None, map(find_kernel, roots())), None)
    if kernel is None:
        print("no kernel with its modules here", file=sys.stderr)
        return 77
    image, module_folder = kernel
    modules = Modules(module_folder)
    for name in MODULES:
        modules.add(name)
    archive = [
        cpio_entry("dev", 0o40755),
        cpio_entry("modules", 0o40755),
        cpio_entry("init", 0o100755, init.read_bytes()),
    ]
    names = []
    for path in modules.order:
        names.append(path.name.split(".")[0] + ".ko")
        archive.append(cpio_entry("modules/" + names[-1], 0o100644, content_of(path)))
    archive.append(cpio_entry("modules/order", 0o100644, "".join(name + "\n" for name in names).encode()))
    archive.append(cpio_entry("TRAILER!!!", 0))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "initrd").write_bytes(b"".join(archive))
    shutil.copyfile(image, folder / "kernel")
    return 0


if __name__ == "__main__":
    sys.exit(main())

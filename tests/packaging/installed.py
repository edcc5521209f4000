#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an installation leaves where: found by the programs that look for it there, and running. Prints TAP.

Usage: installed.py BUILD
"""

import functools
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap

BUILD = pathlib.Path(sys.argv[1]).resolve()


def command(*words):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=60, check=False)


def obs_module(root):
    own = list(root.rglob("vgpu-capture.so"))
    folder = own[0].parent.relative_to(root) if own else None
    if folder is None:
        return "SKIP built without the OBS source"
    distributions = {path.parent for path in pathlib.Path("/usr/lib").glob("**/obs-plugins/*.so")}
    if not distributions:
        return "SKIP no OBS on this system"
    if pathlib.Path("/") / folder not in distributions:
        return f"it is in /{folder}; OBS' own are in {sorted(map(str, distributions))}"
    locale = root / "usr/share/obs/obs-plugins/vgpu-capture/locale/en-US.ini"
    return None if "vGPU capture" in locale.read_text() else f"no name in {locale}"


def units(root):
    found = list(root.rglob("*.service"))
    for unit in found:
        (program,) = re.findall(r"^ExecStart=(\S+)", unit.read_text(), re.MULTILINE)
        if not (root / program.lstrip("/")).exists():
            return f"{unit.name} starts {program}, which is not there"
    return None if found else "SKIP built without stream and monitor"


def program(root):
    (viewer,) = root.rglob("bin/vgpu-view")
    said = command(viewer, "--version")
    return None if re.fullmatch(r"vgpu-view \d+\.\d+\.\d+\n", said.stdout) else said.stdout + said.stderr


def manual(root):
    (page,) = root.rglob("man1/vgpu-view.1*")
    said = command("mandoc", "-T", "lint", "-W", "error", page)
    return None if said.returncode == 0 else said.stdout


def desktop(root):
    (entry,) = root.rglob("applications/vgpu-view.desktop")
    (icon,) = re.findall(r"^Icon=(.*)$", entry.read_text(), re.MULTILINE)
    return None if list(root.rglob(f"icons/**/{icon}.svg")) else f"no icon {icon}"


def main():
    tests = {
        "the program runs": program,
        "the manual is one": manual,
        "the desktop entry has its icon": desktop,
        "OBS finds its module, and that its words": obs_module,
        "systemd's units start the program that was installed": units,
    }
    with tempfile.TemporaryDirectory() as folder:
        done = command("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", folder)
        if done.returncode:
            print(f"Bail out! {done.stdout}{done.stderr}")
            return
        tap.run([(name, functools.partial(test, pathlib.Path(folder))) for name, test in tests.items()])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Wrong input of every kind: the documented exit code, one clear line, nothing left behind. Prints TAP.

Usage: exit_codes.py VGPU_VIEW
"""

import functools
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap

VIEWER = os.path.abspath(sys.argv[1])
NO_UUID = "00000000-1111-2222-3333-444444444444"
NOBODY = 65534


def run(folder, *arguments, environment=None, pass_fds=(), user=None):
    env = {"PATH": os.environ.get("PATH", "/usr/bin"), "XDG_RUNTIME_DIR": folder, "LANG": "C"}
    # Sanitizers read theirs from the environment.
    env |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
    env |= environment or {}
    return subprocess.run([VIEWER, *arguments], capture_output=True, text=True, timeout=60, env=env, cwd=folder,
                          pass_fds=pass_fds, check=False, user=user, extra_groups=None if user is None else [])


# (what is wrong, arguments, exit code, what the line must name)
CASES = [
    ("an unknown option", ["--nonsense"], 2, "nonsense"),
    ("a source that is no form of address", ["probe", "garbage!"], 2, "garbage!"),
    ("an empty mdev address", ["probe", "mdev:"], 2, "mdev:"),
    ("half a UUID", ["probe", "mdev:1234"], 2, "1234"),
    ("a pid that is no number", ["probe", "pid:abc"], 2, "pid:abc"),
    ("a negative pid", ["probe", "pid:-1"], 2, "pid:-1"),
    ("a pid beyond all numbers", ["probe", "pid:99999999999999999999"], 2, "pid:"),
    ("a descriptor that is no number", ["probe", "fd:x"], 2, "fd:x"),
    ("an unknown option of the test vGPU", ["shot", "test:wings=2", "x.png"], 2, "wings"),
    ("a zero size of the test vGPU", ["shot", "test:0x0", "x.png"], 2, "0x0"),
    ("a huge size of the test vGPU", ["shot", "test:100000x100000", "x.png"], 2, "100000"),
    ("a UUID that does not exist", ["probe", NO_UUID], 3, NO_UUID),
    ("a UUID that does not exist, for a window", ["window", NO_UUID], 3, NO_UUID),
    ("a UUID that does not exist, for a shot", ["shot", NO_UUID, "x.png"], 3, NO_UUID),
    ("a pid that does not exist", ["probe", "pid:4194303"], 3, "4194303"),
    ("a VM that does not exist", ["probe", "vm:no-such-vm"], 3, "no-such-vm"),
    ("a descriptor that is not open", ["probe", "fd:987"], 3, "987"),
    ("a QMP path that no socket can have", ["window", "test:64x64", "--qmp", "/" + 200 * "x"], 2, "xxx"),
    ("a D-Bus descriptor that is not open", ["window", "test:64x64", "--dbus-fd", "987"], 2, "987"),
    ("a hot key of no keyboard", ["window", "test:64x64", "--bind", "quit=anykey"], 2, "anykey"),
    ("a hot key for no action", ["window", "test:64x64", "--bind", "dance=f1"], 2, "dance"),
    ("a file in a folder that does not exist", ["shot", "test:64x64", "no/such/folder/x.png"], 3, "x.png"),
    ("a picture where a folder stands", ["shot", "test:64x64", "."], 1, "."),
    ("an unknown role of a stream", ["stream", "test:64x64", "--role", "mirror"], 2, "mirror"),
    ("an unknown cursor mode of a stream", ["stream", "test:64x64", "--cursor", "big"], 2, "big"),
    ("no frames a second", ["stream", "test:64x64", "--fps", "0"], 2, "--fps"),
    ("a report in a folder that does not exist", ["window", "test:64x64", "--report", "no/such/r.json"], 3, "r.json"),
]


def check_line(result, code, names):
    if result.returncode != code:
        return f"exit code {result.returncode}, not {code}: {result.stderr!r}"
    lines = result.stderr.strip().split("\n")
    if not lines[0].startswith("vgpu-view: "):
        return f"no line of ours: {result.stderr!r}"
    if names not in lines[0]:
        return f"the line does not name {names!r}: {lines[0]!r}"
    if len(lines) > 2 or (len(lines) == 2 and not lines[1].startswith("hint: ")):
        return f"more than a line and a hint: {result.stderr!r}"
    if re.search(r"terminate|Sanitizer|std::|0x[0-9a-f]{8}", result.stderr):
        return f"not a message for people: {result.stderr!r}"
    return None


def monitor_without_display(folder):
    """wlroots' own lines may tell more, each as one of the program's."""
    result = run(folder, "monitor", "test:64x64", environment={"WLR_BACKENDS": "nonsense"})
    own = [line for line in result.stderr.splitlines() if not line.startswith("vgpu-view: wlroots: ")]
    if "this build does without it" in result.stderr:
        return "SKIP built without the monitor"
    if len(own) == len(result.stderr.splitlines()):
        return f"wlroots does not say why: {result.stderr!r}"
    result.stderr = "\n".join(own)
    return check_line(result, 6, "backend")


def no_compositor(folder):
    return check_line(run(folder, "window", "test:64x64"), 3, "Wayland display")


def dead_compositor(folder):
    return check_line(run(folder, "window", "test:64x64", environment={"WAYLAND_DISPLAY": "nobody-0"}), 3, "nobody-0")


def no_pipewire(folder):
    return check_line(run(folder, "stream", "test:64x64"), 3, "PipeWire")


def refusing_pipewire(folder):
    """A daemon that closes every connection."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, "pipewire-0"))
    listener.listen()

    def refuse():
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    result = run(folder, "stream", "test:64x64")
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()
    os.unlink(os.path.join(folder, "pipewire-0"))
    return check_line(result, 1, "PipeWire")


def forbidden_pipewire(folder):
    # Root may do everything.
    user = NOBODY if os.geteuid() == 0 else None
    os.chmod(folder, 0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(folder, "pipewire-0")
        listener.bind(path)
        listener.listen()
        os.chmod(path, 0)
        try:
            result = run(folder, "stream", "test:64x64", user=user)
        except PermissionError:
            return "SKIP nobody may not start the program here"
        finally:
            os.unlink(path)
    return check_line(result, 4, "PipeWire")


def process_without_device(folder):
    return check_line(run(folder, "probe", f"pid:{os.getpid()}"), 3, str(os.getpid()))


def descriptor_of_a_file(folder):
    with open(os.path.join(folder, "file"), "wb") as file:
        result = run(folder, "probe", f"fd:{file.fileno()}", pass_fds=[file.fileno()])
    os.unlink(os.path.join(folder, "file"))
    return check_line(result, 6, "descriptor")


def no_source_no_device(folder):
    if os.path.isdir("/sys/bus/mdev/devices") and os.listdir("/sys/bus/mdev/devices"):
        return "SKIP this host has a vGPU"
    return check_line(run(folder, "probe"), 3, "vGPU")


def full_disk(folder):
    return check_line(run(folder, "shot", "test:640x480", "/dev/full"), 1, "/dev/full")


def picture_on_standard_output(folder):
    result = subprocess.run([VIEWER, "shot", "test:64x48", "-"], capture_output=True, timeout=60, cwd=folder, check=False)
    if result.returncode != 0:
        return f"exit code {result.returncode}: {result.stderr!r}"
    if result.stdout[:8] != b"\x89PNG\r\n\x1a\n" or result.stdout[16:24] != b"\0\0\0\x40\0\0\0\x30":
        return f"no PNG of 64x48: {result.stdout[:24]!r}"
    return None


def list_as_json(folder):
    result = run(folder, "list", "--json")
    if result.returncode != 0 or not result.stdout.lstrip().startswith("["):
        return f"{result.returncode} {result.stdout!r} {result.stderr!r}"
    return None


FUNCTIONS = [
    ("no compositor", no_compositor),
    ("a compositor that is gone", dead_compositor),
    ("no PipeWire daemon", no_pipewire),
    ("a PipeWire daemon that hangs up", refusing_pipewire),
    ("a monitor without a display", monitor_without_display),
    ("a PipeWire daemon that may not be asked", forbidden_pipewire),
    ("a process that holds no VFIO display", process_without_device),
    ("a descriptor that is no VFIO device", descriptor_of_a_file),
    ("no source and no vGPU", no_source_no_device),
    ("a full disk", full_disk),
    ("a picture on standard output", picture_on_standard_output),
    ("a list in JSON", list_as_json),
]


def leaving_nothing(test):
    """The test in a folder of its own, which is empty again at its end."""
    with tempfile.TemporaryDirectory() as folder:
        why = test(folder)
        left = os.listdir(folder)
    return f"left behind: {left}" if why is None and left else why


def main():
    tests = [(name, lambda folder, a=arguments, c=code, n=names: check_line(run(folder, *a), c, n))
             for name, arguments, code, names in CASES] + FUNCTIONS
    tap.run([(name, functools.partial(leaving_nothing, test)) for name, test in tests])


if __name__ == "__main__":
    main()

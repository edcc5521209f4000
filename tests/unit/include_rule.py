#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every room of src/ includes only the rooms that it may use."""

import pathlib
import re
import sys

SINKS = {"wayland", "pipewire", "monitor", "image"}
MAY_USE = {
    "base": set(),
    "loop": {"base"},
    "frame": {"base"},
    "text": {"base"},
    "vfio": {"base", "loop", "frame"},
    "synthetic": {"base", "loop", "frame"},
    "sources": {"base", "loop", "frame", "vfio", "synthetic"},
    "gpu": {"base", "frame"},
    "input": {"base", "loop"},
    "forward": {"base", "loop", "frame"},
    "wayland": {"base", "loop", "frame", "gpu", "input", "text"},
    "pipewire": {"base", "loop", "frame", "gpu"},
    "monitor": {"base", "loop", "frame", "gpu", "input", "text"},
    "image": {"base", "loop", "frame", "gpu"},
}
MAY_USE["obs"] = set(MAY_USE) - SINKS | {"pipewire"}
MAY_USE["app"] = set(MAY_USE) - {"obs"}
# The one place that knows a library: header prefix -> the rooms that may include it.
ONLY_IN = {
    "systemd/sd-event": {"loop"},
    "systemd/sd-bus": {"input"},
    "CLI/": {"app"},
    "linux/vfio.h": {"vfio"},
    "wayland-client": {"wayland"},
    "pipewire/": {"pipewire"},
    "wlr/": {"monitor"},
    "cairo": {"text"},
    "obs": {"obs"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def faults_in(source_root):
    for path in sorted(source_root.rglob("*")):
        if path.suffix not in {".h", ".cpp", ".c"}:
            continue
        room = path.relative_to(source_root).parts[0]
        if room not in MAY_USE:
            yield f"{path}: {room} is no room"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, header = match.groups()
            target = header.split("/")[0]
            if kind == '"' and target in MAY_USE and target != room and target not in MAY_USE[room]:
                yield f"{path}:{number}: {room} may not use {target}"
            if kind == "<":
                for prefix, rooms in ONLY_IN.items():
                    if header.startswith(prefix) and room not in rooms:
                        yield f"{path}:{number}: <{header}> belongs to {', '.join(sorted(rooms))}"


def main():
    faults = list(faults_in(pathlib.Path(sys.argv[1])))
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

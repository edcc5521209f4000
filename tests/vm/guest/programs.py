# SPDX-License-Identifier: MIT
"""The programs that the cases run: the viewer, a compositor, and whatever must be gone when a case ends."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time

import pictures

PROJECT = pathlib.Path(__file__).resolve().parents[3]
BUILD = PROJECT / "build" / "vm" / "project"
VIEWER = BUILD / "src" / "app" / "vgpu-view"
OUT = pathlib.Path(os.environ.get("TESTBED_OUT", "/out"))

# Under emulation a compositor may take seconds for one picture.
PATIENCE = 90


def wait_for(condition, what, seconds=PATIENCE, interval=0.1):
    """The first true value of condition()."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(interval)


def unused(path):
    """The path, or one that is numbered: several tests may use one name."""
    candidates = [path, *(path.with_stem(f"{path.stem}-{number}") for number in range(2, 1000))]
    return next(candidate for candidate in candidates if not candidate.exists())


class Program:
    """A process whose output goes to a file in OUT; killed at the end of the context."""

    def __init__(self, name, *command, environment=None, stdin=subprocess.DEVNULL):
        self.name = name
        self.log = unused(OUT / f"{name}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdin=stdin, stdout=log, stderr=subprocess.STDOUT,
                                            env={**os.environ, **(environment or {})})

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return self.log.read_text(errors="replace")

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=PATIENCE):
        """Its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {seconds} s: {self.text()[-2000:]}") from None

    def stop(self, signal=15):
        if self.running():
            self.process.send_signal(signal)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running():
            self.process.kill()
        self.process.wait()


class Weston(Program):
    """A headless compositor that imports dma-bufs (llvmpipe) and whose screen can be read back."""

    def __init__(self, width, height, *options, renderer="gl", name="weston"):
        self.folder = tempfile.TemporaryDirectory()
        self.size = width, height
        self.environment = {"XDG_RUNTIME_DIR": self.folder.name, "WAYLAND_DISPLAY": "testbed"}
        os.chmod(self.folder.name, 0o700)
        super().__init__(name, "weston", "--backend=headless", f"--renderer={renderer}", "--shell=kiosk",
                         f"--width={width}", f"--height={height}", "--socket=testbed", "--idle-time=0", "--debug",
                         *options, environment=self.environment)
        socket = pathlib.Path(self.folder.name) / "testbed"
        wait_for(lambda: socket.exists() or not self.running(), f"weston's socket; its log: {self.text()}")
        assert self.running(), self.text()

    def screenshot(self, name="screen"):
        """What the compositor shows, as a picture; kept in OUT as well."""
        before = set(OUT.glob("wayland-screenshot-*"))
        subprocess.run(["weston-screenshooter"], cwd=OUT, env={**os.environ, **self.environment}, check=True,
                       timeout=PATIENCE, stdout=subprocess.DEVNULL)
        (made,) = set(OUT.glob("wayland-screenshot-*")) - before
        picture = pictures.load(made)
        made.replace(OUT / f"{name}.png")
        return picture

    def wait_for_picture(self, expected, name="screen", seconds=PATIENCE):
        """Until the compositor shows exactly this picture, which it may do a few repaints later."""
        end = time.monotonic() + seconds
        while True:
            said = pictures.difference(self.screenshot(name), expected)
            if said is None:
                return
            if time.monotonic() > end:
                pictures.save(expected, OUT / f"{name}-expected.png")
                raise AssertionError(f"{name}: {said}; see {name}.png and {name}-expected.png")

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.folder.cleanup()


class Viewer(Program):
    """vgpu-view with a report."""

    def __init__(self, *arguments, name="viewer", environment=None):
        self.report_path = OUT / f"{name}.json"
        with contextlib.suppress(FileNotFoundError):
            self.report_path.unlink()
        super().__init__(name, VIEWER, *arguments, "--report", self.report_path, environment=environment)

    def report(self):
        return json.loads(self.report_path.read_text())

    def finish(self, code=0):
        """Ends it as a user would, and returns its report."""
        ended = self.stop()
        assert ended == code, f"{self.name} ended with {ended}, not {code}: {self.text()[-2000:]}"
        return self.report()


def vgpu_view(*arguments, environment=None, seconds=PATIENCE):
    """Runs a command to its end: exit code, standard output, standard error."""
    done = subprocess.run([str(VIEWER), *map(str, arguments)], capture_output=True, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, check=False)
    return done.returncode, done.stdout, done.stderr

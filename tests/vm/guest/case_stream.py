# SPDX-License-Identifier: MIT
"""The stream on the real drivers: what GStreamer sees of them, and whose memory a consumer of dma-bufs gets."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy
import pictures
from mdev import Mdev
from player import Player, mdpy_screen
from programs import BUILD, OUT, Program, Viewer, wait_for

CONSUMER = BUILD / "tests" / "component" / "pipewire_consumer"
DMA_BUF = 3  # enum spa_data_type


class Session(contextlib.ExitStack):
    """A bus, PipeWire and WirePlumber, as a user has them."""

    def __init__(self):
        super().__init__()
        folder = self.enter_context(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o700)
        self.environment = {"XDG_RUNTIME_DIR": folder, "PIPEWIRE_RUNTIME_DIR": folder, "HOME": folder,
                            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus"}
        self.start("bus", "dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={folder}/bus")
        wait_for((pathlib.Path(folder) / "bus").exists, "the bus")
        self.start("pipewire", "pipewire")
        wait_for((pathlib.Path(folder) / "pipewire-0").exists, "PipeWire")
        self.start("wireplumber", "wireplumber")

    def start(self, name, *command, stdin=subprocess.DEVNULL):
        return self.enter_context(Program(name, *command, environment=self.environment, stdin=stdin))

    def viewer(self, source, *options):
        viewer = self.enter_context(Viewer("stream", source, "--node-name", "screen", *options, name="stream",
                                           environment=self.environment))
        wait_for(lambda: "object.serial" in viewer.text() or not viewer.running(), "the node")
        assert viewer.running(), viewer.text()
        return viewer

    def consumer(self, *words):
        # It ends with its standard input.
        return self.start("consumer", CONSUMER, "-1", "screen", "nolook", "nocheck", "tell", "nolink", *words,
                          stdin=subprocess.PIPE)

    def picture(self, name):
        """What GStreamer makes of the stream."""
        path = OUT / f"{name}.png"
        subprocess.run(["gst-launch-1.0", "-q", "pipewiresrc", "target-object=screen", "num-buffers=1", "!",
                        "videoconvert", "!", "pngenc", "!", "filesink", f"location={path}"],
                       env={**os.environ, **self.environment}, timeout=90, check=True, stdout=subprocess.DEVNULL)
        return pictures.load(path)

    def recording(self, name):
        """GStreamer writes a file for each frame: the program, and what gives the last whole one's picture."""
        folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        program = self.start(name, "gst-launch-1.0", "-q", "pipewiresrc", "target-object=screen", "!", "videoconvert",
                             "!", "pngenc", "compression-level=1", "!", "multifilesink", "max-files=8",
                             f"location={folder}/%06d.png")

        def newest():
            for path in sorted(folder.iterdir(), reverse=True):
                # It may still be written.
                with contextlib.suppress(OSError, SyntaxError):
                    return pictures.load(path)
            return numpy.zeros((1, 1), numpy.uint32)

        return program, newest


def frames(consumer):
    """(sequence, memory type, inode, modifier) of each frame that it was given."""
    return [tuple(words[:3]) + (words[3],) for words in (line.split() for line in consumer.text().splitlines())
            if len(words) == 4 and words[0].isdigit()]


def dma_bufs(pid, exporter):
    """Inodes of the dma-bufs of a driver that a process holds."""
    found = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if "/dmabuf" in os.readlink(link) and \
                    f"exp_name:\t{exporter}" in pathlib.Path(f"/proc/{pid}/fdinfo/{link.name}").read_text():
                found.add(str(link.stat().st_ino))
    return found


class Mbochs(unittest.TestCase):
    def test_gstreamer(self):
        """One consumer after another, in two modes, which change while nobody consumes: each to the last pixel."""
        with Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Session() as session:
            for seed, (width, height) in enumerate([(640, 480), (640, 480), (1280, 800)]):
                player.mode(width, height)
                drawn = player.draw(seed)
                if seed == 0:
                    viewer = session.viewer(mdev.uuid)
                taken = session.picture(f"stream-mbochs-{seed}")
                self.assertIsNone(pictures.difference(taken, drawn), viewer.text())

    def test_gstreamer_dma_bufs(self):
        """GStreamer's caps for dma-bufs: it is handed them as such, by their fourcc."""
        with Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Session() as session:
            player.mode(640, 480)
            player.draw(1)
            viewer = session.viewer(mdev.uuid)
            done = subprocess.run(["gst-launch-1.0", "-v", "pipewiresrc", "target-object=screen", "num-buffers=2", "!",
                                   "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=XR24", "!", "fakesink"],
                                  env={**os.environ, **session.environment}, timeout=90, capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr + viewer.text())
            taken = [line for line in done.stdout.splitlines() if "fakesink0.GstPad:sink: caps" in line]
            self.assertRegex(taken[0], r"memory:DMABuf.*width=\(int\)640, height=\(int\)480")
            report = viewer.finish()
        self.assertEqual(report["bytes_copied"], 0)
        self.assertEqual(report["stream"]["path"], "the guest's own buffers")

    def test_the_drivers_own_dma_bufs(self):
        """What a consumer gets is, by its inode, what the driver exported; flips in any order."""
        with Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Session() as session:
            player.mode(640, 480, 3 * 480)
            for page in range(3):
                player.draw(page, page)
            viewer = session.viewer(mdev.uuid)
            consumer = session.consumer("dmabuf", "shm")
            wait_for(lambda: frames(consumer), "the first frame")
            for flip in range(1, 13):
                count = len(frames(consumer))
                player.flip(flip % 3)
                wait_for(lambda: len(frames(consumer)) > count, f"flip {flip}")
            own = dma_bufs(viewer.pid, "mbochs")
            last = frames(consumer)[-8:]
            self.assertEqual({int(kind) for _, kind, _, _ in last}, {DMA_BUF}, viewer.text())
            self.assertEqual({inode for _, _, inode, _ in last} - own, set())
            self.assertEqual(len({inode for _, _, inode, _ in last}), 3)
            report = viewer.finish()
        self.assertEqual((report["bytes_copied"], report["blits"]), (0, 0))
        self.assertEqual(report["stream"]["path"], "the guest's own buffers")

    def test_copies_by_the_gpu(self):
        """--no-tear: dma-bufs of the viewer's own, drawn by llvmpipe, and to the last pixel what was drawn."""
        with Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Session() as session:
            player.mode(640, 480)
            player.draw(4)
            viewer = session.viewer(mdev.uuid, "--no-tear")
            consumer = session.consumer("dmabuf", "shm")
            wait_for(lambda: frames(consumer), "the first frame")
            self.assertEqual(int(frames(consumer)[-1][1]), DMA_BUF, viewer.text())
            self.assertNotIn(frames(consumer)[-1][2], dma_bufs(viewer.pid, "mbochs"))
            report = viewer.finish()
        self.assertGreater(report["blits"], 0)
        self.assertEqual(report["bytes_copied"], 0)

    def test_holder_killed(self):
        with Mdev("mbochs_readwrite", "medium") as mdev, Session() as session:
            with Program("player", "python3", "player.py", mdev.uuid, stdin=subprocess.PIPE) as player:
                player.process.stdin.write(b"mode 640 480\ndraw 1\n")
                player.process.stdin.flush()
                wait_for(lambda: player.text().count("ok") == 3, "the player")
                viewer = session.viewer(f"pid:{player.pid}")
                consumer = session.consumer("dmabuf", "shm")
                wait_for(lambda: frames(consumer), "the first frame")
                player.process.kill()
                player.process.wait()
                self.assertEqual(viewer.wait(20), 0, viewer.text())


class Mdpy(unittest.TestCase):
    def test_gstreamer(self):
        with Mdev("mdpy", "vga") as mdev, mdpy_screen(mdev.uuid) as put, Session() as session:
            picture = pictures.pattern(9, 640, 480)
            put(picture)
            session.viewer(f"pid:{os.getpid()}")
            self.assertIsNone(pictures.difference(session.picture("stream-mdpy"), picture))
            picture[100, 50:90] = 0x00FF8000
            put(picture)
            self.assertIsNone(pictures.difference(session.picture("stream-mdpy-row"), picture))
            # One consumer of many frames: the viewer's buffers take turns, and it sees one format.
            recorder, newest = session.recording("stream-mdpy-frames")
            for number in range(1, 13):
                picture[200] = 0x00112233 * number
                put(picture)
                wait_for(lambda: pictures.difference(newest(), picture) is None or not recorder.running(),
                         f"row {number} in a recorded frame; {recorder.text()}")
                self.assertTrue(recorder.running(), recorder.text())

# SPDX-License-Identifier: MIT
"""The OBS source on the real drivers, in libobs and in OBS itself, on a compositor that imports dma-bufs."""

import json
import os
import subprocess
import time
import unittest

import numpy
import pictures
from case_stream import Session, dma_bufs
from mdev import Mdev, holders
from player import Player, mdpy_screen
from programs import BUILD, OUT, Program, Viewer, Weston, wait_for

HEADLESS = BUILD / "tests" / "headless"
UNCOPIED = "drawn from the guest's own memory"


class Obs(Program):
    """libobs with one source, shown."""

    def __init__(self, environment, **settings):
        super().__init__("obs", HEADLESS / "obs_player", json.dumps(settings), environment=environment,
                         stdin=subprocess.PIPE)
        self.answered = 0

    def ask(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        wait_for(lambda: len(self.answers()) > self.answered or not self.running(), f"an answer to {command}")
        self.answered += 1
        assert len(self.answers()) >= self.answered, f"{command}: {self.text()[-2000:]}"
        return self.answers()[self.answered - 1]

    def answers(self):
        whole = self.text().rpartition("\n")[0]
        return [line[2:] for line in whole.splitlines() if line.startswith("> ")]

    def picture(self):
        """What it shows, 0xAARRGGBB, or None."""
        path = OUT / "obs.raw"
        answer = self.ask(f"draw {path}")
        if answer == "nothing":
            return None
        width, height = map(int, answer.split())
        return numpy.fromfile(path, numpy.uint32).reshape(height, width)

    def wait_for_picture(self, expected, name, seconds=90):
        """Until it shows exactly this, opaque."""
        end = time.monotonic() + seconds
        while True:
            shown = self.picture()
            said = "nothing" if shown is None else pictures.difference(shown, expected | 0xFF000000)
            if said is None:
                return
            if time.monotonic() > end:
                if shown is not None:
                    pictures.save(shown & 0xFFFFFF, OUT / f"{name}.png")
                    pictures.save(expected, OUT / f"{name}-expected.png")
                raise AssertionError(f"{name}: {said}; {self.ask('status')}")

    def finish(self):
        self.process.stdin.close()
        assert self.wait() == 0, self.text()


class Mbochs(unittest.TestCase):
    def test_modes_flips_and_in_place(self):
        """Nothing is copied; each dma-buf is the driver's own; hidden, blanked and back."""
        with (Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Weston(640, 480) as weston):
            player.mode(640, 480)
            drawn = player.draw(0)
            # The group is the player's: through its descriptor, as through a QEMU's.
            with Obs(weston.environment, device=f"mdev:{mdev.uuid}") as obs:
                obs.wait_for_picture(drawn, "obs-640x480")
                self.assertIn(UNCOPIED, obs.ask("status"))
                self.assertTrue(dma_bufs(obs.pid, "mbochs"))
                for seed, mode in enumerate([(800, 600), (1280, 800), (1920, 1080)], start=1):
                    player.mode(*mode)
                    drawn = player.draw(seed)
                    obs.wait_for_picture(drawn, f"obs-{mode[0]}x{mode[1]}")
                drawn = player.draw(50)
                obs.wait_for_picture(drawn, "obs-in-place")

                pages = 5
                player.mode(640, 480, pages * 480)
                drawn = [player.draw(100 + page, page) for page in range(pages)]
                for flip in range(1, 51):
                    player.flip(flip % pages)
                    obs.wait_for_picture(drawn[flip % pages], f"obs-flip-{flip}")

                player.blank()
                obs.ask("frames 20")
                obs.wait_for_picture(drawn[0], "obs-kept")
                player.mode(640, 480, pages * 480)
                obs.ask("hide")
                player.flip(3)
                obs.ask("frames 20")
                obs.ask("show")
                obs.wait_for_picture(player.draw(3, 3), "obs-shown-again")
                self.assertIn(UNCOPIED, obs.ask("status"))
                obs.finish()

    def test_holder_ends(self):
        """Its device is let go of, and another one's is shown; what was shown last stays meanwhile."""
        with (Mdev("mbochs_readwrite", "small") as mdev, Weston(640, 480) as weston,
              Program("player", "python3", "player.py", mdev.uuid, stdin=subprocess.PIPE) as player):
            play(player, "mode 640 480", "draw 4")
            with Obs(weston.environment, device="other", address=f"pid:{player.pid}") as obs:
                obs.wait_for_picture(pictures.pattern(4, 640, 480), "obs-held")
                player.process.kill()
                player.process.wait()
                wait_for(lambda: not holders(mdev.uuid), f"the device to be free: {holders(mdev.uuid)}", 30)
                obs.wait_for_picture(pictures.pattern(4, 640, 480), "obs-kept-after-end")
                with Program("player", "python3", "player.py", mdev.uuid, stdin=subprocess.PIPE) as again:
                    play(again, "mode 640 400", "draw 5")
                    obs.ask("update " + json.dumps({"address": f"pid:{again.pid}"}))
                    obs.wait_for_picture(pictures.pattern(5, 640, 400), "obs-back")
                    obs.finish()


def play(player, *commands):
    for number, command in enumerate(commands, start=2):
        player.process.stdin.write(command.encode() + b"\n")
        player.process.stdin.flush()
        wait_for(lambda: player.text().count("ok") >= number or not player.running(), f"{command}: {player.text()}")


class Mdpy(unittest.TestCase):
    def test_region(self):
        with Mdev("mdpy", "vga") as mdev, mdpy_screen(mdev.uuid) as put, Weston(640, 480) as weston:
            picture = pictures.pattern(9, 640, 480)
            put(picture)
            with Obs(weston.environment, device="other", address=f"pid:{os.getpid()}") as obs:
                obs.wait_for_picture(picture, "obs-mdpy")
                self.assertIn("changed rows are uploaded", obs.ask("status"))
                for step in range(5):
                    picture[100 + step * 40, 50:90] = 0x00FF8000 + step
                    put(picture)
                    obs.wait_for_picture(picture, f"obs-mdpy-row-{step}")
                # One viewer at a time: a second one says who has it, and shows it when it is free.
                with Obs(weston.environment, device="other", address=f"pid:{os.getpid()}") as second:
                    wait_for(lambda: str(obs.pid) in second.ask("status"), "what the second one says")
                    obs.finish()
                    second.wait_for_picture(picture, "obs-mdpy-second")
                    second.finish()


class Node(unittest.TestCase):
    def test_stream(self):
        """A running stream of mbochs: its consumer, this source, imports the driver's dma-bufs."""
        with (Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Session() as session,
              Weston(640, 480) as weston):
            player.mode(640, 480, 3 * 480)
            drawn = [player.draw(page, page) for page in range(3)]
            session.viewer(mdev.uuid)
            environment = {**session.environment, **weston.environment,
                           "PIPEWIRE_RUNTIME_DIR": session.environment["PIPEWIRE_RUNTIME_DIR"]}
            with Obs(environment, origin="node", node="screen") as obs:
                obs.wait_for_picture(drawn[0], "obs-node")
                self.assertIn(UNCOPIED, obs.ask("status"))
                self.assertTrue(dma_bufs(obs.pid, "mbochs"))
                for flip in range(1, 13):
                    player.flip(flip % 3)
                    obs.wait_for_picture(drawn[flip % 3], f"obs-node-flip-{flip}")
                player.mode(800, 600)
                obs.wait_for_picture(player.draw(7), "obs-node-800x600")
                self.assertIn(UNCOPIED, obs.ask("status"))
                obs.finish()

    def test_beside_a_window(self):
        """One viewer's window and OBS show the same vGPU at the same time, neither by a copy."""
        with (Mdev("mbochs_readwrite", "medium") as mdev, Player(mdev.uuid) as player, Session() as session,
              Weston(640, 480) as weston):
            player.mode(640, 480, 2 * 480)
            drawn = [player.draw(page, page) for page in range(2)]
            environment = {**session.environment, **weston.environment,
                           "PIPEWIRE_RUNTIME_DIR": session.environment["PIPEWIRE_RUNTIME_DIR"]}
            with Viewer("window", mdev.uuid, "--full-screen", "--stream", "--node-name", "screen", name="obs-window",
                        environment=environment) as viewer:
                wait_for(lambda: "object.serial" in viewer.text() or not viewer.running(), "the node")
                with Obs(environment, origin="node", node="screen") as obs:
                    for flip in range(2):
                        player.flip(flip % 2)
                        obs.wait_for_picture(drawn[flip % 2], f"obs-beside-{flip}")
                        weston.wait_for_picture(drawn[flip % 2], f"window-beside-{flip}")
                    self.assertIn(UNCOPIED, obs.ask("status"))
                    obs.finish()
                report = viewer.finish()
        self.assertEqual(report["sinks"], ["window", "stream"])
        self.assertEqual((report["bytes_copied"], report["blits"]), (0, 0))


class ObsProgram(unittest.TestCase):
    def test_recording(self):
        """The OBS program with a scene of mbochs: a recorded picture is what the guest drew."""
        with (Mdev("mbochs_readwrite", "small") as mdev, Player(mdev.uuid) as player,
              Weston(1024, 768) as weston):
            player.mode(640, 480)
            drawn = player.draw(21)
            file = OUT / "obs.mkv"
            program = Program("obs-program", HEADLESS / "headless_obs_program", "--record", f"mdev:{mdev.uuid}", file,
                              environment=weston.environment)
            with program:
                self.assertEqual(program.wait(400), 0, program.text()[-3000:])
            self.assertIn(UNCOPIED, program.text())
            raw = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "bgra", "-"],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
            frames = numpy.frombuffer(raw, numpy.uint32, len(raw) // (4 * drawn.size) * drawn.size)
            last = frames.reshape(-1, *drawn.shape)[-1] & 0xFFFFFF
            pictures.save(last, OUT / "obs-program.png")
            self.assertIsNone(pictures.difference(last, drawn))


class TestVgpu(unittest.TestCase):
    def test_harness(self):
        """All that is shown on a host, here on dma-bufs that the renderer imports."""
        with Weston(640, 480) as weston:
            program = Program("headless-obs", HEADLESS / "headless_obs",
                              "--gtest_filter=*SamplesDmaBufs*:*LeavesNothing*:*LastPixel*",
                              environment=weston.environment)
            with program:
                self.assertEqual(program.wait(600), 0, program.text()[-3000:])
                self.assertIn("[       OK ] Obs.SamplesDmaBufsWithoutACopy", program.text())

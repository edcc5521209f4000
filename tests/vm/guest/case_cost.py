# SPDX-License-Identifier: MIT
"""What things cost on dma-bufs that the renderer imports. Run by itself: others beside it would count, too."""

import unittest

from programs import BUILD, Program, Weston


class Obs(unittest.TestCase):
    def test_graphics_thread(self):
        """Flipping dma-bufs costs OBS' graphics thread no more than its own colour source, give or take; uploads do."""
        with Weston(640, 480) as weston:
            program = Program("obs-bench", BUILD / "tests" / "bench" / "obs_bench", "1920", "1080", "40",
                              environment=weston.environment)
            with program:
                self.assertEqual(program.wait(600), 0, program.text()[-3000:])
        medians = {line[:34].strip(): float(line[34:].split()[0]) for line in program.text().splitlines()[1:]
                   if line[34:43].strip().replace(".", "").isdigit()}
        flips = medians["vGPU, dma-bufs, a flip a frame"]
        self.assertLess(flips, 3 * medians["OBS' colour source"], medians)
        self.assertLess(4 * flips, medians["vGPU, memory, all of it changes"], medians)

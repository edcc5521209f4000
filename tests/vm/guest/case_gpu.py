# SPDX-License-Identifier: MIT
"""What a GPU does for sinks, by Mesa's software renderer, which imports the test vGPU's dma-bufs here."""

import unittest

from programs import BUILD, Program


class Gpu(unittest.TestCase):
    def test_harness(self):
        program = Program("gpu", BUILD / "tests" / "headless" / "headless_gpu",
                          environment={"VGPUVIEW_TEST_NEEDS_GPU": "1"})
        with program:
            self.assertEqual(program.wait(300), 0, program.text()[-3000:])

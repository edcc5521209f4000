#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the cases (case_*.py, unittest) inside the test VM. A line a test; RESULTS/vm.junit.xml; RESULTS/exit.

run_cases.py --results DIRECTORY [NAME | NAME.TestClass.test_method]...
"""

import argparse
import importlib
import os
import pathlib
import sys
import time
import traceback
import unittest
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent


class Results(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.root = ElementTree.Element("testsuite", name="vm")
        self.bad = 0
        self.started = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def _case(self, test, word, detail=""):
        seconds = time.monotonic() - self.started
        name = test.id().removeprefix("case_")
        # A part of a test (subTest) counts as the test, which alone can be run by itself.
        whole = name.partition(" ")[0]
        case = ElementTree.SubElement(self.root, "testcase", classname="vm", name=whole, time=f"{seconds:.1f}")
        print(f"{word} {name} ({seconds:.1f} s){': ' + detail.splitlines()[-1] if detail else ''}")
        return case

    def addSuccess(self, test):
        self._case(test, "ok")

    def addSkip(self, test, reason):
        ElementTree.SubElement(self._case(test, "skip", reason), "skipped", message=reason)

    def broken(self, name, error):
        """A module that can't even be loaded."""
        self._failed(unittest.FunctionTestCase(lambda: None, description=name), error)

    def _failed(self, test, error):
        self.bad += 1
        text = "".join(traceback.format_exception(*error))
        ElementTree.SubElement(self._case(test, "FAIL", text), "failure").text = text
        print("\n".join("    " + line for line in text.splitlines()))

    def addFailure(self, test, err):
        self._failed(test, err)

    def addError(self, test, err):
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._failed(subtest, err)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    os.environ["TESTBED_OUT"] = str(arguments.results)
    sys.path.insert(0, str(HERE))

    names = arguments.names or sorted(path.stem.removeprefix("case_") for path in HERE.glob("case_*.py"))
    results = Results()
    for name in names:
        module, _, rest = name.partition(".")
        try:
            loaded = importlib.import_module("case_" + module)
        except Exception:
            results.broken("case_" + module, sys.exc_info())
            continue
        loader = unittest.defaultTestLoader
        suite = loader.loadTestsFromName(rest, loaded) if rest else loader.loadTestsFromModule(loaded)
        suite.run(results)
    # A case that ran no test proved nothing.
    good = results.testsRun > 0 and results.bad == 0
    ElementTree.ElementTree(results.root).write(arguments.results / "vm.junit.xml")
    (arguments.results / "exit").write_text("0" if good else "1")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What failed in a run of meson test, and what a second try made of it.

second_try.py failed FIRST.junit.xml                       the names of the tests that failed, one a line
second_try.py replace FIRST.junit.xml AGAIN.junit.xml      in FIRST the second results stand for the first; AGAIN goes
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def test_of(suite, case):
    """In the name of a gtest's suite, "vgpu-view.vgpu-view:unit / base.UniqueFd"; else in the case's or the case's own."""
    for name in (suite.get("name"), case.get("name")):
        if found := re.search(r" / ([A-Za-z0-9_]+)", name):
            return found.group(1)
    return case.get("name")


def failed_in(root):
    names = {}
    for suite in root.iter("testsuite"):
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                names[test_of(suite, case)] = True
    return list(names)


def main():
    first = ElementTree.parse(sys.argv[2])
    failed = failed_in(first.getroot())
    if sys.argv[1] == "failed":
        print(*(name + "\n" for name in failed), sep="", end="")
        return
    again_path = pathlib.Path(sys.argv[3])
    root = first.getroot()
    for suite in list(root.iter("testsuite")):
        for case in list(suite.iter("testcase")):
            if test_of(suite, case) in failed:
                suite.remove(case)
    root.extend(ElementTree.parse(again_path).getroot())
    first.write(sys.argv[2])
    again_path.unlink()


if __name__ == "__main__":
    main()

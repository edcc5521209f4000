#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds up what a run of ./test found and prints the closing line.

Reads from the folder of logs: *.junit.xml (one case each), and steps ("NAME EXIT"), where a step without cases of its
own counts as one.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def main():
    logs = pathlib.Path(sys.argv[1])
    passed = failed = skipped = 0
    with_cases = set()

    for path in sorted(logs.glob("*.junit.xml")):
        failures = 0
        for case in ElementTree.parse(path).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failures += 1
                print(f"failed: {path.name.split('.')[0]}: {case.get('classname') or ''} {case.get('name')}")
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
        failed += failures
        # A runner that failed without a failed case (a crash, a time limit) still counts: see below.
        if failures:
            with_cases.add(path.name.split(".")[0])

    for line in (logs / "steps").read_text().splitlines():
        name, code = line.split()
        if code == "0":
            passed += 1
        elif code == "77":
            skipped += 1
        elif name not in with_cases:
            failed += 1
            print(f"failed: step {name}")

    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

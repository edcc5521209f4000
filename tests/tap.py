# SPDX-License-Identifier: MIT
"""Results of tests written in Python, as the Test Anything Protocol has them."""


def run(tests):
    """tests: (name, function) each. It returns what is wrong, "SKIP " and why it can't be told here, or None."""
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        why = test()
        if why and why.startswith("SKIP "):
            print(f"ok {number} - {name} # SKIP {why[5:]}")
        elif why:
            print(f"not ok {number} - {name}\n# {why}")
        else:
            print(f"ok {number} - {name}")

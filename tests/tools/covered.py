# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what all tests cover together: ``covered.py``, inside ``run.sh --with coverage``.

Unit and integration tests run through ansible-test, so that modules count wherever they run. The table shows lines
and branches.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
_TESTS_LEFT_OUT = ("--omit", "*/tests/*")


def _ansible_test(*arguments: str) -> int:
    program = pathlib.Path(__file__).with_name("ansible_test.py")
    return subprocess.run([sys.executable, program, *arguments], stdin=subprocess.DEVNULL, check=False).returncode


def main() -> int:
    """Run all tests with coverage, then show it, whatever failed. Ends with the tests' own exit code."""
    _ansible_test("coverage", "erase", "--requirements")
    failed = 0
    for kind in ("units", "integration"):
        failed |= _ansible_test(kind, "--venv", "--python", _PYTHON, "--coverage", "--color", "no")
    shown = _ansible_test("coverage", "report", "--requirements", "--show-missing", *_TESTS_LEFT_OUT)
    return failed or shown


if __name__ == "__main__":
    sys.exit(main())

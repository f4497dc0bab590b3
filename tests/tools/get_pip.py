# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives pip to the virtual environments of ansible-test, without a download.

ansible-test makes its environments empty and then runs a get-pip script, which it would fetch from the web. It looks
into a cache folder first, and ansible_test.py puts this file there: pip comes from the ensurepip of the standard
library, and then pip itself installs the versions that ansible-test asked for, from the configured package index.
"""

from __future__ import annotations

import subprocess
import sys

#: Options of the real script that say what not to install; ensurepip may have no such packages at all.
_SCRIPT_OPTIONS = ("--no-setuptools", "--no-wheel")


def main() -> int:
    """Install pip, then what the command line asks for, and return pip's exit code."""
    requested = [argument for argument in sys.argv[1:] if argument not in _SCRIPT_OPTIONS]
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
    return subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", *requested])


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the sandbox: ``python tests/sandbox``."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__:
    from .cli import main
else:
    # Started as a folder: put its parent on the path, so that the modules keep their package and the
    # folder itself, whose module names are general words, is not searched.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from sandbox.cli import main

if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the tree that stand outside plugins and are no importable modules."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def load(path: Path) -> types.ModuleType:
    """The module of a file.

    ``runpy.run_path`` will not do: the loader of ansible-core 2.18 takes the file for a folder.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module

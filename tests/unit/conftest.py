# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes ``ansible_collections.certops.issuance`` importable, so that pytest runs from any path.

ansible-test installs its own collection loader before this file is read, and then there is nothing to do. A plain
pytest gets a temporary collections folder with a link to this tree, and the loader of ansible-core on it.
"""

from __future__ import annotations

import atexit
import os
import pathlib
import shutil
import sys
import tempfile

_TREE = pathlib.Path(__file__).resolve().parents[2]


def _loader_is_installed() -> bool:
    """Whether a collection loader stands on the import path already."""
    return any(type(finder).__name__ == "_AnsibleCollectionFinder" for finder in sys.meta_path)


def _install_loader() -> None:
    """Link the tree into a folder that lives as long as this process, and load collections from there."""
    from ansible.plugins.loader import init_plugin_loader

    folder = tempfile.mkdtemp(prefix="certops-issuance-")
    atexit.register(_remove, folder, os.getpid())
    link = pathlib.Path(folder, "ansible_collections", "certops", "issuance")
    link.parent.mkdir(parents=True)
    link.symlink_to(_TREE, target_is_directory=True)
    init_plugin_loader([folder])


def _remove(folder: str, owner: int) -> None:
    """Remove the folder at the end of the process that made it, not of a fork that a test made of it."""
    if os.getpid() == owner:
        shutil.rmtree(folder)


if not _loader_is_installed():
    _install_loader()

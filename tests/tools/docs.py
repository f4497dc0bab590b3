# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation site in ``build/docs``: ``docs.py``, inside ``run.sh --with docs``.

antsibull-docs writes the pages of the plugins and takes the guides from ``docs/docsite``; Sphinx makes the site. A
warning of either fails the build. References to Ansible's own documentation cannot be resolved offline, so they are
links that are not checked.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from environment import CACHE, TREE


def main() -> int:
    """Write the pages, then the site."""
    pages, site = CACHE / "docs/rst", TREE / "build/docs"
    for folder in (pages, site):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    pages.chmod(0o755)  # antsibull-docs refuses a folder that others may write to
    write = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    write += ["--dest-dir", str(pages), "certops.issuance"]
    build = ["sphinx-build", "-b", "html", "-W", "--keep-going", "-q", "-d", str(CACHE / "docs/doctrees")]
    build += ["-c", str(TREE / "docs"), str(pages), str(site)]
    for command in (write, build):
        if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            return 1
    print(f"Open {site / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pages of antsibull-docs a site: ``site_pages.py FOLDER``.

The start page is docs/start.rst, with a menu of the sections in docs/docsite/extra-docs.yml. The page that
antsibull-docs writes for the collection becomes the reference.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

DOCS = Path(__file__).resolve().parent


def menu() -> str:
    """The tables of contents of the start page, one for each caption in the sidebar."""
    sections = yaml.safe_load((DOCS / "docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    parts = [(section["title"], [f"docsite/{page}" for page in section["toctree"]]) for section in sections]
    parts.append(("Reference", ["reference", "changelog"]))
    return "".join(
        f"\n.. toctree::\n   :hidden:\n   :maxdepth: 1\n   :caption: {title}\n\n"
        + "".join(f"   {page}\n" for page in pages)
        for title, pages in parts
    )


def main() -> int:
    """Rename the page of the collection, and write the start page."""
    folder = Path(sys.argv[1])
    reference = (folder / "index.rst").read_text(encoding="utf-8")
    heading = "Certops.Issuance\n================\n"
    if heading not in reference:
        raise SystemExit(f"{folder}/index.rst has no heading {heading!r}")
    own = "Modules, plugins and roles\n==========================\n"
    (folder / "reference.rst").write_text(reference.replace(heading, own), encoding="utf-8")
    start = (DOCS / "start.rst").read_text(encoding="utf-8")
    (folder / "index.rst").write_text(start + menu(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

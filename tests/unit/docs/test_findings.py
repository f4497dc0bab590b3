# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to findings has one row for every code of dcv_diagnose, and for every reason why a test was not made."""

from __future__ import annotations

import pathlib
import re

from ansible_collections.certops.issuance.plugins.module_utils._dcv.findings import CODES, Reason

_TREE = pathlib.Path(__file__).resolve().parents[3]
_GUIDE = _TREE / "docs/docsite/rst/guide_dcv_findings.rst"


def _rows(column: str) -> list[str]:
    """The first cells of all tables whose first column has this heading."""
    tables = _GUIDE.read_text(encoding="utf-8").split(".. list-table::\n")[1:]
    cells = [
        re.findall(r"^   \* - (.+)\n     - .+\n(?:       .+\n)*     - .+$", table, re.MULTILINE) for table in tables
    ]
    return [cell.strip("`") for first, *others in cells if first == f"``{column}``" for cell in others]


def test_every_code_has_its_row() -> None:
    assert sorted(_rows("code")) == sorted(CODES)


def test_every_reason_has_its_row() -> None:
    reasons = [value for name, value in vars(Reason).items() if name.isupper()]
    assert sorted(_rows("reason")) == sorted(reasons)

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of plain text."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._common.text import clean_line


def align(titles: t.Mapping[str, str], rows: t.Sequence[t.Mapping[str, t.Any]], right: t.Container[str]) -> list[str]:
    """Lines with a heading and aligned columns; a value that is None is an empty cell.

    Arguments:
        titles: what stands above each column, in their order.
        rows: a value for each column that has one.
        right: the columns that are aligned at their right.
    """
    table = [list(titles.values())]
    table += [["" if row.get(name) is None else clean_line(str(row[name])) for name in titles] for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(titles))]
    return [
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(titles, line, widths, strict=True)
        ).rstrip()
        for line in table
    ]

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to troubleshooting knows every word that a user may be shown."""

from __future__ import annotations

import pathlib
import re

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment import errors as deployment
from ansible_collections.certops.issuance.plugins.module_utils._orders import errors as orders
from ansible_collections.certops.issuance.plugins.module_utils._orders import model

_TREE = pathlib.Path(__file__).resolve().parents[3]
_GUIDE = _TREE / "docs/docsite/rst/guide_troubleshooting.rst"
#: A blocker is about a check, or about one of these.
_BLOCKERS = {*model.Check.NAMES, "payment", "approval", "reissue"}
#: Kinds that no order's failure has: the problem of a name, the failure of dcv_diagnose, and two hosts of the role that
#: would renew one order.
_OTHERS = {"token_unknown", "not_visible", "order_shared"}


def _words(heading: str) -> set[str]:
    """The words that begin the rows of the table below a heading."""
    text = _GUIDE.read_text(encoding="utf-8")
    section = re.split(r"\n-{3,}\n", text.partition(f"\n{heading}\n")[2][len(heading) :])[0]
    cells = re.findall(r"^   \* - (.+)$", section, re.MULTILINE)
    return {word for cell in cells[1:] for word in re.findall(r"``(\w+)``", cell)}


def _kinds(error: type[Exception]) -> set[str]:
    """The kinds of an exception and all that derive from it."""
    own = {error.__dict__["kind"]} if "kind" in error.__dict__ else set()
    return own.union(*map(_kinds, error.__subclasses__()))


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("By blocker", _BLOCKERS),
        ("By status", model.Status.ALL),
        ("By error_kind: orders", _kinds(orders.OrderError) | _OTHERS),
        ("By error_kind: certificates", _kinds(deployment.DeploymentError)),
    ],
)
def test_every_word_has_its_row(heading: str, expected: set[str]) -> None:
    assert _words(heading) == expected

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter order_table: what programs read of it."""

from __future__ import annotations

import csv
import datetime
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.filter.order_table import order_table


def cell(message: str, delimiter: str = ",") -> list[list[str]]:
    """The rows of the table of one order that is blocked by a message, as a spreadsheet splits them."""
    order: dict[str, t.Any] = {"provider": "digicert", "order_id": "1", "status": "validating", "msg": message}
    text = str(order_table([order], "csv"))
    return list(csv.reader(text.splitlines(), delimiter=delimiter))


@pytest.mark.parametrize(
    "message",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        " =1+1",
        "x;=1+1",
        "x;\t=1+1",
        'x;"=1+1"',
        "x\n=1+1",
        "x\r\n@a",
        "\uff1d1+1",
        "a;b;-1",
        ";=1",
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_a_formula_whatever_splits_it(message: str, delimiter: str) -> None:
    for row in cell(message, delimiter):
        for one in row:
            assert not re.match('[\\s"]*[=+\\-@\uff1d\uff0b\uff0d\uff20]', one)


@given(st.text(alphabet="=+-@;,\t\r\n\"' ax1\uff1d\u2028", max_size=12))
def test_no_text_makes_a_cell_that_is_a_formula(message: str) -> None:
    for delimiter in (",", ";", "\t"):
        for row in cell(message, delimiter):
            for one in row:
                assert not one.strip(' "').startswith(("=", "+", "-", "@", "\uff1d"))


def test_ordinary_text_and_numbers_stay_as_they_are() -> None:
    order = {
        "provider": "digicert",
        "order_id": "1",
        "status": "validating",
        "blockers": [{"message": "publish a-b; then wait, 1+1=2"}],
        "certificate": {"not_after": "2020-01-01T00:00:00Z"},
    }
    row = list(csv.DictReader(str(order_table([order], "csv")).splitlines()))[0]
    assert row["blocked_by"] == "publish a-b; then wait, 1+1=2"
    assert int(row["days_left"]) < 0


def test_the_table_shows_what_is_due() -> None:
    order = {
        "provider": "digicert",
        "order_id": "1",
        "status": "issued",
        "issued": True,
        "certificate": {"not_before": "2027-01-01T00:00:00Z", "not_after": "2027-04-01T00:00:00Z"},
        "coverage": {"starts": None, "ends": "2027-04-11T00:00:00Z"},
    }
    now = datetime.datetime(2027, 3, 5, tzinfo=datetime.timezone.utc)
    assert [row["due"] for row in order_table([order], "rows", now)] == ["renewal, new order by 2027-04-11"]
    heading, line = order_table([order], "lines", now)
    assert heading.split() == ["PROVIDER", "ORDER", "STATUS", "NAMES", "DONE", "DAYS", "LEFT", "DUE", "BLOCKED", "BY"]
    assert line.endswith("27  renewal, new order by 2027-04-11")


def test_nothing_in_a_table_steers_a_terminal_or_a_ci_system() -> None:
    hostile = "\x1b[2Jx\x1b]8;;http://e\x07y\rz ##vso[task.a]b \u202e\x9b \x00 \ud800"
    order = {"provider": "digicert", "order_id": "1", "status": "validating", "msg": hostile, "host": hostile}
    for text in ["\n".join(order_table([order])), str(order_table([order], "csv"))]:
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]|##vso\\[", text)


def test_what_is_in_service_has_a_column_where_somebody_looked() -> None:
    order: dict[str, t.Any] = {"provider": "digicert", "order_id": "1", "status": "issued"}
    seen = {**order, "order_id": "2", "in_service": {"state": "another", "not_after": None, "msg": None}}
    assert "IN SERVICE" not in str(order_table([order]))
    assert "in_service" not in str(order_table([order], "csv"))
    assert [row.get("in_service") for row in t.cast("list[t.Any]", order_table([order, seen], "rows"))] == [
        None,
        "another",
    ]
    rows = list(csv.DictReader(str(order_table([order, seen], "csv")).splitlines()))
    assert [row["in_service"] for row in rows] == ["", "another"]
    lines = t.cast("list[str]", order_table([order, seen]))
    assert lines[0].index("IN SERVICE") == lines[2].index("another")

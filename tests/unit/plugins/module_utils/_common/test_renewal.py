# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told of an order that ends, and what a table says is due."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._common.names import iso_time
from ansible_collections.certops.issuance.plugins.module_utils._common.renewal import coverage_warning, due, renewal

START = datetime(2027, 1, 1, tzinfo=timezone.utc)


FOREVER = {"not_before": "2027-01-01T00:00:00Z", "not_after": "9999-12-31T23:59:59Z"}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def certificate(first: float = 0, lifetime: float = 90) -> dict[str, t.Any]:
    return {
        "exists": True,
        "placeholder": False,
        "not_before": iso_time(day(first)),
        "not_after": iso_time(day(first + lifetime)),
    }


def order(ends: float | None = None, **fields: t.Any) -> dict[str, t.Any]:
    dates = {name: certificate()[name] for name in ("not_before", "not_after")}
    coverage = {"starts": None, "ends": None if ends is None else iso_time(day(ends))}
    return {"order_id": "1", "issued": True, "certificate": dates, "coverage": coverage, **fields}


@pytest.mark.parametrize(
    ("ends", "now", "expected"),
    [
        # Due on day 60, and again 60 days later; in the last 30 days of an order nothing is reissued.
        (151, 0, None),
        (150, 0, "until 2027-05-31, and the renewal after the next one is due about 2027-05-01;"),
        (119, 0, "the order is paid for until 2027-04-30, and the renewal after the next one is due about 2027-04-30;"),
        (90, 0, "the renewal after the next one"),
        (89, 0, "and the next renewal is due about 2027-03-02;"),
        (
            30,
            0,
            "paid for until 2027-01-31, so soon that it gives no further certificate; buy a new order now,",
        ),
        # It is late, and so is what follows.
        (160, 75, "the renewal after the next one is due about 2027-05-16;"),
        (166, 75, None),
        (75, 75, "was paid for until 2027-03-17; buy a new order"),
        (None, 75, None),
    ],
)
def test_the_warning_names_the_end_and_the_renewal_that_it_prevents(
    ends: float | None, now: float, expected: str | None
) -> None:
    found = coverage_warning(certificate(), None if ends is None else iso_time(day(ends)), day(now))
    assert (expected in found) if expected is not None and found is not None else found is expected


def test_the_warning_follows_the_options_of_the_renewal() -> None:
    ends = iso_time(day(149))
    assert coverage_warning(certificate(), ends, START, remaining="30d") is not None
    assert coverage_warning(certificate(), ends, START, remaining="31d") is None
    at = renewal(certificate(), START, spread_by="web1.example.com").at
    assert at is not None
    twice = START + 2 * (at - START) + timedelta(days=30)
    assert (
        coverage_warning(certificate(), iso_time(twice + timedelta(seconds=2)), START, None, "web1.example.com") is None
    )
    assert coverage_warning(certificate(), iso_time(twice - timedelta(seconds=2)), START, None, "web1.example.com")


@pytest.mark.parametrize("found", [{"exists": False}, {"exists": True, "placeholder": True}])
def test_without_a_certificate_nothing_shows_when_a_renewal_is_due(found: dict[str, t.Any]) -> None:
    assert coverage_warning(found, iso_time(day(1)), START) is None


@given(lifetime=st.integers(6, 400), periods=st.floats(2, 12))
def test_the_warning_comes_one_renewal_before_the_end_at_least(lifetime: int, periods: float) -> None:
    """Renewed as soon as it is due, for as long as the order lasts: the last certificate is cut to its end."""
    serving = (renewal(certificate(0, lifetime), START).at or START) - START
    paid = START + periods * serving
    begun = START
    while begun < paid:
        present = {"not_before": iso_time(begun), "not_after": iso_time(min(begun + timedelta(days=lifetime), paid))}
        if coverage_warning(present, iso_time(paid), begun):
            break
        begun += serving
    assert paid - begun >= serving - timedelta(minutes=1)
    # Nothing is refused for the end of the order before the warning.
    assert paid - begun >= min(timedelta(days=30), paid - START)


@pytest.mark.parametrize(
    ("fields", "now", "expected"),
    [
        ({}, 59, None),
        ({}, 61, "renewal"),
        ({"ends": 365}, 61, "renewal"),
        ({"ends": 365}, 0, None),
        ({"ends": 365, "certificate": FOREVER}, 0, None),
        ({"ends": 100}, 0, "new order by 2027-04-11"),
        ({"ends": 100}, 61, "renewal, new order by 2027-04-11"),
        # The next one is being made, or will never be.
        ({"issued": False}, 61, None),
        ({"certificate": {"not_before": None, "not_after": None}, "ends": 1}, 61, None),
        ({"certificate": {"not_before": "2027-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z"}}, 61, None),
        ({"certificate": None, "coverage": None}, 61, None),
        ({"coverage": None}, 61, "renewal"),
    ],
)
def test_what_is_due_for_an_order(fields: dict[str, t.Any], now: float, expected: str | None) -> None:
    assert due(order(**fields), day(now)) == expected


def test_an_order_without_an_answer_has_nothing_due() -> None:
    assert due({"order_id": "1", "msg": "gone", "error_kind": "not_found"}, START) is None

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the next certificate is due."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.filter.renewal import renewal

START = datetime(2027, 1, 1, tzinfo=timezone.utc)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def certificate(days: float) -> dict[str, t.Any]:
    return {
        "exists": True,
        "placeholder": False,
        "not_before": text(START),
        "not_after": text(START + timedelta(days=days)),
    }


def due_on_day(found: t.Mapping[str, t.Any]) -> float:
    return (datetime.fromisoformat(found["at"].replace("Z", "+00:00")) - START) / timedelta(days=1)


@pytest.mark.parametrize(("lifetime", "day"), [(199.5, 133), (99, 66), (46.5, 31), (10, 20 / 3), (9, 4.5), (6, 3)])
def test_one_third_of_the_lifetime_is_left_or_one_half_below_ten_days(lifetime: float, day: float) -> None:
    found = renewal(certificate(lifetime), now=text(START))
    assert due_on_day(found) == pytest.approx(day, abs=1e-4)
    assert (found["due"], found["reason"]) == (False, None)


@pytest.mark.parametrize(
    ("day", "reason"),
    [(59.9, None), (60.1, "remaining"), (88.9, "remaining"), (89.1, "late"), (90, "expired"), (400, "expired")],
)
def test_the_reason_follows_the_time(day: float, reason: str | None) -> None:
    found = renewal(certificate(90), now=text(START + timedelta(days=day)))
    assert found["reason"] == reason
    assert found["due"] is (reason is not None)
    assert found["latest"] == text(START + timedelta(days=89))


@pytest.mark.parametrize(
    ("remaining", "day"), [(30, 60), ("30", 60), ("30d", 60), ("1 day", 89), ("25%", 67.5), ("0.5%", 89.55), ("", 60)]
)
def test_remaining_is_days_or_a_share(remaining: object, day: float) -> None:
    assert due_on_day(renewal(certificate(90), remaining, now=text(START))) == pytest.approx(day, abs=1e-4)


@pytest.mark.parametrize("remaining", [90, "90d", "100%", 398, "soon", "-1", True, "30h", [30]])
def test_a_remaining_that_cannot_be_meant_is_refused(remaining: object) -> None:
    with pytest.raises(AnsibleFilterError, match="remaining is"):
        renewal(certificate(90), remaining, now=text(START))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"exists": False, "not_before": None, "not_after": None}, "absent"),
        (dict(certificate(365), placeholder=True), "placeholder"),
    ],
)
def test_without_a_real_certificate_it_is_due_at_once(found: dict[str, t.Any], reason: str) -> None:
    assert renewal(found, now=text(START)) == {"due": True, "reason": reason, "at": None, "latest": None}


@pytest.mark.parametrize(
    "given_input", [None, "text", {}, {"not_after": "tomorrow", "not_before": "2027-01-01T00:00:00Z"}, certificate(0)]
)
def test_what_is_no_certificate_is_refused(given_input: object) -> None:
    with pytest.raises(AnsibleFilterError, match="certificate_info"):
        renewal(given_input, now=text(START))


@given(host=st.text(min_size=1), lifetime=st.integers(2, 400))
def test_a_host_is_due_earlier_by_at_most_five_per_cent_and_always_by_the_same(host: str, lifetime: int) -> None:
    alone = due_on_day(renewal(certificate(lifetime), now=text(START)))
    spread = due_on_day(renewal(certificate(lifetime), spread_by=host, now=text(START)))
    assert 0 <= alone - spread <= 0.05 * lifetime + 1e-4
    assert spread == due_on_day(renewal(certificate(lifetime), spread_by=host, now=text(START + timedelta(days=1))))


def test_many_hosts_are_spread_evenly() -> None:
    days = sorted(
        due_on_day(renewal(certificate(100), spread_by=f"web{number}.example.com", now=text(START)))
        for number in range(1000)
    )
    for part in range(5):
        assert 150 <= sum(1 for day in days if part <= 100 * 2 / 3 - day < part + 1) <= 250


def test_a_window_of_the_ca_goes_first() -> None:
    window = {"start": "2027-02-01T00:00:00Z", "end": "2027-02-03T00:00:00Z"}
    found = renewal(certificate(90), "10d", window=window, now="2027-02-01T00:00:01Z")
    assert found["due"] is True
    assert found["at"] == window["start"]
    with pytest.raises(AnsibleFilterError, match="start and end"):
        renewal(certificate(90), window={"start": "2027-02-01T00:00:00Z"})

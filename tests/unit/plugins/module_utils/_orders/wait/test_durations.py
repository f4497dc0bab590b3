# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations: what is written is also understood."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.durations import (
    MAX_DURATION,
    format_duration,
    parse_duration,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0.4, "0s"),
        (45, "45s"),
        (59.6, "1m"),
        (60, "1m"),
        (130, "2m10s"),
        (1800, "30m"),
        (3599.9, "1h"),
        (11100, "3h05m"),
        (172800, "2d"),
        (187200, "2d04h"),
    ],
)
def test_durations_as_people_read_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0),
        (1800, 1800),
        (90.0, 90),
        ("1800", 1800),
        (" 45s ", 45),
        ("2m10s", 130),
        ("30m", 1800),
        ("2h", 7200),
        ("2H", 7200),
        ("3h05m", 11100),
        ("1h30m", 5400),
        ("2d04h", 187200),
        ("1d", 86400),
        ("1m30", 90),
    ],
)
def test_what_people_type(value: t.Any, seconds: int) -> None:
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-5",
        -5,
        "2 hours",
        "h",
        "30m2h",
        "1.5h",
        1.5,
        "1e3",
        True,
        None,
        [1],
        "9" * 5000,
        float("nan"),
        "2w",
        "²",
    ],
)
def test_what_is_no_duration_is_refused(value: t.Any) -> None:
    with pytest.raises(ValueError):
        parse_duration(value)


@pytest.mark.parametrize(
    ("value", "text"), [("", "is empty"), ("  ", "is empty"), ("2w", "is 2w, which is no duration")]
)
def test_the_refusal_continues_the_name_of_an_option(value: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        parse_duration(value)


def test_a_duration_has_a_bound() -> None:
    assert parse_duration(MAX_DURATION) == MAX_DURATION
    with pytest.raises(ValueError, match="more than ten years"):
        parse_duration(MAX_DURATION + 1)


@given(st.integers(0, 3600 - 1))
def test_what_is_shown_can_be_typed(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds

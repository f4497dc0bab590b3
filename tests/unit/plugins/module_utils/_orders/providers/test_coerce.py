# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of any type, read without a traceback."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.providers import coerce

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
NOTHING: t.Sequence[t.Any] = (None, "", "  ", [], {})


@given(JSON)
def test_nothing_raises_and_everything_keeps_its_promise(value: t.Any) -> None:
    assert coerce.text(value) is None or coerce.text(value) == (coerce.text(value) or "").strip() != ""
    assert coerce.word(value) == coerce.word(value).lower()
    assert coerce.flag(value) in (True, False, None)
    assert isinstance(coerce.number(value), (int, type(None)))
    assert re.fullmatch(r"[0-9]{1,64}", coerce.identifier(value) or "0", re.ASCII)
    assert isinstance(coerce.mapping(value), dict)
    assert isinstance(coerce.listing(value), list)
    assert all(isinstance(item, dict) for item in coerce.objects(value))
    assert all(name and name == name.strip() for name in coerce.names(value))
    for moment in (coerce.time_from_epoch(value), coerce.time_from_text(value)):
        assert moment is None or datetime.datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")
    json.dumps([coerce.text(value), coerce.number(value), coerce.names(value)])


@pytest.mark.parametrize("value", NOTHING)
def test_nothing_there_in_all_its_forms(value: t.Any) -> None:
    assert coerce.text(value) is None
    assert coerce.word(value) == ""
    assert coerce.flag(value) is None
    assert coerce.number(value) is None
    assert coerce.identifier(value) is None
    assert coerce.mapping(value) == {}
    assert coerce.listing(value) == []
    assert coerce.names(value) == []
    assert coerce.time_from_epoch(value) is None
    assert coerce.time_from_text(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" pending\n", "pending"),
        (12, "12"),
        (0, "0"),
        (2.0, "2"),
        (2.5, "2.5"),
        (1e300, "1e+300"),
        (True, None),
        (["a"], None),
    ],
)
def test_text(value: t.Any, expected: str | None) -> None:
    assert coerce.text(value) == expected


def test_words_are_compared_in_lower_case() -> None:
    assert coerce.word("  Awaiting Validation ") == "awaiting validation"


@pytest.mark.parametrize("value", [True, 1, "1", 1.0, "TRUE", " yes ", "y"])
def test_true_in_all_its_forms(value: t.Any) -> None:
    assert coerce.flag(value) is True


@pytest.mark.parametrize("value", [False, 0, "0", 0.0, "False", "no", "N"])
def test_false_in_all_its_forms(value: t.Any) -> None:
    assert coerce.flag(value) is False


@pytest.mark.parametrize("value", [2, "2", "perhaps", -1, [True]])
def test_what_is_no_flag(value: t.Any) -> None:
    assert coerce.flag(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-1", -1),
        ("+7", 7),
        (" 12 ", 12),
        (5, 5),
        (2.0, 2),
        ("2.5", None),
        ("1" * 19, None),
        ("٣", None),
        ("0x10", None),
    ],
)
def test_numbers(value: t.Any, expected: int | None) -> None:
    assert coerce.number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (123, "123"),
        (" 0123 ", "0123"),
        ("12345678901234567890", "12345678901234567890"),
        ("-1", None),
        ("12a", None),
        ("1,234", None),
        (True, None),
        ("1" * 65, None),
        ("١٢", None),
    ],
)
def test_identifiers_are_digits_and_never_counted_with(value: t.Any, expected: str | None) -> None:
    assert coerce.identifier(value) == expected


def test_a_lone_object_is_a_list_of_one() -> None:
    assert coerce.listing({"a": 1}) == [{"a": 1}]
    assert coerce.listing("text") == []
    assert coerce.objects([{"a": 1}, "text", None, [{"b": 2}], {"c": 3}]) == [{"a": 1}, {"c": 3}]


@pytest.mark.parametrize(
    "value",
    [
        "a.example, b.example,,a.example",
        ["a.example", " b.example "],
        ["a.example,b.example", None, {}, "a.example"],
        "a.example b.example",
        "a.example\r\nb.example\n",
        "a.example\tb.example;a.example",
        {"1": "b.example", "0": "a.example"},
    ],
)
def test_names_from_arrays_and_from_texts(value: t.Any) -> None:
    assert coerce.names(value) == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.example.org", True),
        ("*.example.org", True),
        ("intranet", True),
        ("b\u00fccher.example", True),
        ("192.0.2.7", True),
        ("2001:db8::10", True),
        # Damaged on the way, and still a name.
        ("b%zzd.example.org", True),
        ("someone@example.org", False),
        ("Inc.", False),
        ("Ltd.", False),
        ("https://example.org/", False),
        ("(Example).Co", False),
    ],
)
def test_host_names_are_distinguished_from_addresses_and_companies(name: str, expected: bool) -> None:
    assert coerce.is_host_name(name) is expected


@pytest.mark.parametrize(
    ("value", "expected", "of_servers"),
    [
        ("www.example.org, example.org", ["www.example.org", "example.org"], ["www.example.org", "example.org"]),
        ("intranet", ["intranet"], ["intranet"]),
        ("intranet mail", [], ["intranet", "mail"]),
        ("Example Ltd", [], ["Example", "Ltd"]),
        ("Example, Inc.", [], []),
        ("www.example.org, someone@example.org", [], []),
        (["2001:db8::10", "192.0.2.7"], ["2001:db8::10", "192.0.2.7"], ["2001:db8::10", "192.0.2.7"]),
        ("", [], []),
        (None, [], []),
    ],
)
def test_a_field_holds_names_or_none(value: t.Any, expected: list[str], of_servers: list[str]) -> None:
    assert coerce.host_names(value) == expected
    assert coerce.host_names(value, single_labels=True) == of_servers


def test_an_array_that_is_numbered_by_keys_is_a_list() -> None:
    numbered = {"10": {"a": 3}, "9": "odd", "1": {"a": 1}}
    assert coerce.listing(numbered) == [{"a": 1}, "odd", {"a": 3}]
    assert coerce.objects(numbered) == [{"a": 1}, {"a": 3}]
    assert coerce.entries(numbered) == [{"a": 1}, {}, {"a": 3}]


def test_a_status_text_is_compared_with_single_blanks() -> None:
    assert coerce.squeezed(" Awaiting \n Validation ") == "awaiting validation"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-05-01T10:20:30Z", "2026-05-01T10:20:30Z"),
        ("2026-05-01T10:20:30z", "2026-05-01T10:20:30Z"),
        ("2026-05-01T10:20:30+00:00", "2026-05-01T10:20:30Z"),
        ("2026-05-01T10:20:30+0200", "2026-05-01T08:20:30Z"),
        ("2026-05-01T00:20:30-05:00", "2026-05-01T05:20:30Z"),
        ("2026-05-01T10:20:30.123456789Z", "2026-05-01T10:20:30Z"),
        ("2026-05-01 10:20:30", "2026-05-01T10:20:30Z"),
        ("2026-05-01T10:20", "2026-05-01T10:20:00Z"),
        (" 2026-05-01 ", "2026-05-01T00:00:00Z"),
        ("0000-00-00", None),
        ("0000-00-00 00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("1970-01-01", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("01-05-2026", None),
        ("2026-05-01 tomorrow", None),
        ("20260501", None),
        (20260501, None),
    ],
)
def test_times_as_text(value: t.Any, expected: str | None) -> None:
    assert coerce.time_from_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1777630830, "2026-05-01T10:20:30Z"),
        ("1777630830", "2026-05-01T10:20:30Z"),
        (1777630830.0, "2026-05-01T10:20:30Z"),
        (0, None),
        (-1, None),
        (1777630830000, None),
        ("soon", None),
    ],
)
def test_times_in_seconds(value: t.Any, expected: str | None) -> None:
    assert coerce.time_from_epoch(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"a": 1}, "b"], [(None, {"a": 1}), (None, "b")]),
        ({"0": "a", "1": "b"}, [(None, "a"), (None, "b")]),
        ({"10": "b", "2": "a"}, [(None, "a"), (None, "b")]),
        ({"a.example": {"x": 1}, "b.example": {}}, [("a.example", {"x": 1}), ("b.example", {})]),
        ({"x": 1, "y": {}}, [(None, {"x": 1, "y": {}})]),
        ([], []),
        ({}, []),
        ("", []),
        (None, []),
        (7, []),
    ],
)
def test_an_array_of_php_in_each_of_its_shapes(value: t.Any, expected: list[t.Any]) -> None:
    assert coerce.php_items(value) == expected


@given(st.datetimes(datetime.datetime(1991, 1, 1), datetime.datetime(2198, 1, 1)), st.integers(-14, 14))
def test_any_time_in_any_zone_is_the_same_moment(moment: datetime.datetime, hours: int) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    aware = moment.replace(microsecond=0, tzinfo=zone)
    moment_read = coerce.moment_from_text(aware.isoformat())
    assert moment_read == aware
    assert coerce.time_from_text(aware.isoformat()) == coerce.time_from_epoch(int(aware.timestamp()))


def test_names_of_an_object_and_addresses_in_brackets() -> None:
    assert coerce.names({"a.example": {"x": 1}, "b.example": "http", "note": 1}) == ["a.example", "b.example"]
    assert coerce.names("a.example,[2001:db8::10] [no]") == ["a.example", "2001:db8::10", "[no]"]
    assert coerce.host_names("a.example, [2001:db8::10]") == ["a.example", "2001:db8::10"]

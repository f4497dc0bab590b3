# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, times and serial numbers compare in one form, however they are written."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._common.names import (
    covers,
    is_ip_address,
    iso_time,
    normalize_name,
    normalize_serial,
    serial_forms,
)

NAMES = ("www.example.com", "*.example.org", "*.0.2.7", "192.0.2.9", "2001:db8::1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("WWW.Example.com.", "www.example.com"),
        ("*.Example.com", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        (" _acme.example.com ", "_acme.example.com"),
        ("a" * 63 + ".b", "a" * 63 + ".b"),
        (".".join(["a" * 49] * 5) + ".xyz", ".".join(["a" * 49] * 5) + ".xyz"),
    ],
)
def test_names_as_they_stand_in_certificates(name: str, expected: str) -> None:
    assert normalize_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "*", "*.", "*.*.a", "www.*.com", "a b", "a..b", "a. .", "-", "-a.example", "a.example-", "a,b", "a\nb",
        "a" * 64 + ".b", ".".join(["a" * 49] * 5) + ".xyza", "http://a.example/", "a@b.example", "\ud800.example",
        "bü..example", "ü" * 64 + ".example",
        "fe80::1%eth0", "fe80::1%eth0\nsubjectAltName=DNS:evil.example", "fe80::1%",
    ],
)  # fmt: skip
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="neither a DNS name nor an IP address"):
        normalize_name(name)


def test_the_encoder_that_is_handed_in_is_used_for_what_is_not_ascii_alone() -> None:
    encoded: list[str] = []

    def encode(name: str) -> str:
        encoded.append(name)
        return "XN--STRAE-OQA.example"

    assert normalize_name("*.Straße.example", encode) == "*.xn--strae-oqa.example"
    assert normalize_name("strasse.example", encode) == "strasse.example"
    assert encoded == ["Straße.example"]


@given(st.text())
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = normalize_name(text)
    except ValueError:
        return
    assert name.isascii() and name == name.lower()
    assert normalize_name(name) == name


@pytest.mark.parametrize("name", ["192.0.2.7", "2001:db8::1", "::"])
def test_ip_addresses(name: str) -> None:
    assert is_ip_address(name)


@pytest.mark.parametrize("name", ["www.example.com", "", "192.0.2", "fe80::1%eth0", "fe80::1%1\n"])
def test_what_is_no_ip_address(name: str) -> None:
    assert not is_ip_address(name)


@pytest.mark.parametrize("name", ["www.example.com", "a.example.org", "*.example.org", "192.0.2.9", "2001:db8::1"])
def test_names_that_are_covered(name: str) -> None:
    assert covers(NAMES, name)


@pytest.mark.parametrize(
    "name", ["example.com", "example.org", "a.b.example.org", "*.a.example.org", "*.example.com", "192.0.2.7", "com"]
)
def test_a_wildcard_stands_for_one_label_of_a_dns_name(name: str) -> None:
    assert not covers(NAMES, name)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime.datetime(2026, 1, 2, 3, 4, 5, 999999), "2026-01-02T03:04:05Z"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), "2026-01-02T03:04:05Z"),
        (
            datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=5))),
            "2026-01-01T22:04:05Z",
        ),
        (datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc), "0001-01-01T00:00:00Z"),
    ],
)
def test_times(moment: datetime.datetime, expected: str) -> None:
    assert iso_time(moment) == expected


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        ("00:0a:bc", "ABC"),
        (" 0A-BC\t\n", "ABC"),
        ("abc0", "ABC0"),
        ("ABC", "ABC"),
        ("00", None),
        ("", None),
        (None, None),
    ],
)
def test_serials_compare_however_a_provider_prints_them(serial: str | None, expected: str | None) -> None:
    assert normalize_serial(serial) == expected


@pytest.mark.parametrize(
    ("serial", "forms"),
    [
        ("ABC", {"ABC"}),
        ("2748", {"2748", "ABC"}),
        ("9" * 50, {"9" * 50, f"{int('9' * 50):X}"}),
        ("9" * 51, {"9" * 51}),
        ("٣", {"٣"}),
    ],
)
def test_digits_alone_may_be_decimal(serial: str, forms: set[str]) -> None:
    assert serial_forms(serial) == forms

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading certificates: the same facts as ``cryptography`` finds, and no crash on damage."""

from __future__ import annotations

import datetime

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._common.names import iso_time
from ansible_collections.certops.issuance.plugins.module_utils._deployment.x509 import (
    Malformed,
    read_certificate,
    read_certificates,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

_LEAF = pki.der(pki.Authority("Issuer").issue("www.example.com", "*.example.org", "192.0.2.7", "2001:db8::1"))


def test_facts() -> None:
    issuer = pki.Authority("Ausstellerin für Größeres")
    leaf = issuer.issue("WWW.Example.com", "*.example.org", "192.0.2.7", "2001:db8::1")
    found = read_certificate(pki.der(leaf))
    assert found.serial_number == pki.serial(leaf)
    assert found.not_before == pki.NOW - pki.DAY
    assert found.not_after == pki.NOW + 90 * pki.DAY
    assert found.names == ("www.example.com", "*.example.org", "192.0.2.7", "2001:db8::1")
    assert found.issuer == "O=Test, CN=Ausstellerin für Größeres"
    assert found.subject == "CN=WWW.Example.com"
    assert found.fingerprint_sha256 == leaf.fingerprint(hashes.SHA256()).hex(":").upper()
    assert found.pem == pki.pem(leaf)
    assert not found.self_issued
    assert read_certificate(pki.der(issuer.certificate)).self_issued
    assert read_certificate(pki.der(issuer.certificate)).subject_der == found.issuer_der


@pytest.mark.parametrize("year", [1951, 1999, 2049, 2050, 2999])
def test_dates_in_both_encodings(year: int) -> None:
    moment = datetime.datetime(year, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
    leaf = pki.Authority("Issuer").issue("a.example", not_before=moment, not_after=moment + pki.DAY)
    found = read_certificate(pki.der(leaf))
    assert iso_time(found.not_before) == f"{year}-02-03T04:05:06Z"
    assert iso_time(found.not_after) == f"{year}-02-04T04:05:06Z"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(_LEAF) - 1), st.integers(0, 255), st.booleans())
def test_damage_is_an_error_and_never_a_crash(position: int, value: int, cut: bool) -> None:
    damaged = _LEAF[:position] if cut else _LEAF[:position] + bytes([value]) + _LEAF[position + 1 :]
    try:
        read_certificate(damaged)
    except Malformed:
        return
    assert not cut


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA"])
def test_texts_without_a_certificate(text: str) -> None:
    assert read_certificates(text) == []


def test_certificates_among_other_text() -> None:
    leaf = read_certificate(_LEAF)
    text = "Bag Attributes\r\n  friendlyName: x\r\n" + leaf.pem.replace("\n", "\r\n") + "trailing\n" + leaf.pem
    assert read_certificates(text) == [leaf, leaf]


def test_reading_all_roots_of_this_host() -> None:
    """A sample of what real authorities write, where this host has one."""
    import ssl

    found: list[bytes] = ssl.create_default_context().get_ca_certs(binary_form=True)
    assert all(read_certificate(der).der == der for der in found)

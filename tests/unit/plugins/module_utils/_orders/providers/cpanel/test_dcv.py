# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cPanel: what the server publishes for DCV, computed from the CSR in its queue; section 2 of its DCV sheet."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    Problem,
    RecordEvidence,
    Source,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence_report import checked
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Domain, Order, Record, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel.dcv import (
    map_evidence,
    with_records,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.cpanel.stored import (
    ITEM,
    body,
)

QUEUED = body("dcv_queue")["data"][0]
FILE = FileEvidence(
    "http://shop.example.org/.well-known/pki-validation/3FA076DC547E7C065DB9C858516C8B7B.txt",
    "0adb68ad6222e0ec5144808d9dd9a26395b82d26955baa204f1b3d9ff39cc461\ncomodoca.com",
)
RECORD = RecordEvidence(
    "CNAME",
    "_3fa076dc547e7c065db9c858516c8b7b.shop.example.org",
    "0adb68ad6222e0ec5144808d9dd9a263.95b82d26955baa204f1b3d9ff39cc461.comodoca.com",
)
SHOP = Order("cpanel", ITEM, Status.VALIDATING, domains=(Domain("shop.example.org", "not_completed"),))


def evidence(method: t.Any, *names: str, provider: str = "cPStore", **item: t.Any) -> list[NameEvidence]:
    domains = tuple(Domain(name, "not_completed") for name in names or ["shop.example.org"])
    methods = {} if method is None else {domain.name: method for domain in domains}
    return map_evidence(replace(SHOP, domains=domains), {**QUEUED, "domain_dcv_method": methods, **item}, provider)


def csr_for(*names: str) -> str:
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    pem = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return pem.public_bytes(serialization.Encoding.PEM).decode("ascii")


@pytest.mark.parametrize("method", ["http", "HTTP", None])
def test_the_file_that_the_server_writes(method: str | None) -> None:
    (one,) = evidence(method)
    assert (one.file, one.record, one.method, one.source) == (FILE, None, "http", Source.COMPUTED)
    assert (one.methods, one.order.order_id) == (("http",), ITEM)
    assert checked(one) == one


def test_the_record_that_the_server_writes() -> None:
    (one,) = evidence("dns")
    assert (one.record, one.file, one.method, one.problem) == (RECORD, None, "dns", None)
    assert checked(one) == one


def test_a_record_stands_above_all_names_that_it_covers() -> None:
    found = evidence("dns", "www.shop.example.org", "*.shop.example.org", "shop.example.org")
    assert [one.record for one in found] == [RECORD] * 3


def test_names_of_the_csr_alone_are_part_of_the_order() -> None:
    csr = csr_for("shop.example.org", "www.shop.example.org")
    found = evidence(None, csr=csr, domain_dcv_method={"shop.example.org": "http", "www.shop.example.org": "dns"})
    assert [(one.name, one.method, one.status) for one in found] == [
        ("shop.example.org", "http", "not_completed"),
        ("www.shop.example.org", "dns", "unknown"),
    ]
    assert found[1].record is not None
    assert found[1].record.fqdn.endswith(".www.shop.example.org")


@pytest.mark.parametrize("csr", [None, "", "garbage", "-----BEGIN CERTIFICATE REQUEST-----\nMII=\n-----END"])
def test_without_a_csr_nothing_is_guessed(csr: t.Any) -> None:
    (one,) = evidence("dns", csr=csr)
    assert (one.record, one.file, one.problem) == (None, None, Problem.TOKEN_UNKNOWN)


def test_an_item_that_has_left_the_queue_has_no_token() -> None:
    (one,) = map_evidence(SHOP, None, "cPStore")
    assert (one.method, one.methods, one.problem) == (None, (), Problem.TOKEN_UNKNOWN)


def test_the_ca_of_another_market_provider_is_not_known() -> None:
    (one,) = evidence("dns", provider="OtherStore")
    assert (one.record, one.file, one.problem) == (None, None, Problem.UNSUPPORTED)


def test_an_unknown_method_is_not_guessed() -> None:
    (one,) = evidence("persist")
    assert (one.record, one.file, one.problem, one.method) == (None, None, Problem.UNSUPPORTED, "persist")


def test_a_wildcard_by_file_is_refused() -> None:
    (one,) = evidence("http", "*.shop.example.org")[:1]
    assert checked(one).problem == Problem.WILDCARD_NEEDS_DNS


@pytest.mark.parametrize("status", [Status.CANCELED, Status.EXPIRED, Status.REJECTED])
def test_an_order_that_has_ended_needs_nothing(status: str) -> None:
    (one,) = map_evidence(replace(SHOP, status=status), QUEUED, "cPStore")
    assert (one.record, one.file, one.problem) == (None, None, None)


def test_the_order_shows_what_the_server_publishes() -> None:
    domains = (Domain("shop.example.org", "not_completed"), Domain("www.shop.example.org", "completed"))
    found = with_records(replace(SHOP, domains=domains), QUEUED, "cPStore")
    assert [one.record for one in found.domains] == [Record("http", FILE.url, FILE.content), None]
    assert [one.name for one in found.domains] == ["shop.example.org", "www.shop.example.org"]

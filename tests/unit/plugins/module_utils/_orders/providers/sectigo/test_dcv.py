# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sectigo: what must be published for DCV, computed from the CSR. Sections are those of the Sectigo sheet on DCV."""

from __future__ import annotations

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    Problem,
    RecordEvidence,
    Source,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence_report import checked
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Domain, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.body import read_reply
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.dcv import map_evidence
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.mapping import with_names
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import answer
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.sectigo.stored import (
    BODIES,
    ORDER,
    body,
)

CSR = (BODIES / "dcv.csr").read_text(encoding="utf-8")
UNIQUE = "t0827792001533920169"
#: The test vector of section 2.
OWNER = "_3fa076dc547e7c065db9c858516c8b7b"
TARGET = "0adb68ad6222e0ec5144808d9dd9a263.95b82d26955baa204f1b3d9ff39cc461.t0827792001533920169.sectigo.com"
CONTENT = "0adb68ad6222e0ec5144808d9dd9a26395b82d26955baa204f1b3d9ff39cc461\nsectigo.com\nt0827792001533920169"
PATH = "/.well-known/pki-validation/3FA076DC547E7C065DB9C858516C8B7B.txt"


def order(method: str | None, *names: str, status: str = Status.VALIDATING, state: str = "not_completed") -> Order:
    domains = tuple(Domain(name, state, method) for name in names)
    return Order("sectigo", ORDER, status, domains=domains)


def evidence(method: str | None, *names: str, csr: str | None = CSR, unique: str | None = UNIQUE) -> list[NameEvidence]:
    return map_evidence(order(method, *names), csr, unique)


@pytest.mark.parametrize("method", ["CNAME", "CNAME_CSR_HASH", "CNAMECSRHASH", "cname csr hash"])
def test_the_record_of_the_vector(method: str) -> None:
    (one,) = evidence(method, "shop.example.org")
    assert one.record == RecordEvidence("CNAME", OWNER + ".shop.example.org", TARGET)
    assert (one.file, one.source, one.problem, one.method) == (None, Source.COMPUTED, None, "CNAME_CSR_HASH")
    assert (one.order.provider, one.order.order_id) == ("sectigo", ORDER)
    assert checked(one) == one


@pytest.mark.parametrize(
    ("method", "scheme", "word"),
    [("HTTP", "http", "HTTP_CSR_HASH"), ("HTTPSCSRHASH", "https", "HTTPS_CSR_HASH")],
)
def test_the_file_of_the_vector_stands_on_each_name(method: str, scheme: str, word: str) -> None:
    found = evidence(method, "shop.example.org", "www.shop.example.org")
    assert [one.file for one in found] == [
        FileEvidence(f"{scheme}://shop.example.org{PATH}", CONTENT),
        FileEvidence(f"{scheme}://www.shop.example.org{PATH}", CONTENT),
    ]
    assert {one.method for one in found} == {word}
    assert [checked(one) for one in found] == found


def test_no_unique_value_is_no_label_and_no_line() -> None:
    (record,), (file,) = (evidence(method, "shop.example.org", unique="") for method in ("CNAME", "HTTP"))
    assert record.record is not None
    assert record.record.value == TARGET.replace("." + UNIQUE, "")
    assert file.file is not None
    assert file.file.content == CONTENT.rsplit("\n", 1)[0]


def test_one_record_is_enough_for_the_names_below() -> None:
    found = evidence("CNAME", "www.example.org", "*.example.org", "example.org", "example.net", "anexample.org")
    assert [one.record and one.record.fqdn for one in found] == [
        *[OWNER + ".example.org"] * 3,
        OWNER + ".example.net",
        OWNER + ".anexample.org",
    ]


def test_a_name_that_is_validated_otherwise_carries_no_record_of_others() -> None:
    mixed = Order(
        "sectigo",
        ORDER,
        Status.VALIDATING,
        domains=(Domain("example.org", method="HTTP"), Domain("www.example.org", method="CNAME")),
    )
    apex, www = map_evidence(mixed, CSR, UNIQUE)
    assert (apex.record, www.file) == (None, None)
    assert www.record is not None
    assert www.record.fqdn == OWNER + ".www.example.org"


@pytest.mark.parametrize(
    ("csr", "unique", "named"),
    [(None, UNIQUE, "give csr"), (CSR, None, "give unique_values"), (None, None, "give csr and unique_values")],
)
@pytest.mark.parametrize("method", ["CNAME", "HTTP"])
def test_what_nobody_knows_is_not_guessed(method: str, csr: str | None, unique: str | None, named: str) -> None:
    (one,) = evidence(method, "shop.example.org", csr=csr, unique=unique)
    assert (one.record, one.file, one.source, one.problem) == (None, None, Source.NONE, Problem.TOKEN_UNKNOWN)
    assert named in (one.message or "")


@pytest.mark.parametrize("unique", ["a" * 21, "with-hyphen", "a b"])
def test_a_unique_value_that_is_none_is_refused(unique: str) -> None:
    with pytest.raises(ValueError, match="1 to 20 letters and digits"):
        evidence("CNAME", "shop.example.org", unique=unique)


def test_a_csr_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="certificate request"):
        evidence("CNAME", "shop.example.org", csr="garbage")


def test_a_wildcard_has_no_file_methods() -> None:
    (one,) = evidence("HTTP_CSR_HASH", "*.example.org")
    assert checked(one).problem == Problem.WILDCARD_NEEDS_DNS
    assert one.methods == ("CNAME_CSR_HASH", "EMAIL")


def test_an_address_has_file_methods_alone() -> None:
    (one,) = evidence("HTTP", "192.0.2.7")
    assert one.methods == ("HTTP_CSR_HASH", "HTTPS_CSR_HASH")
    assert checked(one).file == FileEvidence(f"http://192.0.2.7{PATH}", CONTENT)


@pytest.mark.parametrize("method", ["EMAIL", "admin@example.org"])
def test_mail_needs_nothing_published(method: str) -> None:
    (one,) = evidence(method, "shop.example.org", csr=None, unique=None)
    assert (one.method, one.record, one.file, one.problem) == ("EMAIL", None, None, None)


@pytest.mark.parametrize(("method", "problem"), [(None, Problem.TOKEN_UNKNOWN), ("PERSIST", Problem.UNSUPPORTED)])
def test_a_method_that_is_not_known_is_no_reason_to_guess(method: str | None, problem: str) -> None:
    (one,) = evidence(method, "shop.example.org")
    assert (one.record, one.file, one.problem, one.method) == (None, None, problem, method)


@pytest.mark.parametrize(("status", "state"), [(Status.REJECTED, "not_completed"), (Status.VALIDATING, "completed")])
def test_what_is_over_needs_nothing(status: str, state: str) -> None:
    (one,) = map_evidence(order("CNAME", "shop.example.org", status=status, state=state), CSR, UNIQUE)
    assert (one.record, one.problem, one.source) == (None, None, Source.NONE)


def test_methods_as_the_call_reports_them() -> None:
    reply = read_reply(answer(body("dcv_domains.txt")))
    assert reply is not None
    found = map_evidence(with_names(Order("sectigo", ORDER, Status.VALIDATING), reply), CSR, UNIQUE)
    record = RecordEvidence("CNAME", OWNER + ".shop.example.org", TARGET)
    assert [(one.name, one.record) for one in found] == [
        ("shop.example.org", record),
        ("www.shop.example.org", record),
    ]

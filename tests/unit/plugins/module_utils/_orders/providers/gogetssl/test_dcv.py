# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GoGetSSL: what must be published for DCV, from the status reply alone. Sections are those of the sheet on DCV."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.csr_hash import csr_hashes
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    Problem,
    RecordEvidence,
    Source,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence_report import checked
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.gogetssl.dcv import map_evidence

BODIES = pathlib.Path(__file__).parent / "bodies"
LINK = "http://example.org/.well-known/pki-validation/0A1B2C.txt"
CONTENT = "d30c0ffe\r\nCOMODOCA.COM\r\nt0990"


def load(name: str) -> t.Any:
    return json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8"))


def evidence(method: str, shape: t.Any, domain: str = "example.org", **changes: t.Any) -> NameEvidence:
    """The evidence of the base domain of an order without further names."""
    body = {**load("processing"), "dcv_method": method, "approver_method": shape, "approver_emails": "", "san": []}
    (one,) = map_evidence({**body, "domain": domain, "domains": domain, **changes})
    return one


def with_csr_hash(fields: str) -> str:
    return fields.replace("HASH", csr_hashes(load("processing")["csr_code"]).md5)


def test_base_domain_and_san() -> None:
    base, www = map_evidence(load("processing"))
    assert base.record == RecordEvidence("CNAME", "_AA11.example.org", "bb22.cc33.t0990.comodoca.com")
    assert www.record == RecordEvidence("CNAME", "_DD44.www.example.org", "ee55.ff66.t0990.comodoca.com")
    assert [(one.name, one.method, one.status, one.source, one.problem) for one in (base, www)] == [
        ("example.org", "dns", "in_progress", Source.PROVIDER, None),
        ("www.example.org", "dns", "in_progress", Source.PROVIDER, None),
    ]
    assert (base.order.provider, base.order.order_id, base.expires_at) == ("gogetssl", "2204418", None)
    assert base.methods == ("dns", "http", "https", "email")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ('example.org   IN   TXT   "tok3n"', RecordEvidence("TXT", "example.org", "tok3n")),
        ("example.org\tin\ttxt\ttok3n", RecordEvidence("TXT", "example.org", "tok3n")),
        (
            "_a1.example.org. 3600 IN CNAME b.example.net.",
            RecordEvidence("CNAME", "_a1.example.org.", "b.example.net."),
        ),
    ],
)
def test_records_in_each_spelling(record: str, expected: RecordEvidence) -> None:
    one = evidence("dns", {"dns": {"record": record}})
    assert one.record == expected
    assert checked(one).problem is None


@pytest.mark.parametrize(
    ("method", "shape", "url"),
    [
        ("http", load("dcv_http"), LINK),
        ("https", load("dcv_https"), LINK.replace("http:", "https:")),
        ("https", load("dcv_http"), LINK.replace("http:", "https:")),
        ("https", {"https": load("dcv_http")["http"]}, LINK.replace("http:", "https:")),
        ("http", load("dcv_https"), LINK),
        ("http", {"0": load("dcv_http")}, LINK),
        ("http", [load("dcv_http")], LINK),
        ("http", {"http": {"filename": "0A1B2C.txt", "content": CONTENT}}, LINK),
    ],
)
def test_a_file_takes_its_scheme_from_the_method(method: str, shape: t.Any, url: str) -> None:
    one = evidence(method, shape)
    assert one.file == FileEvidence(url, CONTENT)
    assert checked(one) == one


@pytest.mark.parametrize("content", ["a\r\nb\r\n", " a\n", "a\r\n\r\n"])
def test_content_is_kept_byte_for_byte(content: str) -> None:
    one = evidence("http", {"http": {"link": LINK, "filename": "0A1B2C.txt", "content": content}})
    assert one.file is not None
    assert one.file.content == content


@pytest.mark.parametrize(
    "block",
    [
        {"link": LINK, "filename": "../0A1B2C.txt"},
        {"link": LINK, "filename": "a/b.txt"},
        {"link": LINK, "filename": "..\\b.txt"},
        {"filename": "../../etc/passwd"},
        {"link": "http://example.org/.well-known/pki-validation/../x.txt"},
        {"link": "http://example.net/.well-known/pki-validation/0A1B2C.txt"},
        {"link": "http://example.org@example.net/.well-known/pki-validation/0A1B2C.txt"},
        {"link": "http://example.org:8080/.well-known/pki-validation/0A1B2C.txt"},
    ],
)
def test_a_hostile_file_is_refused(block: dict[str, str]) -> None:
    one = checked(evidence("http", {"http": {**block, "content": CONTENT}}))
    assert (one.file, one.problem) == (None, Problem.EVIDENCE_REFUSED)


def test_a_wildcard() -> None:
    one = evidence("dns", {"dns": {"record": "_a1.example.org CNAME b.example.net"}}, domain="*.example.org")
    assert one.methods == ("dns", "email")
    assert checked(one) == one
    assert checked(evidence("http", load("dcv_http"), domain="*.example.org")).problem == Problem.WILDCARD_NEEDS_DNS


@pytest.mark.parametrize("shape", ["", [], {}, None, "dns", {"dns": ""}, {"dns": []}, {"dns": {"record": "word"}}])
def test_an_empty_block_is_an_unknown_value(shape: t.Any) -> None:
    one = evidence("dns", shape)
    assert (one.record, one.source, one.problem) == (None, Source.NONE, Problem.TOKEN_UNKNOWN)


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        ("http", {"http": {"link": LINK}}),
        ("http", LINK),
        ("http", load("dcv_dns_cname")),
        ("dns", load("dcv_http")),
        ("dns", load("dcv_email")),
    ],
)
def test_what_does_not_fit_the_method_is_an_unknown_value(method: str, shape: t.Any) -> None:
    one = evidence(method, shape)
    assert (one.record, one.file, one.emails, one.problem) == (None, None, (), Problem.TOKEN_UNKNOWN)


def test_a_mail_is_answered_and_nothing_published() -> None:
    one = evidence("email", load("dcv_email"))
    assert (one.emails, one.record, one.file, one.source, one.problem) == (
        ("admin@example.org",),
        None,
        None,
        Source.PROVIDER,
        None,
    )
    assert (evidence("email", "").source, evidence("email", "").problem) == (Source.NONE, None)
    assert evidence("email", load("dcv_dns_cname")).record is None


def test_a_san_by_mail_in_an_order_by_dns() -> None:
    san = [{"san_name": "www.example.org", "validation_method": "email", "status": 1, "email": "admin@example.org"}]
    base, www = map_evidence({**load("processing"), "san": san})
    assert base.record is not None
    assert (www.record, www.emails) == (None, ("admin@example.org",))


@pytest.mark.parametrize("state", ["0", "1", "2"])
def test_only_open_names_have_evidence(state: str) -> None:
    body = load("processing")
    body["san"][0]["status"] = state
    www = map_evidence(body)[1]
    assert (www.record is None) is (state == "2")
    assert www.problem is None


@pytest.mark.parametrize("status", ["cancelled", "rejected", "expired"])
def test_an_order_that_has_ended_has_no_evidence(status: str) -> None:
    assert {(one.source, one.problem) for one in map_evidence({**load("processing"), "status": status})} == {
        (Source.NONE, None)
    }


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        ("dns", {"dns": {"record": "_HASH.example.org CNAME a.b.comodoca.com"}}),
        ("http", {"http": {"link": LINK.replace("0A1B2C", "HASH"), "content": CONTENT}}),
        ("http", {"http": {"filename": "HASH.txt", "content": CONTENT}}),
    ],
)
def test_a_value_of_a_former_csr_is_stale(method: str, shape: t.Any) -> None:
    written = json.dumps(shape)
    assert evidence(method, json.loads(with_csr_hash(written))).problem is None
    upper = written.replace("HASH", with_csr_hash("HASH").upper())
    assert evidence(method, json.loads(upper)).problem is None
    former = evidence(method, json.loads(written.replace("HASH", "0" * 32)))
    assert (former.record, former.file, former.problem) == (None, None, Problem.TOKEN_STALE)
    assert evidence(method, json.loads(written.replace("HASH", "0" * 32)), csr_code="").problem is None

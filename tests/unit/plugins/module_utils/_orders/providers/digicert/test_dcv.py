# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigiCert: what must be published for DCV, from bodies alone. Sections are those of the DigiCert sheet on DCV."""

from __future__ import annotations

import datetime
import json
import pathlib
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    Problem,
    RecordEvidence,
    Source,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence_report import checked
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.dcv import (
    RandomValue,
    domain_ids,
    map_evidence,
    map_random_value,
)

BODIES = pathlib.Path(__file__).parent / "bodies"
NOW = datetime.datetime(2026, 4, 1, tzinfo=datetime.timezone.utc)
VALUE = RandomValue("rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t", "2026-04-30T11:00:00Z")


def load(name: str) -> t.Any:
    return json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8"))


def pending(method: str, names: t.Sequence[str], scope: str | None = "example.org") -> dict[str, t.Any]:
    entry = {"domain_id": "50711", "name_scope": scope, "status": "pending", "method": method, "dns_names": names}
    return {"order_status": "pending", "dns_name_validations": [entry]}


def evidence(method: str, *names: str, scope: str | None = "example.org", **values: t.Any) -> list[NameEvidence]:
    info = load("info_pending")
    info["certificate"].update(common_name=names[0], dns_names=list(names))
    return map_evidence(info, pending(method, names, scope), **{"value": VALUE, "now": NOW, **values})


def test_the_value_and_its_end_in_each_answer() -> None:
    assert map_random_value(load("dcv_random_value")) == VALUE
    assert map_random_value(load("domain_dcv")) == VALUE
    token = map_random_value({"token": "abc", "http_token_url": "http://example.org/x"})
    assert token == RandomValue("abc", None, "http://example.org/x")


@pytest.mark.parametrize("body", [{}, {"dcv_token": {}}, {"dcv_token": []}, {"dcv_random_value": " "}, {"token": None}])
def test_an_answer_without_a_value(body: t.Any) -> None:
    assert map_random_value(body) is None


@pytest.mark.parametrize(
    ("method", "record", "file"),
    [
        ("dns-txt-token", RecordEvidence("TXT", "_dnsauth.example.org", VALUE.value), None),
        ("DNS-TXT-token", RecordEvidence("TXT", "_dnsauth.example.org", VALUE.value), None),
        (
            "dns-cname-token",
            RecordEvidence("CNAME", "_dnsauth.example.org", f"{VALUE.value}.dcv.digicert.com"),
            None,
        ),
        (
            "http-token",
            None,
            FileEvidence("http://example.org/.well-known/pki-validation/fileauth.txt", VALUE.value),
        ),
    ],
)
def test_what_each_method_publishes(method: str, record: RecordEvidence | None, file: FileEvidence | None) -> None:
    (one,) = evidence(method, "example.org")
    assert (one.record, one.file, one.problem) == (record, file, None)
    assert (one.source, one.expires_at, one.status) == (Source.PROVIDER, VALUE.expires_at, "in_progress")
    assert (one.order.provider, one.order.order_id) == ("digicert", "88120034")
    assert checked(one) == one


def test_a_record_stands_at_the_base_domain_and_a_file_on_each_name() -> None:
    names = ("a.b.example.org", "www.example.org")
    assert [one.record and one.record.fqdn for one in evidence("dns-txt-token", *names)] == ["_dnsauth.example.org"] * 2
    assert [one.file and one.file.url for one in evidence("http-token", *names)] == [
        f"http://{name}/.well-known/pki-validation/fileauth.txt" for name in names
    ]


@pytest.mark.parametrize("scope", [None, "", "a.b.example.org", "example.net", "ample.org"])
def test_without_a_scope_above_it_a_record_stands_at_the_name(scope: str | None) -> None:
    (one,) = evidence("dns-txt-token", "a.b.example.org", scope=scope)
    assert one.record is not None
    assert one.record.fqdn == "_dnsauth.a.b.example.org"


def test_a_wildcard() -> None:
    (one,) = evidence("dns-txt-token", "*.example.org")
    assert one.record == RecordEvidence("TXT", "_dnsauth.example.org", VALUE.value)
    assert one.methods == ("dns-txt-token", "dns-cname-token", "email")
    (one,) = evidence("http-token", "*.example.org")
    assert checked(one).problem == Problem.WILDCARD_NEEDS_DNS


@pytest.mark.parametrize(
    ("product", "organizations", "dynamic"),
    [
        ({"validation_type": "dv"}, None, False),
        ({"validation_type": "ov"}, None, True),
        ({"validation_type": "dv"}, [{"status": "pending"}], False),
        (None, [{"status": "pending"}], True),
        (None, None, False),
    ],
)
def test_methods_by_product(product: t.Any, organizations: t.Any, dynamic: bool) -> None:
    info = {**load("info_pending"), "product": product}
    validation = {**load("validation_dv_pending"), "organization_validations": organizations}
    methods = map_evidence(info, validation)[0].methods
    assert ("http-token-dynamic" in methods) is dynamic
    assert {"dns-txt-token", "dns-cname-token", "http-token", "email"} <= set(methods)


def test_a_file_whose_name_is_generated_needs_its_url() -> None:
    url = "http://example.org/.well-known/pki-validation/a1b2.txt"
    (one,) = evidence("http-token-dynamic", "example.org", value=RandomValue("abc", None, url))
    assert one.file == FileEvidence(url, "abc")
    (one,) = evidence("http-token-dynamic", "example.org")
    assert (one.file, one.problem) == (None, Problem.TOKEN_UNKNOWN)


def test_without_a_value_nothing_is_guessed() -> None:
    (one,) = evidence("dns-txt-token", "example.org", value=None)
    assert (one.record, one.source, one.problem) == (None, Source.NONE, Problem.TOKEN_UNKNOWN)


def test_a_value_that_has_ended_is_not_published() -> None:
    (one,) = evidence("dns-txt-token", "example.org", value=RandomValue("abc", "2026-03-31T23:59:59Z"))
    assert (one.record, one.source, one.problem) == (None, Source.NONE, Problem.TOKEN_EXPIRED)
    assert one.expires_at == "2026-03-31T23:59:59Z"


@pytest.mark.parametrize("method", ["email", "odd", None])
def test_a_method_without_a_value_has_no_evidence_and_no_problem(method: t.Any) -> None:
    info = {**load("info_pending"), "dcv_method": None}
    (one, _www) = map_evidence(info, pending(method, ["example.org", "www.example.org"]), VALUE, now=NOW)
    assert (one.method, one.source, one.problem) == (method, Source.NONE, None)


def test_the_method_of_the_order_where_a_name_has_none() -> None:
    validation = pending("", ["example.org", "www.example.org"])
    assert map_evidence(load("info_pending"), validation)[0].method == "dns-txt-token"
    validation["order_dcv_method"] = "http-token"
    assert map_evidence(load("info_pending"), validation)[0].method == "http-token"


@pytest.mark.parametrize(
    ("info", "validation"), [("info_pending", "validation_all_done"), ("info_issued", "validation_issued")]
)
def test_a_validated_name_needs_nothing(info: str, validation: str) -> None:
    found = map_evidence(load(info), load(validation), VALUE)
    assert {one.name for one in found} == {"example.org", "www.example.org"}
    assert {(one.status, one.source, one.record, one.problem) for one in found} == {
        ("completed", Source.NONE, None, None)
    }


def test_an_order_that_has_ended_needs_nothing() -> None:
    found = map_evidence({**load("info_pending"), "status": "rejected"}, load("validation_dv_pending"), VALUE)
    assert {(one.source, one.problem) for one in found} == {(Source.NONE, None)}


def test_the_value_of_a_domain_serves_its_names_alone() -> None:
    names = ("example.org", "www.example.org")
    found = evidence("dns-txt-token", *names, value=None, domain_values={"example.org": VALUE})
    assert [one.problem for one in found] == [None, Problem.TOKEN_UNKNOWN]


def test_names_by_domain_object() -> None:
    validation = load("validation_dv_pending")
    assert domain_ids(validation, ["www.example.org", "api.example.org", "example.net"]) == {
        "50711": ["www.example.org", "api.example.org"]
    }
    assert domain_ids(validation, ["example.net"]) == {}
    assert domain_ids(None, ["example.org"]) == {}


def test_digicert_looks_by_itself_for_ten_days() -> None:
    info = load("info_pending")
    assert {one.polled_until for one in map_evidence(info, now=NOW)} == {"2099-03-11T10:00:00Z"}
    del info["date_created"]
    assert {one.polled_until for one in map_evidence(info, now=NOW)} == {None}

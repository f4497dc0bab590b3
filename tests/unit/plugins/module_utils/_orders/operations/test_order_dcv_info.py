# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""order_dcv_info: evidence of several orders in, what to publish out, with a provider that answers from a script."""

from __future__ import annotations

import functools
import json
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    OrderReference,
    RecordEvidence,
    Source,
    zone_from,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    OrderError,
    OrderNotFound,
    RateLimited,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Domain, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_dcv_info import order_dcv_info
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import (
    FakeProvider,
    register_fake,
)

KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _number in range(2))


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    register_fake(monkeypatch, tmp_path)


def run(*order_ids: str, check_mode: bool = False, zone_lookup: t.Any = None, **params: t.Any) -> dict[str, t.Any]:
    filled = {"provider": "fake", "username": "somebody", "password": "hunter2-hunter2", "order_ids": list(order_ids)}
    operation = functools.partial(order_dcv_info, zone_lookup=zone_lookup)
    result = perform(operation, {**filled, **params}, Runtime(environment={}, check_mode=check_mode))
    json.dumps(result, allow_nan=False)
    assert result["changed"] is False
    return result


def by_record(name: str, order_id: str = "1", value: str = "one", fqdn: str | None = None) -> NameEvidence:
    record = RecordEvidence("TXT", fqdn or f"_dnsauth.{name}", value)
    return NameEvidence(name, OrderReference("fake", order_id), "dns", "in_progress", source="provider", record=record)


def publish(**evidence: list[NameEvidence] | OrderError) -> None:
    FakeProvider.evidence.update({name.lstrip("n"): found for name, found in evidence.items()})


def order(order_id: str, *names: str, csr: str | None = None) -> None:
    domains = tuple(Domain(name) for name in names)
    FakeProvider.scripts[order_id] = [Order("fake", order_id, Status.VALIDATING, domains=domains, csr=csr)]
    FakeProvider.evidence[order_id] = [by_record(names[0], order_id)]


def make_csr(*names: str, key: ec.EllipticCurvePrivateKey = KEY) -> str:
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")


def given() -> list[tuple[str, t.Any]]:
    """The CSR and the unique value that the provider was given, by order."""
    return [(what[0], what[1:3]) for kind, what in FakeProvider.calls if kind == "evidence"]


def test_record_sets_are_merged_over_orders_and_have_their_zone() -> None:
    publish(n1=[by_record("a.example.org")], n2=[by_record("a.example.org", "2", "two")])
    result = run("1", "2", zones=["example.org", "org"])
    (record_set,) = result["record_sets"]
    assert (record_set["fqdn"], record_set["zone"], record_set["label"]) == (
        "_dnsauth.a.example.org",
        "example.org",
        "_dnsauth.a",
    )
    assert record_set["values"] == ["one", "two"]
    assert record_set["values_quoted"] == ['"one"', '"two"']
    assert [one["record_set"] for one in result["names"]] == [record_set] * 2
    assert (result["files"], result["emails"], result["unresolved"], result["requests_sent"]) == ([], [], [], 0)


def test_zones_that_are_given_are_not_looked_up() -> None:
    publish(n1=[by_record("a.example.org")])

    def look_up() -> t.NoReturn:
        raise AssertionError("DNS was asked")

    assert run("1", zones=["example.org"], zone_lookup=look_up)["record_sets"][0]["zone"] == "example.org"
    found = run("1", zone_lookup=lambda: zone_from(["a.example.org"]))
    assert found["record_sets"][0]["label"] == "_dnsauth"
    assert run("1")["record_sets"][0]["zone"] is None
    assert run("1")["record_sets"][0]["label"] is None


@pytest.mark.parametrize("zone", ["", "a b", "-", "example..org"])
def test_what_is_no_zone_is_refused_before_anything_is_asked(zone: str) -> None:
    result = run("1", zones=[zone])
    assert (result["error_kind"], FakeProvider.calls) == ("invalid_request", [])
    assert "is no name of a zone" in result["msg"]


def test_a_file_keeps_its_line_ends() -> None:
    content = "0ADB\r\nCOMODOCA.COM\r\nt0990"
    file = FileEvidence("http://example.org/.well-known/pki-validation/A.txt", content)
    publish(n1=[NameEvidence("example.org", OrderReference("fake", "1"), "http", source=Source.PROVIDER, file=file)])
    result = run("1")
    assert result["files"][0]["content"] == content
    assert result["names"][0]["file"]["content"] == content
    assert result["files"][0]["path"] == "/.well-known/pki-validation/A.txt"


def test_what_is_refused_is_unresolved() -> None:
    file = FileEvidence("http://example.net/.well-known/pki-validation/A.txt", "x")
    publish(n1=[NameEvidence("example.org", OrderReference("fake", "1"), "http", source=Source.PROVIDER, file=file)])
    result = run("1")
    assert (result["files"], result["names"][0]["file"]) == ([], None)
    assert result["unresolved"] == [
        {
            "name": "example.org",
            "provider": "fake",
            "order_id": "1",
            "problem": "evidence_refused",
            "message": "the file of example.org cannot stand on the host 'example.net'",
        }
    ]


def test_an_order_that_is_not_known_does_not_keep_the_others_from_being_returned() -> None:
    publish(n1=OrderNotFound("gone"), n2=[by_record("a.example.org", "2")])
    result = run("1", "2")
    assert (result["failed"], result["error_kind"], result["order_id"]) == (True, "not_found", "1")
    assert [one["order_id"] for one in result["names"]] == ["2"]


def test_check_mode_is_passed_on() -> None:
    publish(n1=[by_record("a.example.org")])
    run("1", check_mode=True)
    run("1")
    assert [what[3] for kind, what in FakeProvider.calls if kind == "evidence"] == [True, False]


def test_unique_values_go_to_their_orders() -> None:
    order("1", "a.example.org")
    order("2", "b.example.org")
    run("1", "2", unique_values={1: "t0827792001533920169"})
    run("2", unique_values={"2": ""})
    assert given() == [("1", (None, "t0827792001533920169")), ("2", (None, None)), ("2", (None, ""))]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"1": "a" * 21}, "order 1: unique_values: a unique value is 1 to 20 letters and digits"),
        ({"1": "with-hyphen"}, "order 1: unique_values: a unique value is 1 to 20 letters and digits"),
        ({"1": None}, "order 1: unique_values: a unique value is null"),
        ({"3": "abc"}, "order 3: unique_values has an order that order_ids does not name; it names 1, 2"),
        ({"x": "abc"}, "this is no order id of Fake"),
    ],
)
def test_unique_values_that_cannot_be_used_are_refused(values: t.Any, message: str) -> None:
    result = run("1", "2", unique_values=values)
    assert (result["error_kind"], FakeProvider.calls) == ("invalid_request", [])
    assert message in result["msg"]


# -- which CSR belongs to which order -----------------------------------------


def test_a_csr_belongs_to_the_order_with_its_key() -> None:
    first, second = make_csr("a.example.org"), make_csr("a.example.org", key=OTHER_KEY)
    order("1", "a.example.org", csr=first)
    order("2", "a.example.org", csr=second)
    run("1", "2", csr=[second, first])
    assert given() == [("1", (first, None)), ("2", (second, None))]


@pytest.mark.parametrize(
    ("in_csr", "in_order"),
    [
        (["example.org"], ["example.org", "www.example.org"]),
        (["example.org", "www.example.org"], ["EXAMPLE.org"]),
        (["*.example.org"], ["*.example.org", "example.org"]),
        (["b.example.org", "a.example.org"], ["a.example.org", "b.example.org"]),
    ],
)
def test_else_it_belongs_to_the_order_with_its_names(in_csr: list[str], in_order: list[str]) -> None:
    csr = make_csr(*in_csr)
    order("1", *in_order)
    order("2", "other.example.org")
    run("1", "2", csr=[csr.replace("\n", "\\n")])
    assert given() == [("1", (csr, None)), ("2", (None, None))]


def test_an_order_whose_csr_cannot_be_read_is_matched_by_its_names() -> None:
    order("1", "a.example.org", csr="garbage")
    csr = make_csr("a.example.org")
    run("1", csr=[csr])
    assert given() == [("1", (csr, None))]


@pytest.mark.parametrize("names", [["b.example.org"], ["a.example.org", "b.example.org"], ["*.example.org"]])
def test_a_csr_with_other_names_is_refused(names: list[str]) -> None:
    order("1", "a.example.org")
    result = run("1", csr=[make_csr(*names)])
    assert result["error_kind"] == "invalid_request"
    assert f"entry 1 of csr ({', '.join(names)}) belongs to none of the orders 1" in result["msg"]
    assert given() == []


def test_a_csr_with_another_key_is_refused() -> None:
    order("1", "a.example.org", csr=make_csr("a.example.org"))
    result = run("1", csr=[make_csr("a.example.org", key=OTHER_KEY)])
    assert (result["error_kind"], given()) == ("invalid_request", [])


def test_what_may_belong_to_two_orders_is_refused() -> None:
    order("1", "a.example.org")
    order("2", "a.example.org")
    assert "may belong to the orders 1, 2" in run("1", "2", csr=[make_csr("a.example.org")])["msg"]
    both = [make_csr("a.example.org"), make_csr("a.example.org", key=OTHER_KEY)]
    assert "may both belong to the order" in run("1", csr=both)["msg"]
    assert given() == []


def test_the_same_csr_twice_is_one() -> None:
    csr = make_csr("a.example.org")
    order("1", "a.example.org")
    run("1", csr=[csr, csr])
    assert given() == [("1", (csr, None))]


@pytest.mark.parametrize("csr", ["garbage", "", make_csr("a.example.org")[:200]])
def test_a_csr_that_is_none_is_refused_before_anything_is_asked(csr: str) -> None:
    result = run("1", csr=[csr])
    assert (result["error_kind"], FakeProvider.calls) == ("invalid_request", [])
    assert "entry 1 of csr cannot be used" in result["msg"]


def test_a_csr_may_be_of_the_order_that_cannot_be_had() -> None:
    order("1", "a.example.org")
    FakeProvider.scripts["2"] = [OrderNotFound("gone")]
    result = run("1", "2", csr=[make_csr("b.example.org")])
    assert result["error_kind"] == "not_found"
    assert [one["order_id"] for one in result["names"]] == ["1"]


@pytest.mark.parametrize("error", [AuthenticationError("no"), RateLimited("slow")])
def test_who_answers_nobody_now_is_not_asked_a_second_time(error: OrderError) -> None:
    order("1", "a.example.org")
    FakeProvider.scripts["2"] = [error]
    result = run("1", "2", csr=[make_csr("a.example.org")])
    assert (result["error_kind"], result["names"], given()) == (error.kind, [], [])


def test_without_cryptography_a_csr_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "CRYPTOGRAPHY_ERROR", ImportError("cryptography"))
    result = run("1", csr=[make_csr("a.example.org")])
    assert (result["error_kind"], FakeProvider.calls) == ("invalid_request", [])
    assert "cryptography is missing" in result["msg"]

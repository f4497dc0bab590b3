# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The neutral order as playbooks get it: its names and values are a promise to whoever wrote a condition on them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Blocker,
    Coverage,
    Domain,
    Order,
    OrderCertificate,
    Record,
    Reissue,
    Status,
    without_superseded,
)

WHOLE = Order(
    provider="digicert",
    order_id="12345",
    status=Status.VALIDATING,
    provider_status="pending",
    dcv_completed=False,
    # Not in the order in which people read them.
    checks={"caa": "unknown", "csr": "completed", "dcv": "in_progress"},
    domains=(
        Domain(
            name="www.example.com",
            status="in_progress",
            method="dns-txt",
            validated_until="2027-01-01T00:00:00Z",
            record=Record(type="TXT", name="_dnsauth.www.example.com", value="abc"),
        ),
        Domain(name="example.com"),
    ),
    blockers=(
        Blocker(
            check="dcv", subject="www.example.com", message="publish the record", url="https://provider.example/dcv"
        ),
    ),
    reason="on hold",
    action_urls={"dcv": "https://provider.example/dcv"},
    certificate=OrderCertificate(
        id="9", serial_number="0AB", not_before="2026-01-01T00:00:00Z", not_after="2026-02-17T00:00:00Z"
    ),
    ordered_at="2025-12-31T00:00:00Z",
    coverage=Coverage("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    reissue=Reissue(True, False, "10", "2026-02-01T00:00:00Z"),
    reference="shop-2026",
    auto_reissue=False,
    warnings=("a word that is not known",),
    raw={"id": 12345},
)


def issued(serial: str | None, **fields: t.Any) -> Order:
    certificate = OrderCertificate(serial_number=serial)
    return Order("fake", "1", Status.ISSUED, issued=True, dcv_completed=True, certificate=certificate, **fields)


def test_an_order_as_plain_data_has_the_promised_names() -> None:
    assert WHOLE.to_dict() == {
        "provider": "digicert",
        "order_id": "12345",
        "status": "validating",
        "provider_status": "pending",
        "issued": False,
        "final": False,
        "dcv_completed": False,
        "checks": {"csr": "completed", "dcv": "in_progress", "caa": "unknown"},
        "domains": [
            {
                "name": "www.example.com",
                "status": "in_progress",
                "method": "dns-txt",
                "validated_until": "2027-01-01T00:00:00Z",
                "record": {"type": "TXT", "name": "_dnsauth.www.example.com", "value": "abc"},
            },
            {"name": "example.com", "status": "unknown", "method": None, "validated_until": None, "record": None},
        ],
        "blockers": [
            {
                "check": "dcv",
                "subject": "www.example.com",
                "actor": "you",
                "message": "publish the record",
                "url": "https://provider.example/dcv",
            }
        ],
        "reason": "on hold",
        "action_urls": {"dcv": "https://provider.example/dcv"},
        "certificate": {
            "id": "9",
            "serial_number": "0AB",
            "not_before": "2026-01-01T00:00:00Z",
            "not_after": "2026-02-17T00:00:00Z",
        },
        "ordered_at": "2025-12-31T00:00:00Z",
        "coverage": {"starts": "2026-01-01T00:00:00Z", "ends": "2027-01-01T00:00:00Z"},
        "reissue": {
            "open": True,
            "ours": False,
            "certificate_id": "10",
            "requested_at": "2026-02-01T00:00:00Z",
        },
        "reference": "shop-2026",
        "auto_reissue": False,
        "warnings": ["a word that is not known"],
        "raw": None,
    }


def test_what_a_provider_does_not_report_is_null_and_never_missing() -> None:
    entry = Order("fake", "1", Status.ISSUED).to_dict()
    assert entry["coverage"] == {"starts": None, "ends": None}
    assert set(entry["reissue"]) == {"open", "ours", "certificate_id", "requested_at"}
    assert {*entry["reissue"].values(), entry["reference"], entry["auto_reissue"]} == {None}


def test_checks_come_in_the_order_in_which_people_read_them() -> None:
    assert list(WHOLE.to_dict()["checks"]) == ["csr", "dcv", "caa"]


def test_plain_data_can_be_changed_without_changing_the_order() -> None:
    entry = WHOLE.to_dict()
    entry["action_urls"]["caa"] = entry["checks"]["brand"] = "x"
    assert WHOLE.to_dict()["action_urls"] == {"dcv": "https://provider.example/dcv"}
    assert "brand" not in WHOLE.checks


@pytest.mark.parametrize("status", sorted(Status.ALL))
def test_an_order_is_final_when_it_has_ended_or_can_be_collected(status: str) -> None:
    assert Order("fake", "1", status).final is (status in Status.ENDED)
    assert Order("fake", "1", status, issued=True).final is True


@pytest.mark.parametrize("serials", [[], [""], ["00"], ["DEF"]])
def test_a_certificate_that_is_not_superseded_counts(serials: list[str]) -> None:
    order = issued("ABC")
    assert without_superseded(order, serials) is order


def test_the_superseded_certificate_is_waited_out_at_the_provider() -> None:
    before = Blocker("brand", "an old one")
    order = without_superseded(issued("0a:bc", blockers=(before,)), ["abc"])
    assert (order.issued, order.final, order.dcv_completed) == (False, False, None)
    assert order.blockers == (
        before,
        Blocker(
            check="reissue",
            actor="provider",
            message="the certificate with serial number ABC is the previous one; the reissue is not there yet",
        ),
    )
    assert order.warnings == ()


def test_a_certificate_without_a_serial_cannot_be_distinguished_from_the_superseded_one() -> None:
    order = without_superseded(issued(None, warnings=("before",)), ["ABC"])
    assert (order.issued, order.final, order.dcv_completed) == (False, False, None)
    assert order.warnings == (
        "before",
        "the serial number of the certificate is not known, so it cannot be distinguished from the superseded one",
    )
    assert order.blockers == ()


def test_an_order_without_a_certificate_has_nothing_superseded() -> None:
    order = Order("fake", "1", Status.VALIDATING, certificate=OrderCertificate(serial_number="ABC"))
    assert without_superseded(order, ["ABC"]) is order

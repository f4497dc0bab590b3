# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sectigo's words: each line of section 5 of its fact sheet, from stored bodies to an order, without any transport."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import drop_personal
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Coverage, Order, Reissue, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo import INFO
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.body import read_reply
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.mapping import (
    map_order,
    map_summary,
    with_names,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.sectigo.stored import (
    ORDER,
    body,
)

#: Field, check, and what the check is where the field is missing.
CHECKS = [
    ("csrStatus", "csr", "unknown"),
    ("dcvStatus", "dcv", "unknown"),
    ("ovCallBackStatus", "phone_callback", "unknown"),
    ("organizationValidationStatus", "organization", "unknown"),
    ("freeDVUPStatus", "dv_upgrade", "unknown"),
    ("evClickThroughStatus", "ev_click_through", "not_applicable"),
    ("caaStatus", "caa", "unknown"),
    ("brandValStatus", "brand", "not_applicable"),
]


def read(text: str) -> t.Any:
    return read_reply(Response(200, text.encode()))


def map_text(text: str, order_id: str = ORDER) -> Order:
    """The order that a body describes."""
    return map_order(read(text), order_id)


def test_a_pending_order() -> None:
    order = map_text(body("pending.txt"))
    assert (order.status, order.provider_status, order.issued, order.final) == (
        "validating",
        "Awaiting Validation",
        False,
        False,
    )
    assert order.checks == {
        "csr": "completed",
        "dcv": "in_progress",
        "organization": "not_applicable",
        "phone_callback": "not_applicable",
        "ev_click_through": "not_applicable",
        "caa": "not_completed",
        "brand": "not_applicable",
        "dv_upgrade": "not_applicable",
    }
    assert order.dcv_completed is False
    assert [(domain.name, domain.status) for domain in order.domains] == [("www.example.org", "in_progress")]
    assert [(blocker.check, blocker.subject, blocker.actor) for blocker in order.blockers] == [
        ("dcv", "www.example.org", "you"),
        ("caa", None, "you"),
    ]
    assert order.ordered_at == "2026-03-01T10:20:00Z"
    assert (order.reason, order.warnings, order.certificate.serial_number) == (None, (), None)
    assert order.raw["1_orderStatusReason"] == ""


def test_an_issued_order() -> None:
    order = map_text(body("issued.txt"))
    assert (order.status, order.issued, order.final, order.dcv_completed) == ("issued", True, True, True)
    assert order.certificate.serial_number == "AB12CD34"
    assert order.certificate.not_before == "2026-03-01T00:00:00Z"
    assert order.certificate.not_after == "2026-09-16T23:59:59Z"
    assert order.blockers == ()


@pytest.mark.parametrize(
    ("status_text", "status", "reason"),
    [
        ("Awaiting Validation (Brand)", "validating", None),
        (" awaiting  validation ", "validating", None),
        ("Pending", "validating", None),
        ("Valid", "issued", None),
        ("VALID", "issued", None),
        ("Issued", "issued", None),
        ("Issued but not yet collected", "issued", None),
        ("PRE-SIGN FAILED", "failed", None),
        ("PRE-SIGN FAILED!!!", "failed", None),
        ("PRE-SIGN FAILED: CAA record forbids", "failed", "CAA record forbids"),
        ("Pre-Sign Failed - no key", "failed", "no key"),
        ("POST-SIGN FAILED", "failed", None),
        ("POST-SIGN FAILED: lint", "failed", "lint"),
        ("Rejected", "rejected", None),
        ("Rejected: on a deny list", "rejected", "on a deny list"),
        ("Revoked", "revoked", None),
        ("Replaced", "replaced", None),
        ("Expired", "expired", None),
        ("Under Cosmic Review", "unknown", None),
        ("Not Valid", "unknown", None),
        ("Invalid", "unknown", None),
        ("Issued?", "unknown", None),
    ],
)
def test_each_status_text(status_text: str, status: str, reason: str | None) -> None:
    order = map_text(body("pending.txt", x1_1_certificateStatus=status_text))
    assert (order.status, order.reason) == (status, reason)
    assert order.provider_status == status_text.strip()
    assert order.issued is (status == "issued")
    assert order.final is (status in Status.ENDED or status == "issued")
    assert bool(order.warnings) is (status == "unknown")
    if status == "unknown":
        assert status_text in order.warnings[0]


def test_an_unknown_text_is_no_success_though_a_serial_is_there() -> None:
    order = map_text(body("issued.txt", x1_1_certificateStatus="Under Cosmic Review"))
    assert (order.status, order.issued, order.final) == ("unknown", False, False)


def test_the_text_of_the_order_counts_only_when_the_certificate_has_none() -> None:
    pending = body("pending.txt", x1_1_certificateStatus="")
    assert (map_text(pending).status, map_text(pending).provider_status) == ("validating", "Pending")
    assert map_text(body("pending.txt", x1_orderStatus="Odd")).status == "validating"
    assert map_text(body("pending.txt", x1_1_certificateStatus="", x1_orderStatus="Odd")).status == "unknown"


def test_without_any_text_the_serial_shows_whether_it_is_issued() -> None:
    silent = {"x1_1_certificateStatus": None, "x1_orderStatus": None}
    assert map_text(body("issued.txt", **silent)).status == "issued"
    order = map_text(body("pending.txt", **silent))
    assert (order.status, order.issued, len(order.warnings)) == ("unknown", False, 1)


def test_it_is_issuing_when_every_known_check_is_closed() -> None:
    order = map_text(body("pending.txt", x1_1_dcvStatus="1", x1_1_caaStatus="-1"))
    assert (order.status, order.dcv_completed, order.issued, order.blockers) == ("issuing", True, False, ())


def test_it_is_validating_when_no_check_is_known() -> None:
    without = {"x1_1_" + key: None for key, _check, _missing in CHECKS}
    order = map_text(body("pending.txt", **without))
    assert (order.status, order.dcv_completed) == ("validating", None)
    assert {name for name, state in order.checks.items() if state == "not_applicable"} == {"ev_click_through", "brand"}
    assert set(order.checks.values()) == {"not_applicable", "unknown"}


def test_a_brand_review_is_a_check_of_the_providers() -> None:
    order = map_text(body("pending.txt", x1_1_certificateStatus="Awaiting Validation (Brand)", x1_1_dcvStatus="1"))
    assert order.checks["brand"] == "in_progress"
    assert ("brand", "provider") in [(blocker.check, blocker.actor) for blocker in order.blockers]


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("-1", "not_applicable"),
        ("0", "not_completed"),
        ("1", "completed"),
        ("2", "in_progress"),
        ("7", "unknown"),
        ("done", "unknown"),
        ("-20", "unknown"),
        ("", "missing"),
    ],
)
@pytest.mark.parametrize(
    ("key", "check", "missing"),
    CHECKS,
)
def test_each_check(key: str, check: str, missing: str, value: str, state: str) -> None:
    order = map_text(body("pending.txt", **{"x1_1_" + key: value}))
    assert order.checks[check] == (missing if state == "missing" else state)
    assert len(order.warnings) == (state == "unknown")
    assert all(value in warning and key.lower() in warning.lower() for warning in order.warnings)


@pytest.mark.parametrize(
    ("status_text", "value", "completed"),
    [
        ("Awaiting Validation", "1", True),
        ("Awaiting Validation", "-1", True),
        ("Awaiting Validation", "0", False),
        ("Awaiting Validation", "2", False),
        ("Awaiting Validation", None, None),
        ("Awaiting Validation", "7", None),
        ("Valid", None, True),
        ("Valid", "0", True),
        ("Rejected", "0", False),
    ],
)
def test_dcv_completed(status_text: str, value: str | None, completed: bool | None) -> None:
    order = map_text(body("pending.txt", x1_1_certificateStatus=status_text, x1_1_dcvStatus=value))
    assert order.dcv_completed is completed


def test_the_reason_is_read_wherever_it_stands() -> None:
    rejected = {"x1_1_certificateStatus": "Rejected", "x1_1_certificateStatusReason": "Deny list"}
    assert map_text(body("pending.txt", **rejected)).reason == "Deny list"
    assert (
        map_text(body("pending.txt", x1_1_certificateStatus="Rejected", x1_orderStatusReason="Fraud")).reason == "Fraud"
    )


def test_a_caa_refusal_can_be_repaired_and_shows_how() -> None:
    order = map_text(body("pending.txt", x1_1_certificateStatus="PRE-SIGN FAILED: CAA not authorised"))
    assert [(blocker.check, blocker.actor) for blocker in order.blockers] == [("caa", "you")]
    assert "!RetryCAACheck" in order.blockers[0].message
    assert map_text(body("pending.txt", x1_1_certificateStatus="PRE-SIGN FAILED: weak key")).blockers == ()


@pytest.mark.parametrize(
    ("code", "status", "check"),
    [
        ("-20", "rejected", None),
        ("-21", "revoked", None),
        ("-22", "action_required", "payment"),
        ("-26", "issuing", None),
    ],
)
def test_a_code_may_show_where_the_order_stands(code: str, status: str, check: str | None) -> None:
    order = map_text(f"errorCode={code}&errorMessage=As+it+is")
    assert (order.status, order.provider_status, order.reason, order.issued) == (status, code, "As it is", False)
    assert [blocker.check for blocker in order.blockers] == ([check] if check else [])


def test_the_replacement_counts_and_the_replaced_order_is_shown() -> None:
    order = map_text(body("replaced.txt"))
    assert (order.order_id, order.status, order.dcv_completed) == (ORDER, "validating", False)
    assert order.certificate.serial_number is None
    assert order.ordered_at == "2026-04-02T08:05:00Z"
    assert "830045512 (Replaced)" in order.warnings[0] and "830051977 (Awaiting Validation)" in order.warnings[0]


def test_replaced_without_a_newer_order_is_the_end() -> None:
    order = map_text(body("issued.txt", x1_1_certificateStatus="Replaced"))
    assert (order.status, order.issued, order.final) == ("replaced", False, True)


@pytest.mark.parametrize("date", [None, "", "2026-04-01 9:20", "soon"])
def test_a_replacement_without_a_date_is_the_newest_all_the_same(date: str | None) -> None:
    order = map_text(body("replaced.txt", x1_1_certificateStatus="Valid", x2_orderDateTime=date))
    assert (order.status, order.issued) == ("validating", False)


def test_the_newest_counts_when_all_are_replaced_or_revoked() -> None:
    order = map_text(body("replaced.txt", x2_1_certificateStatus="Revoked", x2_orderDateTime="2025-01-01 00:00"))
    assert (order.status, order.dcv_completed) == ("replaced", True)


def test_the_highest_number_counts_among_orders_of_the_same_minute() -> None:
    order = map_text(body("replaced.txt", x2_orderDateTime="2026-03-01 10:20", x1_1_certificateStatus="Valid"))
    assert order.status == "validating"


def test_the_newest_does_not_count_when_it_is_revoked_and_another_is_not() -> None:
    assert map_text(body("replaced.txt", x1_1_certificateStatus="Valid", x2_1_certificateStatus="Revoked")).issued


def test_an_order_without_a_date_is_no_newer_than_one_with_a_date() -> None:
    assert map_text(body("replaced.txt", x1_orderDateTime=None, x1_1_certificateStatus="Valid")).status == "validating"


def test_keys_come_in_any_order_and_numbers_above_nine() -> None:
    order = map_text(body("shuffled.txt"))
    assert order.collect_id == "830059999"
    assert (order.status, order.checks["dcv"], order.ordered_at) == (
        "validating",
        "not_completed",
        "2026-06-01T08:05:00Z",
    )
    assert [domain.name for domain in order.domains] == ["www.example.org", "eleven.example.org"]
    assert re.findall("[(]([A-Z][a-z]+)", order.warnings[0]) == ["Replaced", "Replaced", "Awaiting"]


def test_the_certificate_that_is_not_replaced_counts_within_an_order() -> None:
    second = {"x1_2_certificateStatus": "Replaced", "x1_2_serialNumber": "0F"}
    order = map_text(body("issued.txt", **second))
    assert (order.status, order.certificate.serial_number) == ("issued", "AB12CD34")
    second["x1_2_certificateStatus"] = "Valid"
    assert map_text(body("issued.txt", **second)).certificate.serial_number == "F"


def test_odd_values_do_no_harm() -> None:
    order = map_text(body("odd_values.txt"))
    assert (order.status, order.certificate.serial_number, order.checks["dcv"]) == ("issued", "A", "unknown")
    assert [domain.name for domain in order.domains] == ["b%zzd.example.org", "\ufffd.example.org", "www.example.org"]
    assert order.certificate.not_after is None


def test_an_issued_order_may_come_without_a_name() -> None:
    assert map_text(body("issued.txt", x1_1_FQDN="")).domains == ()


def test_durations_before_issuance_are_no_dates() -> None:
    order = map_text(body("mark_certificate.txt"))
    assert (order.certificate.not_before, order.certificate.not_after) == (None, None)
    assert (order.checks["ev_click_through"], order.dcv_completed) == ("in_progress", None)
    assert [domain.name for domain in order.domains] == ["a.example.net", "b.example.net"]


def test_raw_is_the_body_as_it_came_and_personal_data_are_known_by_their_fields() -> None:
    order = map_text(body("odd_values.txt"))
    assert order.raw == read(body("odd_values.txt")).fields
    clean, left_out = drop_personal(order.raw, INFO.personal)
    assert not re.search("someone|Some|1Z999|12345", repr(clean))
    assert "1_1_shippingEmail" in left_out and "1_telephoneNumber" in left_out


def test_json_with_the_same_flat_keys_is_accepted() -> None:
    order = map_text(body("status.json"))
    assert (order.status, order.checks["dcv"], order.domains[0].name) == (
        "validating",
        "in_progress",
        "www.example.org",
    )


def test_a_mapping_needs_nothing_but_the_reply() -> None:
    assert map_order(read(body("pending.txt"))).order_id == ORDER


# -- the number to collect by ----------------------------------------------------------------


def test_a_replacement_is_collected_by_its_own_number() -> None:
    assert map_text(body("replaced.txt")).collect_id == "830051977"
    assert map_text(body("issued.txt")).collect_id is None
    # Without a number of its own, the one that was requested is all there is.
    assert map_text(body("replaced.txt", x2_orderNumber=None)).collect_id is None


# -- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("product", "fqdn", "names"),
    [
        ("PositiveSSL", "intranet", ["intranet"]),
        ("Multi-Domain SSL", "intranet, mail", ["intranet", "mail"]),
        ("PositiveSSL", "a.example.org b.example.org", ["a.example.org", "b.example.org"]),
        ("PositiveSSL", "a.example.org\r\nb.example.org\n", ["a.example.org", "b.example.org"]),
        ("PositiveSSL", "2001:db8::10,192.0.2.7", ["2001:db8::10", "192.0.2.7"]),
        ("", "2001:db8::10", ["2001:db8::10"]),
        ("", "intranet", ["intranet"]),
        ("", "Example, Inc.", []),
        ("", "Example Ltd", []),
        ("", "someone@example.org", []),
        ("Code Signing", "Example, Inc.", []),
        ("Code Signing", "example.org", []),
        ("Personal Authentication (S/MIME)", "someone@example.org", []),
        ("Common Mark Certificate", "a.example.net,b.example.net", ["a.example.net", "b.example.net"]),
    ],
)
def test_names_are_read_by_product_and_by_field(product: str, fqdn: str, names: list[str]) -> None:
    order = map_text(body("issued.txt", x1_1_objectType=product, x1_1_FQDN=fqdn))
    assert [domain.name for domain in order.domains] == names
    row = read(f"errorCode=0&1_orderNumber=1&1_1_type={product}&1_1_domain={fqdn.replace(' ', '+')}&1_1_status=Pending")
    summary = map_summary(row.entries[0]).order
    assert summary is not None and [domain.name for domain in summary.domains] == names


def test_names_are_in_lower_case_whatever_sectigo_wrote() -> None:
    order = map_text(body("pending.txt", x1_1_FQDN="WWW.Example.org"))
    assert [domain.name for domain in order.domains] == ["www.example.org"]
    rows = (
        "errorCode=0&1_domainName=WWW.EXAMPLE.org&1_dcvStatus=Validated&2_domainName=Example.ORG&2_dcvStatus=Validated"
    )
    found = [(domain.name, domain.status) for domain in with_names(order, read(rows)).domains]
    assert found == [("www.example.org", "completed"), ("example.org", "completed")]


def test_a_mail_address_among_the_rows_of_names_is_no_domain() -> None:
    order = map_text(body("multi_domain.txt"))
    rows = (
        "errorCode=0&1_domainName=example.org&1_dcvStatus=Validated&2_domainName=a%40example.org&2_dcvStatus=Validated"
    )
    assert [domain.name for domain in with_names(order, read(rows)).domains] == ["example.org", "www.example.org"]


def test_a_replacement_within_the_order_and_what_was_paid_for() -> None:
    order = map_text(body("replacement_within.txt"))
    assert order.coverage == Coverage("2026-03-01T00:00:00Z", "2027-02-28T23:59:59Z")
    # Such a replacement has no time of its own.
    assert (order.status, order.reissue) == ("validating", Reissue(open=True))


def test_a_replacement_that_is_an_order_of_its_own_has_its_time() -> None:
    order = map_text(body("replaced.txt"))
    assert order.reissue == Reissue(open=True, requested_at="2026-04-02T08:05:00Z")
    assert order.coverage == Coverage()


@pytest.mark.parametrize("name", ["pending.txt", "issued.txt", "mark_certificate.txt"])
def test_the_first_certificate_is_no_reissue(name: str) -> None:
    order = map_text(body(name))
    assert order.reissue == Reissue(open=False)
    assert (order.reference, order.auto_reissue) == (None, None)


@pytest.mark.parametrize(
    ("value", "ends"),
    [
        ("1803859199", "2027-02-28T23:59:59Z"),
        ("2027-02-28", "2027-02-28T00:00:00Z"),
        ("", None),
        ("0", None),
        ("soon", None),
    ],
)
def test_the_end_of_the_term_comes_as_a_number_or_as_a_date(value: str, ends: str | None) -> None:
    text = body("replacement_within.txt").replace("1803859199", value)
    assert map_text(text).coverage.ends == ends

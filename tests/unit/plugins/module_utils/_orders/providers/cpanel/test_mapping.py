# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cPanel's words: each line of section 5 of its fact sheet, from stored bodies to an order, without any transport."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import drop_personal
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Coverage, Order, Reissue
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel import INFO
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel.mapping import (
    map_order,
    map_summary,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.cpanel.stored import (
    CHECKS,
    ITEM,
    PROCESSING,
    Body,
    body,
    details,
    queue_of,
)


def map_bodies(available: Body, checks: Body, queue: Body | None = None) -> Order:
    """The order that these bodies describe; a refused call about checks is none."""
    available, checks = available.get("result", available), checks.get("result", checks)
    items = [item for item in (queue or {"data": []})["data"] if str(item["order_item_id"]) == ITEM]
    return map_order(
        available["data"], checks["data"] if checks["status"] else None, items[-1] if items else None, ITEM
    )


def test_the_published_sample() -> None:
    order = map_bodies(PROCESSING, body("details_published_sample"))
    assert (order.status, order.dcv_completed, order.checks["brand"]) == ("validating", False, "in_progress")
    assert [(domain.name, domain.status) for domain in order.domains] == [("www.example.com", "not_completed")]
    assert (order.checks["organization"], order.checks["dcv"]) == ("not_applicable", "not_completed")
    assert ("brand", "provider") in [(blocker.check, blocker.actor) for blocker in order.blockers]


def test_a_pending_order() -> None:
    order = map_bodies(PROCESSING, details("details_pending"))
    assert (order.provider, order.order_id, order.status, order.provider_status) == (
        "cpanel",
        ITEM,
        "validating",
        "not-completed",
    )
    assert (order.issued, order.final, order.dcv_completed, order.warnings) == (False, False, False, ())
    assert [(domain.name, domain.status) for domain in order.domains] == [
        ("shop.example.org", "completed"),
        ("www.shop.example.org", "not_completed"),
    ]
    assert [(blocker.check, blocker.subject, blocker.actor) for blocker in order.blockers] == [
        ("dcv", "www.shop.example.org", "provider")
    ]


def test_an_issued_order() -> None:
    order = map_bodies(body("available_issued"), details(certificateStatus="completed"))
    assert (order.status, order.issued, order.final, order.dcv_completed) == ("issued", True, True, True)
    assert order.certificate.serial_number == "AB12CD34"
    assert order.certificate.not_before == "2026-03-01T00:00:00Z"
    assert order.certificate.not_after == "2046-09-16T23:59:59Z"
    assert (order.blockers, order.warnings) == ((), ())


def test_a_certificate_that_cannot_be_read_is_issued_with_a_warning() -> None:
    order = map_bodies(body("available_issued", certificate_pem="MII…"), body("gone"))
    assert (order.status, order.issued, order.certificate.serial_number) == ("issued", True, None)
    assert len(order.warnings) == 1 and "cannot be read" in order.warnings[0]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("OrderCanceled", "canceled"),
        ("OrderItemCanceled", "canceled"),
        ("ordercanceled ", "canceled"),
        ("CA:rejected", "rejected"),
        ("CA:revoked", "revoked"),
        ("RequiresApproval", "action_required"),
        ("CA:pondering", "unknown"),
        ("Anything", "unknown"),
    ],
)
@pytest.mark.parametrize("name", ["details_empty", "details_complete", "details_pending", "gone"])
def test_a_code_of_the_store_goes_before_the_checks(code: str, status: str, name: str) -> None:
    order = map_bodies(body("available_processing", status_code=code, status_message="Because"), body(name))
    assert (order.status, order.provider_status, order.reason) == (status, code.strip(), "Because")
    assert order.issued is False
    assert order.final is (status not in ("action_required", "unknown"))
    assert [word for word in order.warnings if code in word] == list(order.warnings)
    assert bool(order.warnings) is (status == "unknown")


def test_a_revoked_certificate_is_not_issued() -> None:
    order = map_bodies(body("available_issued", status_code="CA:revoked"), body("gone"))
    assert (order.status, order.issued) == ("revoked", False)


def test_no_checks_are_reported_once_the_details_are_gone() -> None:
    assert map_bodies(body("available_issued"), body("gone")).checks == {"dcv": "completed"}
    assert map_bodies(body("available_issued"), body("details_empty")).checks == {"dcv": "completed"}
    assert map_bodies(body("available_rejected"), body("gone")).checks == {}
    canceled = body("available_processing", status_code="OrderCanceled")
    assert map_bodies(canceled, body("details_empty")).checks == {}
    assert set(map_bodies(canceled, body("details_pending")).checks) == {name for _key, name in CHECKS}


def test_an_issued_order_whose_details_do_not_report_dcv_has_passed_it() -> None:
    order = map_bodies(body("available_issued"), details(dcvStatus=None))
    assert (order.dcv_completed, order.checks["dcv"], order.checks["csr"]) == (True, "completed", "completed")


def test_a_certificate_goes_before_any_other_code() -> None:
    assert map_bodies(body("available_issued", status_code="CertificateNotFound"), body("gone")).issued


def test_an_order_that_was_rejected_keeps_the_reason() -> None:
    order = map_bodies(body("available_rejected"), body("details_pending"))
    assert (order.status, order.reason, order.blockers) == ("rejected", "Domain is on a deny list", ())


def test_a_review_by_the_store_needs_a_person() -> None:
    order = map_bodies(body("available_processing", status_code="RequiresApproval"), body("details_empty"))
    assert [(blocker.check, blocker.actor) for blocker in order.blockers] == [("approval", "you")]


@pytest.mark.parametrize("code", [None, "", "CertificateNotFound"])
def test_without_details_and_code_it_is_validating_and_nothing_is_known(code: str | None) -> None:
    order = map_bodies(body("available_processing", status_code=code), body("details_empty"), queue_of())
    assert (order.status, order.issued, order.dcv_completed) == ("validating", False, None)
    assert set(order.checks.values()) == {"unknown"}
    assert order.warnings == ()


@pytest.mark.parametrize("certificate", ["in-progress", "not-completed", "completed", None])
def test_it_is_issuing_when_all_is_done_but_the_certificate(certificate: str | None) -> None:
    order = map_bodies(PROCESSING, details(certificateStatus=certificate))
    assert (order.status, order.issued, order.final, order.dcv_completed) == ("issuing", False, False, True)


def test_the_certificate_alone_can_say_that_all_is_done() -> None:
    words = {"status_details": {"certificateStatus": "completed"}, "domain_details": []}
    assert map_bodies(PROCESSING, body("details_complete", **words)).status == "issuing"
    words["status_details"] = {"certificateStatus": "in-progress"}
    assert map_bodies(PROCESSING, body("details_complete", **words)).status == "validating"


def test_an_unknown_word_for_the_certificate_is_an_unknown_status() -> None:
    order = map_bodies(PROCESSING, details(certificateStatus="Awaiting something new"))
    assert (order.status, order.provider_status, order.final) == ("unknown", "Awaiting something new", False)
    assert "Awaiting something new" in order.warnings[0]


@pytest.mark.parametrize("key", [key for key, _check in CHECKS] + ["validationStatus"])
@pytest.mark.parametrize("state", ["not-completed", "in-progress"])
def test_any_open_check_is_validating(key: str, state: str) -> None:
    assert map_bodies(PROCESSING, details(**{key: state})).status == "validating"


@pytest.mark.parametrize("state", ["NOTVALIDATED", "AWAITINGBRAND", "SOMETHING", ""])
def test_any_name_that_is_not_validated_is_validating(state: str) -> None:
    order = map_bodies(PROCESSING, details("details_complete", "VALIDATED", state))
    assert order.status == "validating"
    # A word that is not known is shown, with the name that it is about.
    odd = [warning for warning in order.warnings if order.domains[1].name in warning and "SOMETHING" in warning]
    assert len(odd) == (state == "SOMETHING")


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("not applicable", "not_applicable"),
        ("not-applicable", "not_applicable"),
        ("NOT APPLICABLE", "not_applicable"),
        ("not-completed", "not_completed"),
        ("Completed", "completed"),
        ("in-progress", "in_progress"),
        ("pondering", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
@pytest.mark.parametrize(("key", "check"), CHECKS)
def test_each_check(key: str, check: str, value: str | None, state: str) -> None:
    order = map_bodies(PROCESSING, details("details_complete", "VALIDATED", "VALIDATED", **{key: value}))
    assert order.checks[check] == state
    assert len(order.warnings) == (value == "pondering")
    assert all("pondering" in warning for warning in order.warnings)
    assert set(order.checks) == {name for _key, name in CHECKS}


def test_the_other_spelling_of_the_call_back_is_understood() -> None:
    order = map_bodies(PROCESSING, details(ovCallbackStatus=None, ovCallBackStatus="in-progress"))
    assert order.checks["phone_callback"] == "in_progress"


@pytest.mark.parametrize(
    ("dcv", "statuses", "completed", "check"),
    [
        ("completed", ("VALIDATED", "VALIDATED"), True, "completed"),
        ("completed", ("validated", " Validated "), True, "completed"),
        ("not applicable", ("VALIDATED", "VALIDATED"), True, "not_applicable"),
        ("completed", (), True, "completed"),
        ("not-applicable", (), True, "not_applicable"),
        ("completed", ("VALIDATED", "AWAITINGBRAND"), False, "not_completed"),
        ("completed", ("VALIDATED", "NOTVALIDATED"), False, "not_completed"),
        ("completed", ("VALIDATED", "SOMETHING"), None, "unknown"),
        ("not-completed", ("VALIDATED", "VALIDATED"), False, "not_completed"),
        ("in-progress", ("VALIDATED", "NOTVALIDATED"), False, "in_progress"),
        ("in-progress", (), False, "in_progress"),
        (None, ("VALIDATED", "VALIDATED"), None, "unknown"),
        (None, ("VALIDATED", "NOTVALIDATED"), False, "not_completed"),
        ("pondering", (), None, "unknown"),
    ],
)
def test_dcv_completed(dcv: t.Any, statuses: tuple[str, ...], completed: bool | None, check: str) -> None:
    checks = details("details_complete", *statuses, dcvStatus=dcv)
    if not statuses:
        checks["data"]["domain_details"] = []
    order = map_bodies(PROCESSING, checks)
    assert (order.dcv_completed, order.checks["dcv"]) == (completed, check)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"domain": "a.example.org", "status": "VALIDATED"}, ["a.example.org"]),
        ([{"domain": "a.example.org", "status": "VALIDATED"}], ["a.example.org"]),
        ([], []),
        ({}, []),
        (None, []),
        ("odd", []),
        ([None, "odd", {"status": "VALIDATED"}, {"domain": 7, "status": []}], ["7"]),
    ],
)
def test_names_come_as_an_object_an_array_or_not_at_all(given: t.Any, names: list[str]) -> None:
    order = map_bodies(PROCESSING, body("details_complete", domain_details=given))
    assert [domain.name for domain in order.domains] == names


@pytest.mark.parametrize("key", ["actionUrls", "action_urls"])
def test_links_are_not_states(key: str) -> None:
    checks = body("details_ev")
    checks["data"][key] = checks["data"].pop("action_urls")
    order = map_bodies(PROCESSING, checks)
    # The second link is none that a browser should be sent to.
    assert order.action_urls == {"ev_click_through": "https://store.example.org/action/agreement"}
    assert (order.checks["ev_click_through"], order.checks["phone_callback"]) == ("in_progress", "not_completed")
    links = {blocker.check: blocker.url for blocker in order.blockers}
    assert links["ev_click_through"] == "https://store.example.org/action/agreement"
    assert links["phone_callback"] is None


@pytest.mark.parametrize("name", ["details_empty", "details_unmoved"])
def test_an_unpaid_item_needs_a_person(name: str) -> None:
    order = map_bodies(PROCESSING, body(name), queue_of(status="unconfirmed"))
    assert (order.status, order.provider_status, order.final) == ("action_required", "unconfirmed", False)
    assert (order.blockers[0].check, order.blockers[0].actor, order.blockers[0].url) == (
        "payment",
        "you",
        "https://store.example.org/checkout/9000017",
    )
    assert "not paid" in order.blockers[0].message


@pytest.mark.parametrize(
    ("changes", "status"), [({"expired": 1}, "expired"), ({"status": "unconfirmed"}, "action_required")]
)
@pytest.mark.parametrize(
    "checks",
    [
        details("details_complete"),
        details("details_complete", dcvStatus="in-progress"),
        details("details_complete", certificateStatus="something new"),
    ],
)
def test_the_queue_goes_before_the_checks(changes: Body, status: str, checks: Body) -> None:
    """Section 5, first match wins: payment and expiry stand before what the checks say."""
    assert map_bodies(PROCESSING, checks, queue_of(**changes)).status == status


@pytest.mark.parametrize(
    ("given", "dcv_completed"),
    [
        ([{"domain": "a.example", "status": "VALIDATED"}, {"status": "NOTVALIDATED"}], False),
        ({"status": "NOTVALIDATED"}, False),
        ([{"domain": "a.example", "status": "VALIDATED"}, "b.example"], None),
        (
            [{"domain": "a.example", "status": "NOTVALIDATED"}, {"domain": "a.example", "status": "VALIDATED"}],
            False,
        ),
    ],
)
def test_an_entry_about_no_name_or_about_a_name_twice_is_not_passed_over(given: t.Any, dcv_completed: t.Any) -> None:
    checks = details("details_complete")
    checks["data"]["domain_details"] = given
    order = map_bodies(PROCESSING, checks)
    assert (order.status, order.dcv_completed) == ("validating", dcv_completed)


@pytest.mark.parametrize("given", [0, "0", "null", True, {}, ["x"]])
def test_what_is_no_certificate_is_not_taken_for_one(given: t.Any) -> None:
    order = map_bodies(body("available_processing", certificate_pem=given), details())
    assert not order.issued
    assert order.status == "issuing"


@pytest.mark.parametrize("code", ["ItemNotFound", "Item::NotFound"])
def test_a_certificate_goes_before_a_code(code: str) -> None:
    assert map_bodies(body("available_issued", status_code=code), body("gone")).issued


def test_a_name_that_is_not_validated_is_reported_though_the_certificate_is_revoked() -> None:
    checks = details("details_complete", "NOTVALIDATED")
    checks["data"]["status_details"] = {}
    order = map_bodies(body("available_processing", status_code="CA:revoked"), checks)
    assert (order.status, order.dcv_completed) == ("revoked", False)


def test_the_store_may_go_on_reporting_checks_when_the_item_has_expired() -> None:
    order = map_bodies(body("available_processing", status_code="CertificateNotFound"), details(), queue_of(expired=1))
    assert order.status == "expired"


@pytest.mark.parametrize("expired", [1, "1", True])
@pytest.mark.parametrize("code", [None, "CertificateNotFound"])
def test_an_expired_item(expired: t.Any, code: str | None) -> None:
    order = map_bodies(body("available_processing", status_code=code), body("gone"), queue_of(expired=expired))
    assert (order.status, order.final) == ("expired", True)
    assert not map_bodies(PROCESSING, body("gone"), queue_of(expired=0)).final


def test_what_the_queue_reported_last_counts_when_the_store_reports_nothing() -> None:
    links = {"ovCallbackStatus": "https://store.example.org/call"}
    item = queue_of(last_status_message="In review", last_action_urls=links)
    order = map_bodies(body("available_processing", status_message=None), body("gone"), item)
    assert (order.reason, order.action_urls) == ("In review", {"phone_callback": "https://store.example.org/call"})


def test_a_hold_in_the_queue_links_to_the_stores_support() -> None:
    held = queue_of(last_status_code="RequiresApproval", support_uri="https://store.example.org/support")
    order = map_summary(held["data"][0], ITEM).order
    assert order is not None
    assert (order.provider, order.order_id, order.status) == ("cpanel", ITEM, "action_required")
    assert [(one.check, one.actor, one.url) for one in order.blockers if one.check == "approval"] == [
        ("approval", "you", "https://store.example.org/support")
    ]
    assert "support" in order.blockers[0].message


def test_the_queue_adds_what_it_knows() -> None:
    order = map_bodies(PROCESSING, body("details_unmoved"), body("queue"))
    assert order.ordered_at == "2026-03-01T10:20:00Z"
    assert [(domain.name, domain.method) for domain in order.domains] == [
        ("shop.example.org", "http"),
        ("www.shop.example.org", "dns"),
    ]
    alone = map_bodies(PROCESSING, body("gone"), queue_of(created_time="1772360400", certificate_id=600100))
    assert [(domain.name, domain.status, domain.method) for domain in alone.domains] == [
        ("shop.example.org", "unknown", "http")
    ]
    assert (alone.ordered_at, alone.certificate.id) == ("2026-03-01T10:20:00Z", "600100")


def test_an_item_the_store_has_lost_has_no_order() -> None:
    assert map_summary(queue_of(last_status_code="ItemNotFound")["data"][0], ITEM).order is None


def test_raw_is_the_bodies_as_they_came_and_personal_data_are_known_by_their_fields() -> None:
    person = {"rep_forename": "Pat", "rep_email_address": "pat.contact@example.org"}
    queue = queue_of(identity_verification=person)
    order = map_bodies(PROCESSING, body("details_unmoved"), queue)
    assert order.raw == {
        "status_details": body("details_unmoved")["data"],
        "certificate": PROCESSING["data"],
        "queue_item": queue["data"][0],
    }
    clean, left_out = drop_personal(order.raw, INFO.personal)
    assert left_out == ["identity_verification"]
    assert "Pat" not in repr(clean) and "pat.contact" not in repr(clean)


def test_a_mapping_needs_nothing_but_the_bodies() -> None:
    item = queue_of()["data"][0]
    assert map_order(PROCESSING["data"], item=item).order_id == ITEM
    assert map_order({}).status == "validating"


# -- shapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        [{"domain": "a.example.org", "status": "VALIDATED"}, {"domain": "b.example.org", "status": "NOTVALIDATED"}],
        {
            "10": {"domain": "b.example.org", "status": "NOTVALIDATED"},
            "9": {"domain": "a.example.org", "status": "VALIDATED"},
        },
        {"a.example.org": {"status": "VALIDATED"}, "b.example.org": {"status": "NOTVALIDATED"}},
        {"a.example.org": "VALIDATED", "b.example.org": "NOTVALIDATED"},
    ],
)
def test_names_come_as_a_list_numbered_or_by_name(given: t.Any) -> None:
    order = map_bodies(PROCESSING, body("details_complete", domain_details=given))
    assert [(domain.name, domain.status) for domain in order.domains] == [
        ("a.example.org", "completed"),
        ("b.example.org", "not_completed"),
    ]
    assert (order.status, order.dcv_completed) == ("validating", False)


@pytest.mark.parametrize(
    "listed", ["a.example.org b.example.org", "a.example.org\r\nb.example.org", "a.example.org, b.example.org"]
)
def test_names_of_the_queue_may_come_in_one_text(listed: str) -> None:
    order = map_bodies(PROCESSING, body("gone"), queue_of(domains=listed))
    assert [domain.name for domain in order.domains] == ["a.example.org", "b.example.org"]


def test_what_is_no_host_is_no_domain_and_what_is_one_stays() -> None:
    names = ["intranet", "2001:db8::10", "192.0.2.7", "*.example.org", "admin@example.org", "Example, Inc."]
    given = [{"domain": name, "status": "VALIDATED"} for name in names]
    order = map_bodies(PROCESSING, body("details_complete", domain_details=given))
    assert [domain.name for domain in order.domains] == ["intranet", "2001:db8::10", "192.0.2.7", "*.example.org"]


def test_an_issued_order_without_details_has_the_names_of_its_certificate() -> None:
    order = map_bodies(body("available_issued"), body("gone"))
    assert [(domain.name, domain.status) for domain in order.domains] == [
        ("www.example.org", "completed"),
        ("example.org", "completed"),
    ]


@pytest.mark.parametrize(("code", "reason"), [("OrderCanceled", "The customer withdrew it."), (None, None)])
def test_the_reason_of_an_end_may_stand_beside_the_data(code: str | None, reason: str | None) -> None:
    available = body("available_processing", status_code=code)["data"]
    assert map_order(available, messages=["The customer withdrew it."]).reason == reason


@pytest.mark.parametrize(
    "given",
    [
        {"0": {"0": {"domain": "a.example", "status": "VALIDATED"}}},
        [[{"domain": "a.example", "status": "VALIDATED"}]],
        {"a.example": [{"status": "VALIDATED"}]},
    ],
)
def test_names_in_arrays_inside_of_arrays(given: t.Any) -> None:
    order = map_order({}, {"status_details": {"dcvStatus": "completed"}, "domain_details": given}, None, "1")
    assert [(one.name, one.status) for one in order.domains] == [("a.example", "completed")]


def test_the_server_reissues_by_itself() -> None:
    order = map_bodies(PROCESSING, details("details_pending"), body("queue_follow_up"))
    assert order.coverage == Coverage(ends="2027-03-01T00:00:00Z")
    assert order.reissue == Reissue(True, None, "9002", "2026-09-02T00:00:00Z")
    assert (order.auto_reissue, order.reference) == (True, None)


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({}, None),
        ({"originating_certificate_id": None}, False),
        ({"originating_certificate_id": 0}, False),
        ({"originating_certificate_id": ""}, False),
        ({"originating_certificate_id": 9001}, True),
        ({"originating_certificate_id": "9001", "last_status_code": "x", "expired": 1}, False),
    ],
)
def test_an_item_without_a_predecessor_is_no_reissue(changes: dict[str, t.Any], is_open: bool | None) -> None:
    order = map_bodies(PROCESSING, details("details_pending"), queue_of(**changes))
    assert order.reissue.open is is_open
    predecessor = str(changes.get("originating_certificate_id") or "")
    assert order.auto_reissue is (True if predecessor else None)
    assert order.coverage == Coverage()


def test_without_the_queue_nothing_is_known_of_the_term() -> None:
    order = map_bodies(body("available_issued"), details())
    assert (order.coverage, order.reissue, order.auto_reissue) == (Coverage(), Reissue(), None)

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cPanel: each line of its fact sheet that this collection relies upon, from wire body to order."""

from __future__ import annotations

import base64
import copy
import json
import pathlib
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders import errors
from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account, resolve_account
from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import drop_personal
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, OrderCertificate, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel.client import CpanelProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

BODIES = pathlib.Path(__file__).parent / "bodies"
ITEM = "40017"
ABOUT = {"provider": "cPStore", "order_item_id": ITEM}
ASK_AVAILABLE = {
    "method": "GET",
    "path": "/execute/Market/get_ssl_certificate_if_available",
    "query": ABOUT,
    "form": None,
}
ASK_DETAILS = {"method": "GET", "path": "/execute/Market/get_certificate_status_details", "query": ABOUT, "form": None}
ASK_QUEUE = {
    "method": "GET",
    "path": "/execute/Market/get_pending_ssl_certificates",
    "query": {"provider": "cPStore"},
    "form": None,
}
#: Key of status_details and the check it is.
CHECKS = [
    ("csrStatus", "csr"),
    ("dcvStatus", "dcv"),
    ("organizationValidationStatus", "organization"),
    ("ovCallbackStatus", "phone_callback"),
    ("evClickThroughStatus", "ev_click_through"),
    ("brandValStatus", "brand"),
    ("freeDVUPStatus", "dv_upgrade"),
]
Exchange = t.Tuple[t.Mapping[str, t.Any], t.Union[Response, errors.OrderError]]
Body = t.Dict[str, t.Any]


def body(name: str, **data: t.Any) -> Body:
    """A stored body; values by key replace those in its data."""
    stored = t.cast(Body, json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8")))
    if data:
        stored["data"].update(data)
    return stored


def details(name: str = "details_complete", *statuses: str, **checks: t.Any) -> Body:
    """A stored answer about checks; the states of its names and its checks replaced, None takes a check out."""
    stored = body(name)
    words = stored["data"]["status_details"]
    words.update(checks)
    stored["data"]["status_details"] = {key: value for key, value in words.items() if value is not None}
    if statuses:
        for entry, status in zip(stored["data"]["domain_details"], statuses):
            entry["status"] = status
    return stored


def provider(*exchanges: Exchange, **account: t.Any) -> tuple[CpanelProvider, ScriptedTransport]:
    transport = ScriptedTransport(*exchanges)
    options = {name: account.pop(name) for name in ("cpanel_provider", "cpanel_account") if name in account}
    values = {
        "provider": "cpanel",
        "api_url": "https://cpanel.example:2083",
        "username": "shop",
        "api_key": "T0KEN",
        "options": options,
        **account,
    }
    return CpanelProvider(Account(**values), transport), transport


def fetch(available: t.Any, checks: t.Any, queue: t.Any = None) -> Order:
    """The order made of these answers alone; where no queue is given, it is empty, or not asked."""
    asked_last = (ASK_QUEUE, answer(queue or EMPTY_QUEUE))
    cpanel, transport = provider((ASK_AVAILABLE, answer(available)), (ASK_DETAILS, answer(checks)), asked_last)
    order = cpanel.fetch_order(ITEM)
    assert transport.exchanges == [] or (queue is None and transport.exchanges == [asked_last])
    return order


EMPTY_QUEUE: Body = {"status": 1, "data": [], "errors": None}


def queue_of(**changes: t.Any) -> Body:
    """A queue that holds the item alone."""
    stored = body("queue")
    stored["data"] = [dict(stored["data"][1], **changes)]
    return stored


def refuse(response: Response, **account: t.Any) -> errors.OrderError:
    """The error that the first call ends with."""
    cpanel, _transport = provider(({}, response), **account)
    with pytest.raises(errors.OrderError) as caught:
        cpanel.fetch_order(ITEM)
    return caught.value


PROCESSING = body("available_processing")


# -- the question -----------------------------------------------------------------


def test_the_account_comes_from_options_or_from_cpanels_variables_alone() -> None:
    everything = {
        "CPANEL_URL": "https://host.example:2083/",
        "CPANEL_USERNAME": "shop",
        "CPANEL_API_TOKEN": "token",
        "CPANEL_PASSWORD": "password",
        "SECTIGO_USERNAME": "wrong",
        "SECTIGO_PASSWORD": "wrong",
        "GOGETSSL_USERNAME": "wrong",
        "GOGETSSL_PASSWORD": "wrong",
        "DIGICERT_API_KEY": "wrong",
    }
    account = resolve_account(CpanelProvider.info, {}, everything)
    assert (account.api_url, account.username, account.api_key, account.password) == (
        "https://host.example:2083",
        "shop",
        "token",
        None,
    )
    account = resolve_account(CpanelProvider.info, {"password": "given"}, everything)
    assert (account.api_key, account.password) == (None, "given")
    del everything["CPANEL_URL"]
    with pytest.raises(errors.InvalidRequest, match="CPANEL_URL or CPANEL_API_URL"):
        resolve_account(CpanelProvider.info, {}, everything)
    account = resolve_account(CpanelProvider.info, {}, dict(everything, CPANEL_API_URL="https://other.example:2083"))
    assert account.api_url == "https://other.example:2083"


@pytest.mark.parametrize(
    ("account", "header"),
    [
        ({}, "cpanel shop:T0KEN"),
        ({"cpanel_account": "kate"}, "whm shop:T0KEN"),
        ({"api_key": None, "password": "pa:ss"}, "Basic " + base64.b64encode(b"shop:pa:ss").decode()),
        (
            {"api_key": None, "password": "pa:ss", "cpanel_account": "kate"},
            "Basic " + base64.b64encode(b"shop:pa:ss").decode(),
        ),
    ],
)
def test_credentials_travel_in_one_header_and_are_never_shown(account: t.Mapping[str, t.Any], header: str) -> None:
    answers = [({}, answer(PROCESSING)), ({}, answer(details("details_pending"))), ({}, answer(EMPTY_QUEUE))]
    cpanel, transport = provider(*answers, **account)
    cpanel.fetch_order(ITEM)
    assert [dict(request.headers) for request in transport.requests] == [{"Authorization": header}] * 3
    if "password" in account:
        assert header.split()[1] not in transport.redactor.scrub(f"sent {header}")


def test_a_user_name_beyond_ascii_is_sent_as_utf_8() -> None:
    answers = [({}, answer(PROCESSING)), ({}, answer(details("details_pending"))), ({}, answer(EMPTY_QUEUE))]
    cpanel, transport = provider(*answers, username="jürgen")
    cpanel.fetch_order(ITEM)
    assert transport.requests[0].headers["Authorization"].encode("latin-1") == "cpanel jürgen:T0KEN".encode()


def test_whm_asks_for_its_account() -> None:
    wanted = {
        "api.version": "1",
        "cpanel.user": "kate",
        "cpanel.module": "Market",
        "cpanel.function": "get_ssl_certificate_if_available",
        **ABOUT,
    }
    path = "/json-api/uapi_cpanel"
    cpanel, transport = provider(
        ({"method": "GET", "path": path, "query": wanted, "form": None}, answer(body("whm_issued"))),
        (
            {"path": path, "query": dict(wanted, **{"cpanel.function": "get_certificate_status_details"})},
            answer(body("gone")),
        ),
        cpanel_account="kate",
    )
    assert cpanel.fetch_order(ITEM).issued
    transport.assert_finished()


def test_the_market_provider_is_the_accounts() -> None:
    query = {"provider": "OtherStore", "order_item_id": ITEM}
    cpanel, transport = provider(
        (dict(ASK_AVAILABLE, query=query), answer(PROCESSING)),
        (dict(ASK_DETAILS, query=query), answer(details("details_pending"))),
        (dict(ASK_QUEUE, query={"provider": "OtherStore"}), answer(EMPTY_QUEUE)),
        cpanel_provider="OtherStore",
    )
    cpanel.fetch_order(ITEM)
    transport.assert_finished()


def test_the_budget_and_the_schedule_are_those_of_the_servers_own_queue() -> None:
    pace = CpanelProvider.info.rate_limits
    assert [pace.schedule.pause(age) for age in (0, 3599, 3600, 14399, 14400)] == [300, 300, 1800, 1800, 3600]
    assert [(budget.requests, budget.seconds) for budget in pace.budgets] == [(20, 5.0)]


# -- envelopes ----------------------------------------------------------------------


def nested(flat: Body) -> Body:
    return {"apiversion": 3, "func": "f", "module": "Market", "result": flat}


def through_whm(flat: Body) -> Body:
    return {"data": {"uapi": flat}, "metadata": {"command": "uapi_cpanel", "reason": "OK", "result": 1, "version": 1}}


@pytest.mark.parametrize("wrap", [lambda flat: flat, nested, through_whm])
@pytest.mark.parametrize("status", [1, "1", True])
def test_every_envelope_and_every_spelling_of_success_reads_the_same(wrap: t.Any, status: t.Any) -> None:
    order = fetch(wrap(dict(PROCESSING, status=status)), wrap(dict(details("details_pending"), status=status)))
    assert (order.status, order.checks["dcv"], len(order.domains)) == ("validating", "not_completed", 2)


@pytest.mark.parametrize("wrap", [lambda flat: flat, nested, through_whm])
@pytest.mark.parametrize("status", [0, "0", "", False])
def test_every_envelope_and_every_spelling_of_failure_reads_the_same(wrap: t.Any, status: t.Any) -> None:
    error = refuse(answer(wrap(dict(body("failed"), status=status))))
    assert error.__class__ is errors.InvalidRequest
    assert "Provide the \u201corder_item_id\u201d argument." in error.message


def test_the_published_sample() -> None:
    order = fetch(PROCESSING, body("details_published_sample"))
    assert (order.status, order.dcv_completed, order.checks["brand"]) == ("validating", False, "in_progress")
    assert [(domain.name, domain.status) for domain in order.domains] == [("www.example.com", "not_completed")]
    assert (order.checks["organization"], order.checks["dcv"]) == ("not_applicable", "not_completed")
    assert ("brand", "provider") in [(blocker.check, blocker.actor) for blocker in order.blockers]


# -- status -----------------------------------------------------------------------------


def test_a_pending_order_takes_two_requests() -> None:
    order = fetch(PROCESSING, details("details_pending"))
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
    order = fetch(body("available_issued"), details(certificateStatus="completed"))
    assert (order.status, order.issued, order.final, order.dcv_completed) == ("issued", True, True, True)
    assert order.certificate.serial_number == "AB12CD34"
    assert order.certificate.not_before == "2026-03-01T00:00:00Z"
    assert order.certificate.not_after == "2046-09-16T23:59:59Z"
    assert (order.blockers, order.warnings) == ((), ())


def test_a_certificate_that_cannot_be_read_is_issued_with_a_warning() -> None:
    order = fetch(body("available_issued", certificate_pem="MII…"), body("gone"))
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
    order = fetch(body("available_processing", status_code=code, status_message="Because"), body(name))
    assert (order.status, order.provider_status, order.reason) == (status, code.strip(), "Because")
    assert order.issued is False
    assert order.final is (status not in ("action_required", "unknown"))
    assert [word for word in order.warnings if code in word] == list(order.warnings)
    assert bool(order.warnings) is (status == "unknown")


def test_a_revoked_certificate_is_not_issued() -> None:
    order = fetch(body("available_issued", status_code="CA:revoked"), body("gone"))
    assert (order.status, order.issued) == ("revoked", False)


def test_nothing_is_told_of_checks_once_the_details_are_gone() -> None:
    assert fetch(body("available_issued"), body("gone")).checks == {"dcv": "completed"}
    assert fetch(body("available_issued"), body("details_empty")).checks == {"dcv": "completed"}
    assert fetch(body("available_rejected"), body("gone")).checks == {}
    canceled = body("available_processing", status_code="OrderCanceled")
    assert fetch(canceled, body("details_empty")).checks == {}
    assert set(fetch(canceled, body("details_pending")).checks) == {name for _key, name in CHECKS}


def test_an_issued_order_whose_details_do_not_tell_of_dcv_has_passed_it() -> None:
    order = fetch(body("available_issued"), details(dcvStatus=None))
    assert (order.dcv_completed, order.checks["dcv"], order.checks["csr"]) == (True, "completed", "completed")


def test_a_certificate_goes_before_any_other_code() -> None:
    assert fetch(body("available_issued", status_code="CertificateNotFound"), body("gone")).issued


def test_an_order_that_was_rejected_keeps_the_reason() -> None:
    order = fetch(body("available_rejected"), body("details_pending"))
    assert (order.status, order.reason, order.blockers) == ("rejected", "Domain is on a deny list", ())


def test_a_review_by_the_store_needs_a_person() -> None:
    order = fetch(body("available_processing", status_code="RequiresApproval"), body("details_empty"))
    assert [(blocker.check, blocker.actor) for blocker in order.blockers] == [("approval", "you")]


@pytest.mark.parametrize("code", [None, "", "CertificateNotFound"])
def test_without_details_and_code_it_is_validating_and_nothing_is_known(code: str | None) -> None:
    order = fetch(body("available_processing", status_code=code), body("details_empty"), queue_of())
    assert (order.status, order.issued, order.dcv_completed) == ("validating", False, None)
    assert set(order.checks.values()) == {"unknown"}
    assert order.warnings == ()


@pytest.mark.parametrize("certificate", ["in-progress", "not-completed", "completed", None])
def test_it_is_issuing_when_all_is_done_but_the_certificate(certificate: str | None) -> None:
    order = fetch(PROCESSING, details(certificateStatus=certificate))
    assert (order.status, order.issued, order.final, order.dcv_completed) == ("issuing", False, False, True)


def test_the_certificate_alone_can_say_that_all_is_done() -> None:
    words = {"status_details": {"certificateStatus": "completed"}, "domain_details": []}
    assert fetch(PROCESSING, body("details_complete", **words)).status == "issuing"
    words["status_details"] = {"certificateStatus": "in-progress"}
    assert fetch(PROCESSING, body("details_complete", **words)).status == "validating"


def test_an_unknown_word_for_the_certificate_is_an_unknown_status() -> None:
    order = fetch(PROCESSING, details(certificateStatus="Awaiting something new"))
    assert (order.status, order.provider_status, order.final) == ("unknown", "Awaiting something new", False)
    assert "Awaiting something new" in order.warnings[0]


@pytest.mark.parametrize("key", [key for key, _check in CHECKS] + ["validationStatus"])
@pytest.mark.parametrize("state", ["not-completed", "in-progress"])
def test_any_open_check_is_validating(key: str, state: str) -> None:
    assert fetch(PROCESSING, details(**{key: state})).status == "validating"


@pytest.mark.parametrize("state", ["NOTVALIDATED", "AWAITINGBRAND", "SOMETHING", ""])
def test_any_name_that_is_not_validated_is_validating(state: str) -> None:
    order = fetch(PROCESSING, details("details_complete", "VALIDATED", state))
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
    order = fetch(PROCESSING, details("details_complete", "VALIDATED", "VALIDATED", **{key: value}))
    assert order.checks[check] == state
    assert len(order.warnings) == (value == "pondering")
    assert all("pondering" in warning for warning in order.warnings)
    assert set(order.checks) == {name for _key, name in CHECKS}


def test_the_other_spelling_of_the_call_back_is_understood() -> None:
    order = fetch(PROCESSING, details(ovCallbackStatus=None, ovCallBackStatus="in-progress"))
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
    order = fetch(PROCESSING, checks)
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
    order = fetch(PROCESSING, body("details_complete", domain_details=given))
    assert [domain.name for domain in order.domains] == names


@pytest.mark.parametrize("key", ["actionUrls", "action_urls"])
def test_links_are_not_states(key: str) -> None:
    checks = body("details_ev")
    checks["data"][key] = checks["data"].pop("action_urls")
    order = fetch(PROCESSING, checks)
    # The second link is none that a browser should be sent to.
    assert order.action_urls == {"ev_click_through": "https://store.example.org/action/agreement"}
    assert (order.checks["ev_click_through"], order.checks["phone_callback"]) == ("in_progress", "not_completed")
    links = {blocker.check: blocker.url for blocker in order.blockers}
    assert links["ev_click_through"] == "https://store.example.org/action/agreement"
    assert links["phone_callback"] is None


@pytest.mark.parametrize("data", [None, [], {}, "odd", 7])
def test_odd_data_does_no_harm(data: t.Any) -> None:
    order = fetch(dict(PROCESSING, data=data), dict(details(), data=data), dict(body("queue"), data=data))
    assert (order.status, order.issued) == ("validating", False)


# -- the queue --------------------------------------------------------------------------


@pytest.mark.parametrize("issued", [True, False])
def test_an_item_that_left_the_queue_is_judged_by_the_store_alone(issued: bool) -> None:
    if issued:
        order = fetch(body("available_issued"), body("gone"))
        assert (order.status, order.issued, order.dcv_completed) == ("issued", True, True)
    else:
        order = fetch(PROCESSING, body("gone"), dict(body("queue"), data=[]))
        assert (order.status, order.final) == ("validating", False)
        assert "queue" in order.warnings[0]


@pytest.mark.parametrize("quoted", ["\u201ccPStore\u201d", '"cPStore"', "'cPStore'", "cPStore"])
def test_errors_are_known_by_their_words_whatever_the_quotes(quoted: str) -> None:
    gone = dict(body("gone"), errors=[f"No entry exists for provider {quoted} and order item ID 40017."])
    assert fetch(body("available_issued"), gone).issued


@pytest.mark.parametrize("name", ["details_empty", "details_unmoved"])
def test_an_unpaid_item_needs_a_person(name: str) -> None:
    order = fetch(PROCESSING, body(name), queue_of(status="unconfirmed"))
    assert (order.status, order.provider_status, order.final) == ("action_required", "unconfirmed", False)
    assert (order.blockers[0].check, order.blockers[0].actor, order.blockers[0].url) == (
        "payment",
        "you",
        "https://store.example.org/checkout/9000017",
    )
    assert "not paid" in order.blockers[0].message


def test_one_answer_of_the_queue_serves_each_of_its_items_once() -> None:
    """So that many items cost one look at the queue, and the next poll looks again."""
    asked = [(ASK_AVAILABLE, answer(PROCESSING)), (ASK_DETAILS, answer(body("details_unmoved")))]
    others = [({}, answer(PROCESSING)), ({}, answer(body("details_unmoved")))]
    queue = (ASK_QUEUE, answer(body("queue")))
    cpanel, transport = provider(*asked, queue, *others, *asked, queue)
    statuses = [cpanel.fetch_order(item).status for item in (ITEM, "40018", ITEM)]
    assert statuses == ["validating", "action_required", "validating"]
    transport.assert_finished()


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
    assert fetch(PROCESSING, checks, queue_of(**changes)).status == status
    # The same where a look at all items has told it before.
    cpanel, transport = provider(
        (ASK_QUEUE, answer(queue_of(**changes))), (ASK_AVAILABLE, answer(PROCESSING)), (ASK_DETAILS, answer(checks))
    )
    cpanel.fetch_summaries([ITEM], None)
    assert cpanel.fetch_order(ITEM).status == status
    transport.assert_finished()


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
    order = fetch(PROCESSING, checks)
    assert (order.status, order.dcv_completed) == ("validating", dcv_completed)


@pytest.mark.parametrize("given", [0, "0", "null", True, {}, ["x"]])
def test_what_is_no_certificate_is_not_taken_for_one(given: t.Any) -> None:
    order = fetch(body("available_processing", certificate_pem=given), details())
    assert not order.issued
    assert order.status == "issuing"


@pytest.mark.parametrize("code", ["ItemNotFound", "Item::NotFound"])
def test_a_certificate_goes_before_a_code(code: str) -> None:
    assert fetch(body("available_issued", status_code=code), body("gone")).issued


def test_a_name_that_is_not_validated_is_told_though_the_certificate_is_revoked() -> None:
    checks = details("details_complete", "NOTVALIDATED")
    checks["data"]["status_details"] = {}
    order = fetch(body("available_processing", status_code="CA:revoked"), checks)
    assert (order.status, order.dcv_completed) == ("revoked", False)


def test_the_store_may_go_on_telling_of_checks_when_the_item_has_expired() -> None:
    order = fetch(body("available_processing", status_code="CertificateNotFound"), details(), queue_of(expired=1))
    assert order.status == "expired"


@pytest.mark.parametrize("expired", [1, "1", True])
@pytest.mark.parametrize("code", [None, "CertificateNotFound"])
def test_an_expired_item(expired: t.Any, code: str | None) -> None:
    order = fetch(body("available_processing", status_code=code), body("gone"), queue_of(expired=expired))
    assert (order.status, order.final) == ("expired", True)
    assert not fetch(PROCESSING, body("gone"), queue_of(expired=0)).final


def test_each_question_says_what_it_asks_and_of_which_order() -> None:
    answers = [(ASK_AVAILABLE, PROCESSING), (ASK_DETAILS, body("gone")), (ASK_QUEUE, body("queue"))]
    cpanel, transport = provider(*[(question, answer(told)) for question, told in answers])
    cpanel.fetch_order(ITEM)
    assert [(request.call, request.order_id) for request in transport.requests] == [
        ("Market::get_ssl_certificate_if_available", ITEM),
        ("Market::get_certificate_status_details", ITEM),
        ("Market::get_pending_ssl_certificates", ITEM),
    ]


def test_what_the_queue_said_last_counts_when_the_store_says_nothing() -> None:
    links = {"ovCallbackStatus": "https://store.example.org/call"}
    item = queue_of(last_status_message="In review", last_action_urls=links)
    order = fetch(body("available_processing", status_message=None), body("gone"), item)
    assert (order.reason, order.action_urls) == ("In review", {"phone_callback": "https://store.example.org/call"})


def test_a_hold_in_the_queue_links_to_the_stores_support() -> None:
    held = queue_of(last_status_code="RequiresApproval", support_uri="https://store.example.org/support")
    order = fetch_summaries(held, ITEM)[ITEM].order
    assert (order.provider, order.order_id, order.status) == ("cpanel", ITEM, "action_required")
    assert [(one.check, one.actor, one.url) for one in order.blockers if one.check == "approval"] == [
        ("approval", "you", "https://store.example.org/support")
    ]
    assert "support" in order.blockers[0].message


def test_an_item_of_another_market_provider_is_another_item() -> None:
    # In the stored queue an unpaid item of another provider has the same id, and comes first.
    order = fetch(PROCESSING, body("details_unmoved"), body("queue"))
    assert order.status == "validating"


def test_the_queue_adds_what_it_knows() -> None:
    order = fetch(PROCESSING, body("details_unmoved"), body("queue"))
    assert order.ordered_at == "2026-03-01T10:20:00Z"
    assert [(domain.name, domain.method) for domain in order.domains] == [
        ("shop.example.org", "http"),
        ("www.shop.example.org", "dns"),
    ]
    alone = fetch(PROCESSING, body("gone"), queue_of(created_time="1772360400", certificate_id=600100))
    assert [(domain.name, domain.status, domain.method) for domain in alone.domains] == [
        ("shop.example.org", "unknown", "http")
    ]
    assert (alone.ordered_at, alone.certificate.id) == ("2026-03-01T10:20:00Z", "600100")


@pytest.mark.parametrize("order_id", [9000017, "9000017"])
def test_the_number_of_an_order_is_refused_with_the_numbers_of_its_items(order_id: t.Any) -> None:
    queue = queue_of(order_id=order_id)
    for available in (body("available_not_found"), PROCESSING):
        answers: list[Exchange] = [({}, answer(available)), ({}, answer(body("gone"))), (ASK_QUEUE, answer(queue))]
        if available is not PROCESSING:
            del answers[1]
        cpanel, transport = provider(*answers)
        with pytest.raises(errors.InvalidRequest, match="order_item_id instead: 40017 .shop.example.org") as caught:
            cpanel.fetch_order("9000017")
        assert (caught.value.provider, caught.value.order_id, caught.value.retryable) == ("cpanel", "9000017", False)
        transport.assert_finished()


def test_an_item_whose_number_is_also_that_of_an_order_is_an_item() -> None:
    queue = queue_of()
    queue["data"].append(dict(queue["data"][0], order_id=ITEM, order_item_id=50000))
    assert fetch(PROCESSING, body("gone"), queue).status == "validating"


@pytest.mark.parametrize("code", ["ItemNotFound", "Item::NotFound", "itemnotfound"])
def test_an_item_the_store_does_not_know(code: str) -> None:
    cpanel, transport = provider(
        (ASK_AVAILABLE, answer(body("available_not_found", status_code=code))), (ASK_QUEUE, answer(body("queue")))
    )
    with pytest.raises(errors.OrderNotFound) as caught:
        cpanel.fetch_order(ITEM)
    assert (caught.value.provider, caught.value.order_id, caught.value.retryable) == ("cpanel", ITEM, False)
    assert code in caught.value.message and "cPStore" in caught.value.message
    transport.assert_finished()


def test_a_queue_that_may_not_be_seen_is_no_failure() -> None:
    closed = dict(body("failed"), errors=["You do not have the feature \u201ctls_wizard\u201d."])
    order = fetch(PROCESSING, body("details_unmoved"), closed)
    assert (order.status, order.final) == ("validating", False)
    assert "tls_wizard" in order.warnings[0]


# -- many orders --------------------------------------------------------------------------


def fetch_summaries(queue: t.Any, *order_ids: str) -> t.Mapping[str, t.Any]:
    cpanel, transport = provider((ASK_QUEUE, answer(queue)))
    sketches = cpanel.fetch_summaries(order_ids, None)
    transport.assert_finished()
    return sketches


def test_the_queue_tells_of_all_items_in_one_request() -> None:
    sketches = fetch_summaries(body("queue"), ITEM, "40018", "40019", "40020", "40021", "99999")
    statuses = {order_id: sketch.order and sketch.order.status for order_id, sketch in sketches.items()}
    assert statuses == {
        ITEM: "validating",
        "40018": "action_required",
        "40019": "expired",
        "40020": "action_required",
        "40021": "rejected",
        "99999": None,
    }
    assert sketches["99999"].change_token == "left"
    assert sketches["40021"].order.reason == "Domain is on a deny list"
    assert all(sketch.order is None or not sketch.order.issued for sketch in sketches.values())


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        # The server polls all day; our own detail calls make it poll, too.
        ({"last_poll_time": 1772363600, "first_poll_time": 1772363600}, True),
        ({"last_status_code": "CertificateNotFound"}, False),
        ({"last_status_message": "Hm"}, False),
        ({"status": "unconfirmed"}, False),
        ({"expired": 1}, False),
        ({"certificate_id": 600100}, False),
        ({"order_item_id": 1}, False),
        ({"provider": "OtherStore"}, False),
    ],
)
def test_a_mark_changes_when_there_is_news(changes: t.Mapping[str, t.Any], same: bool) -> None:
    assert (
        fetch_summaries(queue_of(), ITEM)[ITEM].change_token
        == fetch_summaries(queue_of(**changes), ITEM)[ITEM].change_token
    ) is same


def test_an_item_the_store_has_lost_has_no_order() -> None:
    assert fetch_summaries(queue_of(last_status_code="ItemNotFound"), ITEM)[ITEM].order is None


# -- refreshing ------------------------------------------------------------------------------


def order_in(status: str) -> Order:
    return Order(
        provider="cpanel",
        order_id=ITEM,
        status=status,
        issued=status == Status.ISSUED,
        ordered_at="2026-03-01T10:20:00Z",
    )


def test_a_refresh_takes_one_request_while_validation_goes_on() -> None:
    cpanel, transport = provider((ASK_DETAILS, answer(details("details_pending"))))
    known = replace(order_in("validating"), certificate=OrderCertificate(id="600100"))
    order = cpanel.refresh_order(known)
    assert (order.status, order.dcv_completed, order.ordered_at) == ("validating", False, "2026-03-01T10:20:00Z")
    assert (order.order_id, order.certificate) == (ITEM, known.certificate)
    transport.assert_finished()


def test_a_refresh_keeps_how_names_are_validated() -> None:
    known = fetch(PROCESSING, body("details_unmoved"), body("queue"))
    cpanel, _transport = provider((ASK_DETAILS, answer(details("details_pending"))))
    assert [domain.method for domain in cpanel.refresh_order(known).domains] == ["http", "dns"]


@pytest.mark.parametrize("checks", [body("gone"), body("details_empty"), details(), details(certificateStatus="odd")])
def test_a_refresh_asks_for_all_when_there_may_be_more(checks: Body) -> None:
    cpanel, transport = provider(
        (ASK_DETAILS, answer(checks)), (ASK_AVAILABLE, answer(body("available_issued"))), (ASK_DETAILS, answer(checks))
    )
    assert cpanel.refresh_order(order_in("validating")).issued
    transport.assert_finished()


@pytest.mark.parametrize("status", ["action_required", "unknown"])
def test_a_refresh_asks_for_all_when_checks_do_not_tell(status: str) -> None:
    cpanel, transport = provider((ASK_AVAILABLE, answer(body("available_issued"))), (ASK_DETAILS, answer(body("gone"))))
    assert cpanel.refresh_order(order_in(status)).issued
    transport.assert_finished()


# -- the certificate ---------------------------------------------------------------------------


PEM = body("available_issued")["data"]["certificate_pem"].strip()
ASK_BUNDLE = {"method": "POST", "path": "/execute/SSL/get_cabundle", "query": {}, "form": {"cert": PEM}}


@pytest.mark.parametrize("absent", ["bundle", "cab", "domain"])
def test_leaf_and_chain_come_from_two_calls_and_the_pem_travels_by_post(absent: str) -> None:
    cpanel, transport = provider(
        (ASK_AVAILABLE, answer(body("available_issued"))), (ASK_BUNDLE, answer(body("cabundle", **{absent: None})))
    )
    delivery = cpanel.fetch_certificate(order_in("issued"))
    transport.assert_finished()
    bundle = chain.assemble(delivery.leaf, delivery.additional)
    assert bundle.facts.serial_number == "AB12CD34"
    assert bundle.chain.count("BEGIN CERTIFICATE") == 1


def test_a_pem_that_came_without_its_armour_travels_with_it() -> None:
    bare = "".join(PEM.splitlines()[1:-1])
    ask = dict(ASK_BUNDLE, form={"cert": PEM + "\n"})
    available = body("available_issued", certificate_pem=bare)
    cpanel, transport = provider((ASK_AVAILABLE, answer(available)), (ask, answer(body("cabundle"))))
    cpanel.fetch_certificate(order_in("issued"))
    transport.assert_finished()


def test_the_pem_travels_by_post_through_whm_too() -> None:
    form = {
        "api.version": "1",
        "cpanel.user": "kate",
        "cpanel.module": "SSL",
        "cpanel.function": "get_cabundle",
        "cert": PEM,
    }
    cpanel, transport = provider(
        ({}, answer(body("whm_issued"))),
        ({"method": "POST", "path": "/json-api/uapi_cpanel", "query": {}, "form": form}, answer(body("cabundle"))),
        cpanel_account="kate",
    )
    cpanel.fetch_certificate(order_in("issued"))
    transport.assert_finished()


@pytest.mark.parametrize(
    "bundle",
    [
        body("cabundle", cab="", bundle=""),
        body("cabundle", cab=None, bundle=None),
        dict(body("failed"), errors=["The system could not find the certificate authority bundle."]),
    ],
)
def test_without_a_chain_there_is_nothing_to_collect_yet(bundle: Body) -> None:
    cpanel, transport = provider((ASK_AVAILABLE, answer(body("available_issued"))), (ASK_BUNDLE, answer(bundle)))
    with pytest.raises(errors.NotIssued) as caught:
        cpanel.fetch_certificate(order_in("issued"))
    assert (caught.value.provider, caught.value.order_id, caught.value.retryable) == ("cpanel", ITEM, True)
    assert "no CA bundle" in caught.value.message and "get_cabundle" in caught.value.message
    transport.assert_finished()


@pytest.mark.parametrize(
    ("available", "kind"),
    [
        (PROCESSING, errors.NotIssued),
        (body("available_processing", status_code="CertificateNotFound"), errors.NotIssued),
        (body("available_processing", status_code="RequiresApproval"), errors.ActionRequired),
        (body("available_processing", status_code="OrderCanceled"), errors.OrderFailed),
        (body("available_rejected"), errors.OrderFailed),
        (body("available_issued", status_code="CA:revoked"), errors.OrderFailed),
        (body("available_not_found"), errors.OrderNotFound),
    ],
)
def test_each_reason_for_no_certificate(available: Body, kind: type[errors.OrderError]) -> None:
    cpanel, transport = provider((ASK_AVAILABLE, answer(available)))
    with pytest.raises(errors.OrderError) as caught:
        cpanel.fetch_certificate(order_in("issued"))
    assert caught.value.__class__ is kind
    assert (caught.value.provider, caught.value.order_id) == ("cpanel", ITEM)
    # The store's own words are in it.
    told = [available["data"].get("status_code"), available["data"].get("status_message")]
    assert kind is errors.OrderNotFound or all(words in caught.value.message for words in told if words)
    assert any(told) or "still processing" in caught.value.message
    transport.assert_finished()


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        ("Provide the \u201corder_item_id\u201d argument.", errors.InvalidRequest, "order_item_id"),
        ("\u201cabc\u201d is not a valid order item ID.", errors.InvalidRequest, "abc"),
        (
            "Failed to load module \u201cCpanel::Market::Provider::cPStore\u201d: Can\u2019t locate it.",
            errors.InvalidRequest,
            "cpanel_provider",
        ),
        (
            "The system could not find the function \u201cx\u201d in the module \u201cMarket\u201d.",
            errors.InvalidRequest,
            "2083",
        ),
        ("Failed to load module \u201cMarket\u201d: no such file", errors.InvalidRequest, "2083"),
        ("You do not have the feature \u201cmarket\u201d.", errors.PermissionDenied, "tls_wizard"),
        ("Permission denied", errors.PermissionDenied, "2087"),
        ("Access denied", errors.AuthenticationError, "api_key"),
        ("The connection to the store timed out.", errors.ProviderUnavailable, "later"),
        ("No entry exists for provider \u201ccPStore\u201d.", errors.OrderNotFound, "queue"),
        ("Something else", errors.InvalidRequest, "Something else"),
    ],
)
def test_each_application_error(said: str, kind: type[errors.OrderError], hint: str) -> None:
    error = refuse(answer(dict(body("failed"), errors=[said])))
    assert error.__class__ is kind
    assert error.retryable is (kind is errors.ProviderUnavailable)
    assert said in error.message and hint in error.message
    assert error.message.startswith("Market::get_ssl_certificate_if_available ")


def test_all_errors_are_told() -> None:
    error = refuse(answer(dict(body("failed"), errors=["One sentence.", None, "And another."])))
    assert "One sentence.; And another." in error.message


@pytest.mark.parametrize("given", [None, [], [None], "One sentence", [["odd"]]])
def test_errors_may_come_in_any_shape(given: t.Any) -> None:
    error = refuse(answer(dict(body("failed"), errors=given)))
    assert error.__class__ is errors.InvalidRequest
    assert ("One sentence" if given == "One sentence" else "no text") in error.message


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("User \u201cnobody\u201d does not exist.", errors.InvalidRequest),
        ("Access denied", errors.AuthenticationError),
        ("Token authentication failed", errors.AuthenticationError),
        ("You do not have permission to read", errors.PermissionDenied),
    ],
)
@pytest.mark.parametrize("result", [0, "0"])
def test_a_failure_of_whm_is_told_by_its_reason(reason: str, kind: type[errors.OrderError], result: t.Any) -> None:
    failure = copy.deepcopy(body("whm_failure"))
    failure["metadata"].update(reason=reason, result=result)
    error = refuse(answer(failure), cpanel_account="nobody")
    assert error.__class__ is kind and reason in error.message
    assert error.message.startswith("Market::get_ssl_certificate_if_available ")


@pytest.mark.parametrize(
    ("text", "status", "kind", "retryable"),
    [
        (json.dumps(body("denied")), 403, errors.AuthenticationError, False),
        (json.dumps(body("denied")), 200, errors.AuthenticationError, False),
        (json.dumps(body("whm_failure")), 403, errors.AuthenticationError, False),
        ((BODIES / "login.html").read_text(), 401, errors.AuthenticationError, False),
        ((BODIES / "login.html").read_text(), 403, errors.AuthenticationError, False),
        ("", 401, errors.AuthenticationError, False),
        ((BODIES / "login.html").read_text(), 200, errors.UnexpectedResponse, True),
        ("", 200, errors.UnexpectedResponse, True),
        (json.dumps(PROCESSING)[:-20], 200, errors.UnexpectedResponse, True),
        ("[]", 200, errors.UnexpectedResponse, True),
        ("{}", 200, errors.UnexpectedResponse, True),
        ((BODIES / "login.html").read_text(), 404, errors.UnexpectedResponse, False),
        (json.dumps(PROCESSING), 400, errors.UnexpectedResponse, False),
    ],
)
def test_what_is_no_answer(text: str, status: int, kind: type[errors.OrderError], retryable: bool) -> None:
    error = refuse(answer(text, status))
    assert (type(error), error.retryable) == (kind, retryable)
    if status in (400, 404):
        assert "api_url" in error.message
    assert error.message
    if status in (401, 403):
        assert "api_url" in error.message and ("Access denied" in error.message) is ("Access denied" in text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps(body("denied")), ": Access denied"),
        (json.dumps(body("whm_failure")), ": User \u201cnobody\u201d does not exist."),
        ((BODIES / "login.html").read_text(), ""),
        ("{}", ""),
    ],
)
def test_a_refusal_tells_what_the_server_said(text: str, said: str) -> None:
    assert f"(HTTP 403{said})" in refuse(answer(text, 403)).message


# -- what must not be seen, or done -----------------------------------------------------------


def test_personal_data_and_secrets_are_left_out_of_raw() -> None:
    person = {"rep_forename": "Pat", "rep_email_address": "pat.contact@example.org"}
    order = fetch(PROCESSING, body("details_unmoved"), queue_of(identity_verification=person))
    assert drop_personal(order.raw, CpanelProvider.info.personal)[1] == ["identity_verification"]
    shown = repr(drop_personal(order.raw, CpanelProvider.info.personal)[0])
    assert "Pat" not in shown and "pat.contact" not in shown
    assert set(order.raw) == {"status_details", "certificate", "queue_item"}
    cpanel, transport = provider(
        (ASK_AVAILABLE, answer(body("available_rejected", status_message="for s3cret-pass"))),
        (ASK_DETAILS, answer(body("details_empty"))),
        api_key=None,
        password="s3cret-pass",
    )
    transport.redactor.learn("s3cret-pass")
    assert "s3cret" not in repr(transport.redactor.scrub_data(cpanel.fetch_order(ITEM).raw))


def test_no_call_is_made_that_has_side_effects_or_sends_a_private_key() -> None:
    source = pathlib.Path(__file__).parents[7] / "plugins/module_utils/_orders/providers/cpanel/client.py"
    text = source.read_text(encoding="utf-8")
    for function in (
        "process_ssl_pending_queue",
        "cancel_pending_ssl_certificate",
        "set_status_of_pending_queue_items",
        "request_ssl_certificates",
        "fetch_best_for_domain",
        "fetch_key_and_cabundle_for_certificate",
    ):
        assert function not in text

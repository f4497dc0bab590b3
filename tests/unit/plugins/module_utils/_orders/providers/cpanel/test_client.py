# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cPanel: the calls of its fact sheet, request by request."""

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
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, OrderCertificate
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel.client import CpanelProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.cpanel.stored import (
    BODIES,
    EMPTY_QUEUE,
    ITEM,
    PROCESSING,
    Body,
    body,
    details,
    queue_of,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

ABOUT = {"provider": "cPStore", "order_item_id": ITEM}
GET_AVAILABLE = {
    "method": "GET",
    "path": "/execute/Market/get_ssl_certificate_if_available",
    "query": ABOUT,
    "form": None,
}
GET_DETAILS = {"method": "GET", "path": "/execute/Market/get_certificate_status_details", "query": ABOUT, "form": None}
GET_QUEUE = {
    "method": "GET",
    "path": "/execute/Market/get_pending_ssl_certificates",
    "query": {"provider": "cPStore"},
    "form": None,
}
Exchange = t.Tuple[t.Mapping[str, t.Any], t.Union[Response, errors.OrderError]]


def provider(*exchanges: Exchange, **account: t.Any) -> tuple[CpanelProvider, ScriptedTransport]:
    transport = ScriptedTransport(*exchanges)
    options = {"cpanel_provider": "cPStore"}
    options.update((name, account.pop(name)) for name in ("cpanel_provider", "cpanel_account") if name in account)
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
    """The order made of these answers alone; where no queue is given, it is empty, or not read."""
    queue_exchange = (GET_QUEUE, answer(queue or EMPTY_QUEUE))
    cpanel, transport = provider((GET_AVAILABLE, answer(available)), (GET_DETAILS, answer(checks)), queue_exchange)
    order = cpanel.fetch_order(ITEM)
    assert transport.exchanges == [] or (queue is None and transport.exchanges == [queue_exchange])
    return order


def refuse(response: Response, **account: t.Any) -> errors.OrderError:
    """The error that the first call ends with."""
    cpanel, _transport = provider(({}, response), **account)
    with pytest.raises(errors.OrderError) as caught:
        cpanel.fetch_order(ITEM)
    return caught.value


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


def test_whm_acts_for_its_account() -> None:
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
        (dict(GET_AVAILABLE, query=query), answer(PROCESSING)),
        (dict(GET_DETAILS, query=query), answer(details("details_pending"))),
        (dict(GET_QUEUE, query={"provider": "OtherStore"}), answer(EMPTY_QUEUE)),
        cpanel_provider="OtherStore",
    )
    cpanel.fetch_order(ITEM)
    transport.assert_finished()


def test_the_budget_and_the_schedule_are_those_of_the_servers_own_queue() -> None:
    pace = CpanelProvider.info.rate_limits
    assert [pace.schedule.pause(age) for age in (0, 3599, 3600, 14399, 14400)] == [300, 300, 1800, 1800, 3600]
    assert [(budget.requests, budget.seconds) for budget in pace.budgets] == [(20, 5.0)]


# -- envelopes ------------------------------------------------------------


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


@pytest.mark.parametrize("data", [None, [], {}, "odd", 7])
def test_odd_data_does_no_harm(data: t.Any) -> None:
    order = fetch(dict(PROCESSING, data=data), dict(details(), data=data), dict(body("queue"), data=data))
    assert (order.status, order.issued) == ("validating", False)


# -- calls ----------------------------------------------------------------


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


def test_one_answer_of_the_queue_serves_each_of_its_items_once() -> None:
    """So that many items cost one look at the queue, and the next poll looks again."""
    requests = [(GET_AVAILABLE, answer(PROCESSING)), (GET_DETAILS, answer(body("details_unmoved")))]
    others = [({}, answer(PROCESSING)), ({}, answer(body("details_unmoved")))]
    queue = (GET_QUEUE, answer(body("queue")))
    cpanel, transport = provider(*requests, queue, *others, *requests, queue)
    statuses = [cpanel.fetch_order(item).status for item in (ITEM, "40018", ITEM)]
    assert statuses == ["validating", "action_required", "validating"]
    transport.assert_finished()


def test_each_request_names_its_call_and_its_order() -> None:
    answers = [(GET_AVAILABLE, PROCESSING), (GET_DETAILS, body("gone")), (GET_QUEUE, body("queue"))]
    cpanel, transport = provider(*[(expected, answer(reply)) for expected, reply in answers])
    cpanel.fetch_order(ITEM)
    assert [(request.call, request.order_id) for request in transport.requests] == [
        ("Market::get_ssl_certificate_if_available", ITEM),
        ("Market::get_certificate_status_details", ITEM),
        ("Market::get_pending_ssl_certificates", ITEM),
    ]


def test_an_item_of_another_market_provider_is_another_item() -> None:
    # In the stored queue an unpaid item of another provider has the same id, and comes first.
    order = fetch(PROCESSING, body("details_unmoved"), body("queue"))
    assert order.status == "validating"


@pytest.mark.parametrize("order_id", [9000017, "9000017"])
def test_the_number_of_an_order_is_refused_with_the_numbers_of_its_items(order_id: t.Any) -> None:
    queue = queue_of(order_id=order_id)
    for available in (body("available_not_found"), PROCESSING):
        answers: list[Exchange] = [({}, answer(available)), ({}, answer(body("gone"))), (GET_QUEUE, answer(queue))]
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
        (GET_AVAILABLE, answer(body("available_not_found", status_code=code))), (GET_QUEUE, answer(body("queue")))
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


@pytest.mark.parametrize(
    ("changes", "status"), [({"expired": 1}, "expired"), ({"status": "unconfirmed"}, "action_required")]
)
@pytest.mark.parametrize("name", ["details_complete", "details_pending", "gone"])
def test_what_the_queue_has_shown_serves_the_next_look_at_the_item(changes: Body, status: str, name: str) -> None:
    cpanel, transport = provider(
        (GET_QUEUE, answer(queue_of(**changes))), (GET_AVAILABLE, answer(PROCESSING)), (GET_DETAILS, answer(body(name)))
    )
    cpanel.fetch_summaries([ITEM], None)
    assert cpanel.fetch_order(ITEM).status == status
    transport.assert_finished()


# -- what decides -----------------------------------------------------------------------------

#: "No entry exists" as a German and a Japanese account would read it.
ELSEWHERE = [
    "F\u00fcr den Anbieter \u201ecPStore\u201c und die Bestellposition \u201e40017\u201c ist kein Eintrag vorhanden.",
    "\u30a8\u30f3\u30c8\u30ea\u304c\u5b58\u5728\u3057\u307e\u305b\u3093: cPStore 40017",
    "Zugriff verweigert.",
    "You do not have the feature \u201cmarket\u201d.",
]


@pytest.mark.parametrize("reason", ELSEWHERE)
def test_a_call_that_is_refused_decides_nothing_once_another_has_decided(reason: str) -> None:
    refused = dict(body("gone"), errors=[reason])
    assert fetch(body("available_issued"), refused).issued
    assert fetch(body("available_rejected"), refused).status == "rejected"
    # Nothing has decided yet, and a refusal of the checks does not either.
    assert fetch(PROCESSING, refused, EMPTY_QUEUE).status == "validating"
    order = fetch(PROCESSING, refused, queue_of())
    assert (order.status, order.final) == ("validating", False)
    assert any(reason in warning for warning in order.warnings)
    assert fetch(PROCESSING, refused, queue_of(status="unconfirmed")).status == "action_required"


@pytest.mark.parametrize("reason", ELSEWHERE)
def test_a_queue_that_is_refused_in_any_language_is_no_failure(reason: str) -> None:
    order = fetch(PROCESSING, body("details_unmoved"), dict(body("failed"), errors=[reason]))
    assert (order.status, order.final) == ("validating", False)
    assert reason in order.warnings[0]


@pytest.mark.parametrize("reason", ELSEWHERE)
def test_a_refresh_that_is_refused_fetches_all(reason: str) -> None:
    refused = dict(body("gone"), errors=[reason])
    cpanel, transport = provider((GET_DETAILS, answer(refused)), (GET_AVAILABLE, answer(body("available_issued"))))
    assert cpanel.refresh_order(order_in("validating")).issued
    transport.assert_finished()


@pytest.mark.parametrize("fault", [answer("", 500), answer("<html>"), errors.ProviderUnavailable("no way")])
def test_checks_that_cannot_be_had_are_a_warning_once_another_call_has_decided(fault: t.Any) -> None:
    cpanel, _transport = provider((GET_AVAILABLE, answer(body("available_issued"))), (GET_DETAILS, fault))
    order = cpanel.fetch_order(ITEM)
    assert order.issued and "the checks of the order are not known" in order.warnings[0]


def test_in_a_wait_the_certificate_decides_alone() -> None:
    cpanel, transport = provider((GET_AVAILABLE, answer(body("available_issued"))))
    order = cpanel.fetch_progress(ITEM)
    assert (order.issued, order.dcv_completed, order.certificate.serial_number) == (True, True, "AB12CD34")
    assert order.checks == {"dcv": "completed"}
    transport.assert_finished()


def test_in_a_wait_an_order_that_is_not_decided_is_fetched_whole() -> None:
    exchanges = [(GET_AVAILABLE, PROCESSING), (GET_DETAILS, details("details_pending")), (GET_QUEUE, EMPTY_QUEUE)]
    cpanel, transport = provider(*[(expected, answer(reply)) for expected, reply in exchanges])
    assert cpanel.fetch_progress(ITEM).checks["dcv"] == "not_completed"
    transport.assert_finished()


# -- many orders ----------------------------------------------------------


def fetch_summaries(queue: t.Any, *order_ids: str) -> t.Mapping[str, t.Any]:
    cpanel, transport = provider((GET_QUEUE, answer(queue)))
    summaries = cpanel.fetch_summaries(order_ids, None)
    transport.assert_finished()
    return summaries


def test_the_queue_reports_all_items_in_one_request() -> None:
    summaries = fetch_summaries(body("queue"), ITEM, "40018", "40019", "40020", "40021", "99999")
    statuses = {order_id: summary.order and summary.order.status for order_id, summary in summaries.items()}
    assert statuses == {
        ITEM: "validating",
        "40018": "action_required",
        "40019": "expired",
        "40020": "action_required",
        "40021": "rejected",
        "99999": None,
    }
    assert summaries["99999"].change_token == "left"
    assert summaries["40021"].order.reason == "Domain is on a deny list"
    assert all(summary.order is None or not summary.order.issued for summary in summaries.values())


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
def test_a_change_token_changes_when_there_is_news(changes: t.Mapping[str, t.Any], same: bool) -> None:
    assert (
        fetch_summaries(queue_of(), ITEM)[ITEM].change_token
        == fetch_summaries(queue_of(**changes), ITEM)[ITEM].change_token
    ) is same


# -- refreshing -----------------------------------------------------------


def order_in(status: str) -> Order:
    issued = status == "issued"
    return Order("cpanel", ITEM, status, issued=issued, ordered_at="2026-03-01T10:20:00Z")


def test_a_refresh_takes_one_request_while_validation_goes_on() -> None:
    cpanel, transport = provider((GET_DETAILS, answer(details("details_pending"))))
    known = replace(order_in("validating"), certificate=OrderCertificate(id="600100"))
    order = cpanel.refresh_order(known)
    assert (order.status, order.dcv_completed, order.ordered_at) == ("validating", False, "2026-03-01T10:20:00Z")
    assert (order.order_id, order.certificate) == (ITEM, known.certificate)
    transport.assert_finished()


def test_a_refresh_keeps_how_names_are_validated() -> None:
    known = fetch(PROCESSING, body("details_unmoved"), body("queue"))
    cpanel, _transport = provider((GET_DETAILS, answer(details("details_pending"))))
    assert [domain.method for domain in cpanel.refresh_order(known).domains] == ["http", "dns"]


@pytest.mark.parametrize("checks", [body("gone"), body("details_empty"), details(), details(certificateStatus="odd")])
def test_a_refresh_fetches_all_when_there_may_be_more(checks: Body) -> None:
    cpanel, transport = provider((GET_DETAILS, answer(checks)), (GET_AVAILABLE, answer(body("available_issued"))))
    assert cpanel.refresh_order(order_in("validating")).issued
    transport.assert_finished()


@pytest.mark.parametrize("status", ["action_required", "unknown"])
def test_a_refresh_fetches_all_when_checks_are_not_enough(status: str) -> None:
    cpanel, transport = provider((GET_AVAILABLE, answer(body("available_issued"))))
    assert cpanel.refresh_order(order_in(status)).issued
    transport.assert_finished()


# -- the certificate ------------------------------------------------------


PEM = body("available_issued")["data"]["certificate_pem"].strip()


GET_BUNDLE = {"method": "POST", "path": "/execute/SSL/get_cabundle", "query": {}, "form": {"cert": PEM}}


@pytest.mark.parametrize("absent", ["bundle", "cab", "domain"])
def test_leaf_and_chain_come_from_two_calls_and_the_pem_travels_by_post(absent: str) -> None:
    cpanel, transport = provider(
        (GET_AVAILABLE, answer(body("available_issued"))), (GET_BUNDLE, answer(body("cabundle", **{absent: None})))
    )
    collected = cpanel.fetch_certificate(order_in("issued"))
    transport.assert_finished()
    bundle = chain.assemble(collected.leaf, collected.additional)
    assert bundle.facts.serial_number == "AB12CD34"
    assert bundle.chain.count("BEGIN CERTIFICATE") == 1


def test_a_pem_that_came_without_its_armor_travels_with_it() -> None:
    bare = "".join(PEM.splitlines()[1:-1])
    expected = dict(GET_BUNDLE, form={"cert": PEM + "\n"})
    available = body("available_issued", certificate_pem=bare)
    cpanel, transport = provider((GET_AVAILABLE, answer(available)), (expected, answer(body("cabundle"))))
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
    cpanel, transport = provider((GET_AVAILABLE, answer(body("available_issued"))), (GET_BUNDLE, answer(bundle)))
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
    cpanel, transport = provider((GET_AVAILABLE, answer(available)))
    with pytest.raises(errors.OrderError) as caught:
        cpanel.fetch_certificate(order_in("issued"))
    assert caught.value.__class__ is kind
    assert (caught.value.provider, caught.value.order_id) == ("cpanel", ITEM)
    # The store's own words are in it.
    words = [available["data"].get("status_code"), available["data"].get("status_message")]
    assert kind is errors.OrderNotFound or all(one in caught.value.message for one in words if one)
    assert any(words) or "still processing" in caught.value.message
    transport.assert_finished()


# -- errors ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "kind", "hint"),
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
        ("API key 40 is invalid", errors.AuthenticationError, "api_key"),
        ("Der Store meldet: invalid API token", errors.AuthenticationError, "api_key"),
        ("API-Token ung\u00fcltig", errors.AuthenticationError, "api_key"),
        ("Das API-Token ist abgelaufen.", errors.AuthenticationError, "api_key"),
        ("Token de API no v\u00e1lido.", errors.AuthenticationError, "api_key"),
        ("Jeton d\u2019API incorrect", errors.AuthenticationError, "api_key"),
        ("The API token could not be checked: the connection timed out.", errors.ProviderUnavailable, "later"),
        ("The token of the order item is too long.", errors.InvalidRequest, "too long"),
        (
            "The store\u2019s HTTP server answered with an error (502, Bad Gateway).",
            errors.ProviderUnavailable,
            "later",
        ),
        ("Antwort des Stores: HTTP 500", errors.ProviderUnavailable, "later"),
        ("503", errors.ProviderUnavailable, "later"),
        ("Internal Server Error", errors.ProviderUnavailable, "later"),
        ("Der Store meldet 429 (Too Many Requests).", errors.RateLimited, "later"),
        # Numbers that are no HTTP status.
        ("Kein Eintrag f\u00fcr \u201e500\u201c.", errors.InvalidRequest, "500"),
        ("Kaputt at Market.pm line 502.", errors.InvalidRequest, "line 502"),
    ],
)
def test_each_application_error(reason: str, kind: type[errors.OrderError], hint: str) -> None:
    error = refuse(answer(dict(body("failed"), errors=[reason])))
    assert error.__class__ is kind
    assert error.retryable is (kind in (errors.ProviderUnavailable, errors.RateLimited))
    assert reason in error.message and hint in error.message
    assert error.message.startswith("Market::get_ssl_certificate_if_available ")


def test_all_errors_are_shown() -> None:
    error = refuse(answer(dict(body("failed"), errors=["One sentence.", None, "And another."])))
    assert "One sentence.; And another." in error.message


def test_the_number_of_an_item_is_no_http_status() -> None:
    query = dict(ABOUT, order_item_id="503")
    refused = dict(body("failed"), errors=["Kein Eintrag zu Bestellposition 503 vorhanden."])
    cpanel, _transport = provider((dict(GET_AVAILABLE, query=query), answer(refused)))
    with pytest.raises(errors.InvalidRequest) as caught:
        cpanel.fetch_order("503")
    assert (caught.value.retryable, caught.value.order_id, caught.value.http_status) == (False, "503", 200)


@pytest.mark.parametrize(
    "changes",
    [
        {"errors": {"order_item_id": "One reason."}},
        {"errors": {"order_item_id": ["One reason."]}},
        {"errors": [{"message": "One reason."}]},
        {"errors": None, "messages": ["One reason."]},
        {"errors": [], "messages": {"0": "One reason."}},
        {"errors": None, "error": "One reason."},
        {"errors": None, "metadata": {"reason": "One reason."}},
    ],
)
def test_a_reason_may_stand_in_several_places(changes: Body) -> None:
    error = refuse(answer(dict(body("failed"), **changes)))
    assert error.__class__ is errors.InvalidRequest and "failed: One reason." in error.message


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
def test_a_failure_of_whm_is_known_by_its_reason(reason: str, kind: type[errors.OrderError], result: t.Any) -> None:
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
    ("text", "reason"),
    [
        (json.dumps(body("denied")), ": Access denied"),
        (json.dumps(body("whm_failure")), ": User \u201cnobody\u201d does not exist."),
        ((BODIES / "login.html").read_text(), ""),
        ("{}", ""),
        ("{", ""),
        (json.dumps({"status": 0, "data": None, "errors": ["Blocked by the host."]}), ": Blocked by the host."),
        (json.dumps({"result": {"status": 0, "errors": {"ip": "Blocked."}}}), ": Blocked."),
        ("Your address is blocked.\n", ": Your address is blocked."),
        ("x" * 500, ""),
    ],
)
def test_a_refusal_shows_the_reason_of_the_server(text: str, reason: str) -> None:
    assert f"(HTTP 403{reason})" in refuse(answer(text, 403)).message


# -- what must not be done ------------------------------------------------


def test_no_call_is_made_that_has_side_effects_or_sends_a_private_key() -> None:
    folder = pathlib.Path(__file__).parents[7] / "plugins/module_utils/_orders/providers/cpanel"
    text = "".join(source.read_text(encoding="utf-8") for source in folder.glob("*.py"))
    assert "get_ssl_certificate_if_available" in text
    for function in (
        "process_ssl_pending_queue",
        "cancel_pending_ssl_certificate",
        "set_status_of_pending_queue_items",
        "request_ssl_certificates",
        "fetch_best_for_domain",
        "fetch_key_and_cabundle_for_certificate",
    ):
        assert function not in text


# -- evidence for DCV ---------------------------------------------------------


def test_evidence_comes_from_the_csr_in_the_queue() -> None:
    cpanel, transport = provider(
        (GET_AVAILABLE, answer(PROCESSING)),
        (GET_DETAILS, answer(body("details_pending"))),
        (GET_QUEUE, answer(body("dcv_queue"))),
    )
    shop, www = cpanel.fetch_evidence(ITEM, check_mode=True)
    assert (shop.status, shop.file, shop.problem) == ("completed", None, None)
    assert www.record is not None
    assert www.record.fqdn == "_3fa076dc547e7c065db9c858516c8b7b.www.shop.example.org"
    transport.assert_finished()


def test_an_order_that_is_held_has_its_evidence_in_the_queue_too() -> None:
    held = body("available_processing", status_code="RequiresApproval")
    cpanel, transport = provider(
        (GET_AVAILABLE, answer(held)),
        (GET_DETAILS, answer(body("details_pending"))),
        (GET_QUEUE, answer(body("dcv_queue"))),
    )
    assert [one.problem for one in cpanel.fetch_evidence(ITEM)] == [None, None]
    transport.assert_finished()


def test_the_order_shows_what_the_server_publishes_and_keeps_it_while_only_the_checks_are_read() -> None:
    order = fetch(PROCESSING, body("details_pending"), body("dcv_queue"))
    record = order.domains[1].record
    assert record is not None
    assert (record.type, order.domains[0].record) == ("CNAME", None)
    assert [blocker.actor for blocker in order.blockers if blocker.check == "dcv"] == ["provider"]
    cpanel, _transport = provider((GET_DETAILS, answer(body("details_pending"))))
    assert cpanel.refresh_order(order).domains[1].record == record


@pytest.mark.parametrize(
    "fields", [{"warnings": ["the reason"]}, {"statusmsg": "the reason"}, {"data": {"message": "the reason"}}]
)
def test_a_reason_is_shown_wherever_it_stands(fields: t.Any) -> None:
    assert "the reason" in refuse(answer({"status": 0, "errors": None, **fields})).message

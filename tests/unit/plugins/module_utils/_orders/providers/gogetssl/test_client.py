# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GoGetSSL: the requests sent, and what is made of each answer. Tables follow the GoGetSSL fact sheet."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import NameEvidence, OrderReference
from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates.chain import split_certificates
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderFailed,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import (
    drop_personal,
    drop_personal_text,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import DcvReply
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.gogetssl.client import GogetsslProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

BODIES = pathlib.Path(__file__).parent / "bodies"
ORDER_ID = "2204418"
PASSWORD = "s3cret-api-password"
HTML = "<!DOCTYPE html><html><body>Sign in</body></html>"


def load(name: str) -> t.Any:
    return json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8"))


KEY = load("auth")["key"]
NEW_KEY = load("auth_again")["key"]

AUTH_CALL = {"method": "POST", "path": "/auth/", "query": {}, "form": {"user": "me@example.org", "pass": PASSWORD}}
AUTH = (AUTH_CALL, answer(load("auth")))
AUTH_AGAIN = (AUTH_CALL, answer(load("auth_again")))


def status(order_id: str = ORDER_ID, key: str = KEY) -> dict[str, t.Any]:
    return {"method": "GET", "path": "/orders/status/" + order_id, "query": {"auth_key": key}, "form": None}


def batch(cids: str, key: str = KEY) -> dict[str, t.Any]:
    return {"method": "POST", "path": "/orders/statuses/", "query": {"auth_key": key}, "form": {"cids": cids}}


def provider(*exchanges: t.Any) -> tuple[GogetsslProvider, ScriptedTransport]:
    transport = ScriptedTransport(*exchanges)
    account = Account(
        provider="gogetssl",
        api_url="https://my.gogetssl.com/api",
        username="me@example.org",
        password=PASSWORD,
    )
    return GogetsslProvider(account, transport), transport


def changed(name: str, **changes: t.Any) -> dict[str, t.Any]:
    """A body with these fields instead; None takes a field away."""
    body = {**load(name), **changes}
    return {field: value for field, value in body.items() if value is not None}


# -- section 2: the session key -----------------------------------------------


def test_one_key_serves_all_questions() -> None:
    body = answer(load("processing"))
    gogetssl, transport = provider(AUTH, (status(), body), (status(), body))
    gogetssl.fetch_order(ORDER_ID)
    gogetssl.fetch_order(ORDER_ID)
    transport.assert_finished()
    # What messages call them.
    sent = [(request.call, request.order_id) for request in transport.requests]
    assert sent == [("auth", None), ("order status", ORDER_ID), ("order status", ORDER_ID)]


def test_the_key_is_secret_as_soon_as_it_is_known() -> None:
    gogetssl, transport = provider(AUTH, (status(), answer({**load("processing"), "echo": "auth_key=" + KEY})))
    order = gogetssl.fetch_order(ORDER_ID)
    assert KEY in transport.redactor.secrets
    assert KEY not in json.dumps([order.to_dict(), transport.redactor.scrub_data(order.raw)])


def test_a_cut_off_answer_to_auth_does_not_show_the_key() -> None:
    whole = json.dumps(load("auth"))
    for length in range(len(whole)):
        shown = drop_personal_text(whole[:length], GogetsslProvider.info.personal)
        assert KEY[:4] not in shown


def test_an_expired_key_is_renewed_once_and_the_wait_goes_on() -> None:
    gogetssl, transport = provider(
        AUTH,
        (status(), answer(load("processing"))),
        (status(), answer(load("error_auth_key"), status=403)),
        AUTH_AGAIN,
        (status(key=NEW_KEY), answer(load("processing"))),
        (status(key=NEW_KEY), answer(load("active"))),
    )
    assert [gogetssl.fetch_order(ORDER_ID).issued for _look in range(3)] == [False, False, True]
    transport.assert_finished()
    assert {KEY, NEW_KEY} <= transport.redactor.secrets


@pytest.mark.parametrize(
    "refusal",
    [
        answer(load("error_auth_key"), status=403),
        answer(load("error_auth_key"), status=401),
        answer(load("error_auth_key")),
        answer(load("error_without_text"), status=403),
        answer(HTML, status=403),
        answer(HTML, status=401),
        answer("", status=403),
        answer([], status=403),
    ],
)
def test_a_second_refusal_ends_it(refusal: Response) -> None:
    gogetssl, transport = provider(AUTH, (status(), refusal), AUTH_AGAIN, (status(key=NEW_KEY), refusal))
    with pytest.raises(AuthenticationError) as caught:
        gogetssl.fetch_order(ORDER_ID)
    transport.assert_finished()
    assert (caught.value.kind, caught.value.retryable) == ("authentication", False)
    assert KEY not in str(caught.value) and NEW_KEY not in str(caught.value)


def test_a_session_key_that_no_url_can_hold_is_refused() -> None:
    gogetssl, transport = provider((AUTH_CALL, answer({**load("auth"), "key": "k" * 60_000})))
    with pytest.raises(UnexpectedResponse, match="a session key of 60000 characters") as caught:
        gogetssl.fetch_order(ORDER_ID)
    transport.assert_finished()
    assert not caught.value.retryable and "kkk" not in caught.value.message


@pytest.mark.parametrize(
    "refusal",
    [
        answer(load("error_no_credentials")),
        answer(load("error_auth_key"), status=403),
        answer(load("error_without_text"), status=400),
        answer(HTML, status=403),
        answer("", status=401),
        answer({"success": False}),
        answer({"key": "", "success": True}),
        answer({**load("auth"), "error": True}),
        answer(load("auth"), status=400),
        answer(HTML, status=400),
        answer({}),
        answer([]),
    ],
)
def test_refused_credentials_are_not_sent_again(refusal: Response) -> None:
    gogetssl, transport = provider((AUTH_CALL, refusal))
    for order_id in (ORDER_ID, "1501"):
        with pytest.raises(AuthenticationError, match="API password"):
            gogetssl.fetch_order(order_id)
    transport.assert_finished()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(HTML, status=404), InvalidRequest),
        (answer(HTML), UnexpectedResponse),
        (answer('{"key": "0f1e'), UnexpectedResponse),
        (ProviderUnavailable("down"), ProviderUnavailable),
        (RateLimited("too many"), RateLimited),
    ],
)
def test_a_login_without_answer_is_tried_again_by_the_next_question(reply: t.Any, kind: type[OrderError]) -> None:
    gogetssl, transport = provider((AUTH_CALL, reply), AUTH, (status(), answer(load("active"))))
    with pytest.raises(kind):
        gogetssl.fetch_order(ORDER_ID)
    assert gogetssl.fetch_order(ORDER_ID).issued
    transport.assert_finished()


@pytest.mark.parametrize("order_id", ["-1", "abc", "1/2", "1,2", "000"])
def test_what_is_no_order_id_is_not_sent(order_id: str) -> None:
    gogetssl, _transport = provider()
    with pytest.raises(InvalidRequest, match="no order id of GoGetSSL"):
        gogetssl.fetch_order(order_id)


# -- raw and personal data ----------------------------------------------------


def test_personal_data_and_prices_stay_out_of_raw() -> None:
    body = {**load("processing"), "approver_method": load("dcv_email"), "approver_emails": "jane@example.org"}
    gogetssl, transport = provider(AUTH, (status(), answer(body)))
    order = gogetssl.fetch_order(ORDER_ID)
    shown, left_out = drop_personal(order.raw, GogetsslProvider.info.personal)
    everything = json.dumps(transport.redactor.scrub_data(shown))
    for value in ("Jane", "joe@", "jane@", "admin@", "Example Org", "555 0100", "10.00", KEY, PASSWORD):
        assert value not in everything
    expected = [
        "admin_firstname",
        "admin_msg",
        "approver_emails",
        "email",
        "org_name",
        "org_phone",
        "ssl_price",
        "tech_email",
    ]
    assert left_out == expected
    assert shown["csr_code"].startswith("-----BEGIN CERTIFICATE REQUEST-----")


# -- section 6: errors --------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "name", "kind", "retryable"),
    [
        (200, "error_no_credentials", AuthenticationError, False),
        (200, "error_unknown_order", OrderNotFound, False),
        (400, "error_unknown_order", OrderNotFound, False),
        (403, "error_unknown_order", OrderNotFound, False),
        (404, "error_unknown_order", OrderNotFound, False),
        (404, "error_without_text", OrderNotFound, False),
        (404, "error_no_method", InvalidRequest, False),
        (200, "error_other", InvalidRequest, False),
        (400, "error_other", InvalidRequest, False),
        (200, "error_balance", InvalidRequest, False),
        (200, "error_without_text", InvalidRequest, False),
        (200, "error_denied", PermissionDenied, False),
        (200, "error_throttled", RateLimited, True),
        (200, "error_maintenance", ProviderUnavailable, True),
    ],
)
def test_errors_are_known_by_their_text(code: int, name: str, kind: type[OrderError], retryable: bool) -> None:
    gogetssl, transport = provider(AUTH, (status(), answer(load(name), status=code)))
    with pytest.raises(OrderError) as caught:
        gogetssl.fetch_order(ORDER_ID)
    transport.assert_finished()
    assert caught.value.__class__ is kind
    assert (caught.value.retryable, caught.value.http_status) == (retryable, code)
    assert (load(name).get("message") or load(name).get("description") or "no reason given") in caught.value.message
    assert f"HTTP {code}," in caught.value.message


def refuse_with(code: int, message: str) -> OrderError:
    """What a status call ends with that is refused in these words, with an old key and with a new one."""
    refused = answer({"error": True, "message": message}, status=code)
    gogetssl, _transport = provider(AUTH, (status(), refused), AUTH_AGAIN, ({}, refused))
    with pytest.raises(OrderError) as caught:
        gogetssl.fetch_order(ORDER_ID)
    return caught.value


@pytest.mark.parametrize("code", [200, 400, 403, 404])
@pytest.mark.parametrize(
    "message",
    [
        "Order ID is not valid",
        "Incorrect order ID",
        "No orders found",
        "Can't find order",
        "This order doesn't belong to your account",
        "order_id is missing",
    ],
)
def test_an_unknown_order_in_words_that_nobody_has_published(code: int, message: str) -> None:
    error = refuse_with(code, message)
    assert isinstance(error, OrderNotFound)
    assert message in error.message


@pytest.mark.parametrize("message", ["Auth key is not valid for this order", "Order refused: auth_key invalid"])
def test_words_about_the_key_are_not_about_the_order(message: str) -> None:
    assert isinstance(refuse_with(403, message), AuthenticationError)


@pytest.mark.parametrize(
    "message",
    [
        "Order domain is not validated yet",
        "The order has not been validated",
        "This order isn't issued yet",
        "Domain control of the order is not completed",
    ],
)
@pytest.mark.parametrize("code", [200, 400, 403, 404])
def test_what_has_not_happened_yet_is_no_unknown_order(code: int, message: str) -> None:
    error = refuse_with(code, message)
    assert (type(error), error.retryable) == (NotIssued, True)
    assert message in error.message


@pytest.mark.parametrize(
    "message",
    ["Order has an invalid CSR", "Invalid CSR for this order", "Order: CSR is invalid!", "Domain not found in order"],
)
def test_words_about_something_of_the_order_are_not_about_the_order(message: str) -> None:
    assert refuse_with(200, message).__class__ is InvalidRequest


@pytest.mark.parametrize(
    "message", ["API key is invalid", "Invalid API key", "The API key for this order is not valid", "api_key expired"]
)
@pytest.mark.parametrize("code", [200, 400])
def test_a_refused_api_key_is_a_matter_of_authentication(code: int, message: str) -> None:
    error = refuse_with(code, message)
    assert (error.kind, error.retryable) == ("authentication", False)


@pytest.mark.parametrize(
    ("error", "kind", "shown"),
    [
        ({"code": 404, "message": "Order not found"}, OrderNotFound, "Order not found: code 404"),
        ({"code": "order_not_found", "message": ""}, OrderNotFound, "code order not found"),
        ({"code": 404, "message": "Nothing here"}, OrderNotFound, "Nothing here"),
        ({"code": 429, "message": "Slow down"}, RateLimited, "Slow down"),
        ({"code": 503, "message": "Down"}, ProviderUnavailable, "Down"),
        ({"code": 12, "message": "Bad product"}, InvalidRequest, "Bad product: code 12"),
        ({"message": "Bad product", "description": "unknown"}, InvalidRequest, "Bad product: unknown"),
        ([{"message": "Bad product"}], InvalidRequest, "Bad product"),
        (["Bad product"], InvalidRequest, "Bad product"),
        ({"0": {"message": "Bad product"}}, InvalidRequest, "Bad product"),
        ({"csr": ["Bad CSR"]}, InvalidRequest, "Bad CSR"),
    ],
)
@pytest.mark.parametrize("field", ["error", "errors"])
def test_an_error_as_an_object_or_a_list_takes_one_request(
    field: str, error: t.Any, kind: type[OrderError], shown: str
) -> None:
    gogetssl, transport = provider(AUTH, (status(), answer({field: error})))
    with pytest.raises(OrderError) as caught:
        gogetssl.fetch_order(ORDER_ID)
    transport.assert_finished()
    assert caught.value.__class__ is kind
    assert f"HTTP 200, {shown}" in caught.value.message


@pytest.mark.parametrize("error", [{"code": 0, "message": ""}, {"code": "0"}, {"message": None}, [[]], [""]])
def test_an_error_object_without_content_is_no_error(error: t.Any) -> None:
    gogetssl, _transport = provider(AUTH, (status(), answer({**load("active"), "error": error})))
    assert gogetssl.fetch_order(ORDER_ID).issued


@pytest.mark.parametrize(
    ("name", "kind"), [("error_throttled", RateLimited), ("error_maintenance", ProviderUnavailable)]
)
def test_a_fault_that_passes_does_not_refuse_the_credentials(name: str, kind: type[OrderError]) -> None:
    gogetssl, transport = provider((AUTH_CALL, answer(load(name))), AUTH, (status(), answer(load("active"))))
    with pytest.raises(kind):
        gogetssl.fetch_order(ORDER_ID)
    assert gogetssl.fetch_order(ORDER_ID).issued
    transport.assert_finished()


@pytest.mark.parametrize("error", [True, 1, "1", "true", "Wrong order"])
def test_error_in_all_its_types(error: t.Any) -> None:
    gogetssl, _transport = provider(AUTH, (status(), answer({**load("active"), "error": error})))
    # The error itself is shown where it is a text.
    reason = "Wrong order" if error == "Wrong order" else "no reason given"
    with pytest.raises(OrderError, match=f"HTTP 200, {reason}"):
        gogetssl.fetch_order(ORDER_ID)


def test_no_success_is_an_error() -> None:
    gogetssl, _transport = provider(AUTH, (status(), answer({**load("active"), "success": False})))
    with pytest.raises(InvalidRequest):
        gogetssl.fetch_order(ORDER_ID)


@pytest.mark.parametrize(
    ("reply", "kind", "retryable", "match"),
    [
        (answer(HTML), UnexpectedResponse, True, "HTML"),
        (answer(""), UnexpectedResponse, True, "empty"),
        (answer('{"order_id": 2204418, "status": "act'), UnexpectedResponse, True, "not JSON"),
        (answer([]), UnexpectedResponse, True, "no JSON object"),
        (answer({}), UnexpectedResponse, True, "no order"),
        (answer({"success": True}), UnexpectedResponse, True, "no order"),
        (answer(load("unpaid")), UnexpectedResponse, True, "order 2204419"),
        (answer(HTML, status=404), InvalidRequest, False, "HTTP 404.*api_url"),
        (answer("", status=404), InvalidRequest, False, "HTTP 404.*api_url"),
        (answer([], status=400), InvalidRequest, False, "no reason given"),
    ],
)
def test_answers_that_cannot_be_used(reply: Response, kind: type[OrderError], retryable: bool, match: str) -> None:
    gogetssl, _transport = provider(AUTH, (status(), reply))
    with pytest.raises(kind, match=match) as caught:
        gogetssl.fetch_order(ORDER_ID)
    assert caught.value.retryable is retryable


# -- section 7: the batch call ------------------------------------------------


def test_a_batch_reply_is_matched_by_id() -> None:
    left_out = answer({"certificates": [], "success": True})
    gogetssl, transport = provider(AUTH, (batch("2204418,77,1501"), answer(load("batch"))), (batch("77"), left_out))
    summaries = gogetssl.fetch_summaries([ORDER_ID, "77", "1501"], None)
    transport.assert_finished()
    assert {order_id: one.change_token for order_id, one in summaries.items()} == {
        ORDER_ID: "active:2026-09-16",
        "77": "missing",
        "1501": "processing:",
    }
    assert summaries[ORDER_ID].order is None and summaries["77"].order is None
    order = summaries["1501"].order
    assert order is not None
    assert (order.status, order.dcv_completed, order.issued) == (Status.VALIDATING, None, False)
    assert (order.provider, order.order_id, order.provider_status) == ("gogetssl", "1501", "processing")
    assert transport.requests[1].call == "batch status"


def test_a_reply_about_fewer_orders_than_requested_is_completed() -> None:
    one, two = load("batch")["certificates"]
    gogetssl, transport = provider(
        AUTH, (batch("1501,2204418"), answer({"certificates": [two]})), (batch("1501"), answer({"certificates": [one]}))
    )
    summaries = gogetssl.fetch_summaries(["1501", ORDER_ID], None)
    transport.assert_finished()
    assert [summaries["1501"].change_token, summaries[ORDER_ID].change_token] == ["processing:", "active:2026-09-16"]


def test_a_reply_about_other_orders_is_not_repeated() -> None:
    gogetssl, transport = provider(AUTH, (batch("77,78"), answer(load("batch"))))
    assert {one.change_token for one in gogetssl.fetch_summaries(["77", "78"], None).values()} == {"missing"}
    transport.assert_finished()


@pytest.mark.parametrize("order_id", [1501, "1501"])
@pytest.mark.parametrize(
    "word", ["processing", "pending", "reissue", "Processing", "active", "unpaid", "rejected", "odd"]
)
def test_only_work_in_progress_needs_no_detail_call(order_id: t.Any, word: str) -> None:
    one = {**load("batch")["certificates"][0], "order_id": order_id, "status": word}
    gogetssl, _transport = provider(AUTH, (batch("1501"), answer({"certificates": [one]})))
    summary = gogetssl.fetch_summaries(["1501"], 60.0)["1501"]
    assert summary.change_token == word.lower() + ":"
    assert (summary.order is not None) is (word.lower() in ("processing", "pending", "reissue"))


def test_many_orders_take_few_calls() -> None:
    size = GogetsslProvider.info.bulk_batch
    assert size is not None
    ids = [str(number) for number in range(1, 2 * size + 2)]
    parts = [ids[:size], ids[size : 2 * size], ids[2 * size :]]
    empty = answer({"certificates": [], "success": True})
    gogetssl, transport = provider(AUTH, *[(batch(",".join(part)), empty) for part in parts])
    summaries = gogetssl.fetch_summaries(ids, None)
    transport.assert_finished()
    assert {one.change_token for one in summaries.values()} == {"missing"} and len(summaries) == len(ids)


def test_a_batch_call_renews_the_key_too() -> None:
    refusal = answer(load("error_auth_key"), status=403)
    gogetssl, transport = provider(
        AUTH, (batch("1501"), refusal), AUTH_AGAIN, (batch("1501", NEW_KEY), answer(load("batch")))
    )
    assert gogetssl.fetch_summaries(["1501"], None)["1501"].change_token == "processing:"
    transport.assert_finished()


@pytest.mark.parametrize("body", [{"success": True}, {}])
def test_what_is_no_batch_is_not_taken_for_missing_orders(body: t.Any) -> None:
    gogetssl, _transport = provider(AUTH, (batch("1501"), answer(body)))
    with pytest.raises(UnexpectedResponse, match="no list of certificates") as caught:
        gogetssl.fetch_summaries(["1501"], None)
    assert not caught.value.retryable


# -- section 8: the certificate -----------------------------------------------


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_leaf_and_chain_from_the_status_reply(line_end: str) -> None:
    body = load("active")
    for field in ("crt_code", "ca_code"):
        body[field] = body[field].replace("\r\n", line_end)
    gogetssl, transport = provider(AUTH, (status(), answer(load("active"))), (status(), answer(body)))
    bundle = gogetssl.fetch_certificate(gogetssl.fetch_order(ORDER_ID))
    transport.assert_finished()
    assert bundle.leaf is not None
    assert len(split_certificates([bundle.leaf])) == 1
    assert len(split_certificates(bundle.additional)) == 2
    assert bundle.csr == body["csr_code"].strip()


@pytest.mark.parametrize(
    ("body", "match", "retryable"),
    [
        (changed("active", ca_code=""), "its chain is not there yet", True),
        (changed("active", crt_code=""), "issuing", True),
        (changed("active", reissue_now=1), "previous certificate", True),
        (changed("active", status="reissue"), "previous certificate", True),
        (load("processing"), "validating: 0 of 2 domains", True),
        (changed("active", status="something_new"), "gogetssl reported 'something_new'", True),
        (changed("active", status="revoked"), "the order has ended: revoked", False),
    ],
)
def test_nothing_to_collect(body: t.Any, match: str, retryable: bool) -> None:
    gogetssl, _transport = provider(AUTH, (status(), answer(body)))
    with pytest.raises((NotIssued, OrderFailed), match=match) as caught:
        gogetssl.fetch_certificate(Order("gogetssl", ORDER_ID, Status.ISSUED, issued=True))
    assert (caught.value.provider, caught.value.order_id) == ("gogetssl", ORDER_ID)
    assert caught.value.retryable is retryable


# -- section 9: rate limits ---------------------------------------------------


@pytest.mark.parametrize(("age", "pause"), [(0, 60), (899, 60), (900, 120), (3599, 120), (3600, 300)])
def test_polls_become_rarer(age: float, pause: float) -> None:
    assert GogetsslProvider.info.rate_limits.schedule.pause(age) == pause


def test_evidence_takes_the_status_call_alone() -> None:
    gogetssl, transport = provider(AUTH, (status(), answer(load("processing"))))
    found = gogetssl.fetch_evidence(ORDER_ID, check_mode=True)
    transport.assert_finished()
    assert [one.record and one.record.fqdn for one in found] == ["_AA11.example.org", "_DD44.www.example.org"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": "HTTP 429"}, RateLimited),
        ({"error": "503 Service Unavailable"}, ProviderUnavailable),
        ({"error": {"0": {"message": "Bad gateway"}}}, ProviderUnavailable),
        ({"message": "This order is not validated yet"}, NotIssued),
        ({"status": "error", "message": "Order ID 12345 not found"}, OrderNotFound),
        ({"description": "Too many requests"}, RateLimited),
    ],
)
def test_faults_in_words_and_words_without_an_error(body: t.Any, kind: type[OrderError]) -> None:
    gogetssl, _transport = provider(AUTH, (status(), answer(body)))
    with pytest.raises(OrderError) as caught:
        gogetssl.fetch_order(ORDER_ID)
    assert caught.value.__class__ is kind


def test_the_provider_is_asked_to_look_for_one_name() -> None:
    path = f"/orders/ssl/revalidate/{ORDER_ID}/"
    form = {"domain": "example.org"}
    exchange = ({"method": "POST", "path": path, "form": form}, answer(load("dcv_revalidate")))
    gogetssl, transport = provider(AUTH, exchange)
    name = NameEvidence("example.org", OrderReference("gogetssl", ORDER_ID), "dns")
    assert gogetssl.look_for_evidence(ORDER_ID, [name]) == DcvReply(message="Revalidation requested")
    transport.assert_finished()
    assert [request.repeatable for request in transport.requests] == [True, False]


def test_the_method_of_one_name_is_changed() -> None:
    path = f"/orders/ssl/change_validation_method/{ORDER_ID}/"
    form = {"domain": "example.org", "new_method": "http"}
    exchange = ({"method": "POST", "path": path, "form": form}, answer({"message": "changed", "success": True}))
    gogetssl, transport = provider(AUTH, exchange)
    gogetssl.change_dcv_method(ORDER_ID, ["example.org"], "http")
    transport.assert_finished()
    assert transport.requests[-1].repeatable is False


def test_a_name_that_is_not_in_the_order_is_refused_in_its_own_words() -> None:
    body = {"error": True, "message": "Error", "description": "Domain not found in order"}
    gogetssl, _transport = provider(AUTH, ({}, answer(body)))
    with pytest.raises(InvalidRequest, match="Domain not found in order"):
        gogetssl.change_dcv_method(ORDER_ID, ["example.net"], "http")

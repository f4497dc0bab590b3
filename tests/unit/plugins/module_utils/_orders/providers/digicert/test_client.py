# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigiCert: the requests sent, and what is made of each answer. Tables follow the DigiCert fact sheet."""

from __future__ import annotations

import io
import json
import pathlib
import typing as t
import zipfile
from dataclasses import replace

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    NameEvidence,
    OrderReference,
    Problem,
)
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
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.rate_limit import next_slot
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import drop_personal
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Check, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import DcvReply, OrderSummary
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.client import DigicertProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

BODIES = pathlib.Path(__file__).parent / "bodies"
ORDER_ID = "88120034"
KEY = "d1g1cert-key"
HTML = "<!DOCTYPE html><html><body>Sign in</body></html>"

INFO = {
    "method": "GET",
    "path": "/order/certificate/88120034",
    "query": {"include_caa_status": "true"},
    "form": None,
}
VALIDATION = {"method": "GET", "path": "/order/certificate/88120034/validation", "query": {}, "form": None}
DOWNLOAD = {"method": "GET", "path": "/certificate/77300981/download/format/pem_noroot", "query": {}, "form": None}


def load(name: str) -> t.Any:
    return json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8"))


def provider(*exchanges: t.Any) -> tuple[DigicertProvider, ScriptedTransport]:
    transport = ScriptedTransport(*exchanges)
    account = Account(provider="digicert", api_url="https://www.digicert.com/services/v2", api_key=KEY)
    return DigicertProvider(account, transport), transport


def fetch(info: t.Any, validation: t.Any) -> Order:
    """The order from an order info body and a validation body (a Response for any other answer)."""
    replies = [reply if isinstance(reply, Response) else answer(reply) for reply in (info, validation)]
    digicert, transport = provider((INFO, replies[0]), (VALIDATION, replies[1]))
    order = digicert.fetch_order(ORDER_ID)
    transport.assert_finished()
    return order


def with_status(status: t.Any, info: str = "info_pending", validation: str = "validation_dv_pending") -> Order:
    return fetch({**load(info), "status": status}, {**load(validation), "order_status": status})


# -- requests -----------------------------------------------------------------


def test_the_key_travels_in_its_header_alone() -> None:
    digicert, transport = provider(
        (INFO, answer(load("info_pending"))), (VALIDATION, answer(load("validation_dv_pending")))
    )
    digicert.fetch_order(ORDER_ID)
    for request in transport.requests:
        assert request.headers["X-DC-DEVKEY"] == KEY
        assert request.headers["Content-Type"] == request.headers["Accept"] == "application/json"
        assert KEY not in request.path + str(request.query)
    # What messages call them.
    assert [(request.call, request.order_id) for request in transport.requests] == [
        ("order info", ORDER_ID),
        ("order validation", ORDER_ID),
    ]


@pytest.mark.parametrize("order_id", ["-1", "abc", "12/../3", "0", "1" * 21])
def test_what_is_no_order_id_is_not_sent(order_id: str) -> None:
    digicert, transport = provider()
    with pytest.raises(InvalidRequest, match="no order id of DigiCert"):
        digicert.fetch_order(order_id)


def test_the_published_sample() -> None:
    info = {**load("info_issued"), "id": "12345"}
    paths = [
        {**INFO, "path": "/order/certificate/12345"},
        {**VALIDATION, "path": "/order/certificate/12345/validation"},
    ]
    digicert, _transport = provider((paths[0], answer(info)), (paths[1], answer(load("validation_published"))))
    order = digicert.fetch_order("12345")
    assert (order.status, order.issued, order.dcv_completed) == (Status.ISSUED, True, True)
    assert order.checks["organization"] == Check.COMPLETED
    assert "subdomain.example.com" in [domain.name for domain in order.domains]


def test_an_answer_about_another_order_is_refused() -> None:
    digicert, _transport = provider((INFO, answer({**load("info_issued"), "id": 4711})))
    with pytest.raises(UnexpectedResponse, match="order 4711"):
        digicert.fetch_order(ORDER_ID)
    other = {**load("validation_issued"), "order_id": 4711}
    digicert, _transport = provider((INFO, answer(load("info_issued"))), (VALIDATION, answer(other)))
    with pytest.raises(UnexpectedResponse, match="order 4711"):
        digicert.fetch_order(ORDER_ID)


def test_before_approval_there_may_be_nothing_to_validate() -> None:
    info = {**load("info_needs_approval"), "id": ORDER_ID}
    order = fetch(info, answer(load("error_not_found"), status=404))
    assert (order.status, order.dcv_completed) == (Status.ACTION_REQUIRED, None)
    assert "organization" not in order.checks
    assert [one.name for one in order.domains] == ["example.org"]
    assert order.raw["validation"] is None


@pytest.mark.parametrize("reply", [answer({}), answer("", status=204)])
def test_empty_validation_is_no_validation_data(reply: Response) -> None:
    order = fetch(load("info_pending"), reply)
    assert (order.status, order.dcv_completed) == (Status.VALIDATING, None)


def test_a_reissue_leaves_the_previous_certificate_alone() -> None:
    order = with_status("reissue_pending", "info_issued", "validation_all_done")
    assert (order.status, order.issued, order.final) == (Status.ISSUING, False, False)
    assert [(one.check, one.actor) for one in order.blockers] == [("reissue", "provider")]
    assert "previous certificate" in order.blockers[0].message
    digicert, transport = provider()
    with pytest.raises(NotIssued) as caught:
        digicert.fetch_certificate(order)
    assert (caught.value.provider, caught.value.order_id) == ("digicert", ORDER_ID)
    assert transport.requests == []


def test_a_summary_names_the_certificate_that_a_reissue_is_to_replace() -> None:
    line = {"id": int(ORDER_ID), "status": "reissue_pending", "certificate": {"id": 100}}
    digicert, _transport = provider(({}, answer({"orders": [line]})))
    order = digicert.fetch_summaries([ORDER_ID], None)[ORDER_ID].order
    assert order is not None
    assert (order.certificate.id, [blocker.check for blocker in order.blockers]) == ("100", ["reissue"])


# -- raw and personal data ----------------------------------------------------


def test_personal_data_and_the_key_stay_out_of_raw() -> None:
    transport = ScriptedTransport(
        (INFO, answer({**load("info_pending"), "echo": KEY})), (VALIDATION, answer(load("validation_ov_pending")))
    )
    transport.redactor.learn(KEY)
    account = Account(provider="digicert", api_url="https://www.digicert.com/services/v2", api_key=KEY)
    order = DigicertProvider(account, transport).fetch_order(ORDER_ID)
    shown, left_out = drop_personal(order.raw, DigicertProvider.info.personal)
    everything = json.dumps([order.to_dict(), transport.redactor.scrub_data(shown)])
    for secret in (KEY, "Jane", "Joe", "jane@", "joe@", "ops@", "555 0100"):
        assert secret not in everything
    assert order.raw["order"]["certificate"]["csr"].startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert shown["order"]["requests"] == [{"id": 1, "status": "approved"}]
    assert {"verified_contacts", "organization_contact", "user", "additional_emails", "comments"} <= set(left_out)


# -- section 6: errors --------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (400, "error_random_value", NotIssued, True),
        (400, "error_dns_txt", NotIssued, True),
        (400, "error_caa", NotIssued, True),
        (400, "error_bad_request", InvalidRequest, False),
        (400, "error_time_frame", InvalidRequest, False),
        (401, "error_bad_request", AuthenticationError, False),
        (403, "error_invalid_key", AuthenticationError, False),
        (403, "error_missing_permission", PermissionDenied, False),
        (403, "error_invalid_approver", PermissionDenied, False),
        (403, "error_bad_request", AuthenticationError, False),
        (404, "error_not_found", OrderNotFound, False),
        (404, "error_not_found_object", OrderNotFound, False),
        (404, "error_no_route", InvalidRequest, False),
        (406, "error_bad_request", UnexpectedResponse, True),
        (409, "error_bad_request", InvalidRequest, False),
        (403, "error_limit", RateLimited, True),
        (200, "error_invalid_key", AuthenticationError, False),
        (200, "error_not_found", OrderNotFound, False),
    ],
)
def test_errors(status: int, body: str, kind: type[OrderError], retryable: bool) -> None:
    digicert, _transport = provider((INFO, answer(load(body), status=status)))
    with pytest.raises(OrderError) as caught:
        digicert.fetch_order(ORDER_ID)
    assert caught.value.__class__ is kind
    assert caught.value.retryable is retryable
    errors = load(body)["errors"]
    error = errors[0] if isinstance(errors, list) else errors
    assert error["message"] in caught.value.message and f"HTTP {status}" in caught.value.message
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"message": "API key is invalid"}, AuthenticationError),
        ({"message": "Invalid API key."}, AuthenticationError),
        ({"errors": [{"code": "odd", "message": "The API key has been revoked"}]}, AuthenticationError),
        ({"error": {"code": "not_found", "message": "no order"}}, OrderNotFound),
        ({"error": "Something is wrong"}, InvalidRequest),
        ({"errors": "Something is wrong"}, InvalidRequest),
        ({"message": "Something is wrong"}, InvalidRequest),
        ({"message": "Something is wrong", "status": "error"}, InvalidRequest),
        ({"errors": [{"code": "odd", "message": "Something is wrong"}], "id": 88120034}, InvalidRequest),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_error_is_read_wherever_it_stands(status: int, body: t.Any, kind: type[OrderError]) -> None:
    digicert, _transport = provider((INFO, answer(body, status=status)))
    with pytest.raises(OrderError) as caught:
        digicert.fetch_order(ORDER_ID)
    assert caught.value.__class__ is kind
    value = next(iter(body.values()))
    value = value[0] if isinstance(value, list) else value
    assert (value["message"] if isinstance(value, dict) else value) in caught.value.message


@pytest.mark.parametrize("code", ["access_denied", "access_denied|invalid_key", "access_denied_invalid_key"])
def test_a_refused_key_is_known_by_its_code_too(code: str) -> None:
    digicert, _transport = provider((INFO, answer({"errors": [{"code": code, "message": "no"}]}, status=400)))
    with pytest.raises(AuthenticationError):
        digicert.fetch_order(ORDER_ID)


@pytest.mark.parametrize(
    ("reply", "kind", "retryable", "match"),
    [
        (answer(HTML, status=401), AuthenticationError, False, "api_key"),
        (answer("", status=401), AuthenticationError, False, "api_key"),
        (answer(HTML, status=403), AuthenticationError, False, "api_url"),
        (answer(HTML, status=404), InvalidRequest, False, "api_url"),
        (answer("", status=404), OrderNotFound, False, "order id"),
        (answer({}, status=404), OrderNotFound, False, "order id"),
        (answer(HTML, status=406), UnexpectedResponse, True, "try again"),
        (answer(HTML), UnexpectedResponse, True, "HTML"),
        (answer(""), UnexpectedResponse, True, "empty"),
        (answer('{"id": 88120034, "sta'), UnexpectedResponse, True, "not JSON"),
        (answer([]), UnexpectedResponse, True, "no JSON object"),
        (answer({}), UnexpectedResponse, True, "none of the fields"),
        (answer({"hello": "world"}), UnexpectedResponse, True, "none of the fields"),
        (answer(b"\xff\xfe\x00"), UnexpectedResponse, True, "not JSON"),
        (RateLimited("too many"), RateLimited, True, "too many"),
        (ProviderUnavailable("down"), ProviderUnavailable, True, "down"),
    ],
)
def test_answers_that_cannot_be_used(reply: t.Any, kind: type[OrderError], retryable: bool, match: str) -> None:
    digicert, _transport = provider((INFO, reply))
    with pytest.raises(kind, match=match) as caught:
        digicert.fetch_order(ORDER_ID)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(HTML, status=404), InvalidRequest),
        (answer(HTML), UnexpectedResponse),
        (answer(load("error_missing_permission"), status=403), PermissionDenied),
        (ProviderUnavailable("down"), ProviderUnavailable),
    ],
)
def test_no_half_an_order_when_validation_fails(reply: t.Any, kind: type[OrderError]) -> None:
    digicert, _transport = provider((INFO, answer(load("info_pending"))), (VALIDATION, reply))
    with pytest.raises(kind):
        digicert.fetch_order(ORDER_ID)


# -- refresh ------------------------------------------------------------------


def test_a_refresh_asks_for_validation_alone() -> None:
    order = fetch(load("info_pending"), load("validation_dv_pending"))
    digicert, transport = provider((VALIDATION, answer(load("validation_two_names"))))
    fresh = digicert.refresh_order(order)
    transport.assert_finished()
    assert replace(fresh, raw=None) == replace(fetch(load("info_pending"), load("validation_two_names")), raw=None)
    assert fresh.raw == {"order": None, "validation": load("validation_two_names")}


def test_a_refresh_sees_the_last_name_done() -> None:
    order = fetch(load("info_pending"), load("validation_dv_pending"))
    digicert, _transport = provider((VALIDATION, answer(load("validation_all_done"))))
    fresh = digicert.refresh_order(order)
    assert (fresh.status, fresh.dcv_completed, fresh.blockers) == (Status.ISSUING, True, ())
    assert fresh.checks["csr"] == Check.COMPLETED


@pytest.mark.parametrize(
    "reply",
    [
        answer({"order_status": "issued"}),
        answer({"order_status": "canceled"}),
        answer({"dns_name_validations": []}),
        answer({}, status=404),
    ],
)
def test_a_refresh_that_finds_another_word_asks_for_all(reply: Response) -> None:
    order = fetch(load("info_pending"), load("validation_dv_pending"))
    digicert, transport = provider((VALIDATION, reply), (INFO, answer(load("info_issued"))))
    assert digicert.refresh_order(order).issued
    transport.assert_finished()


def test_a_wait_takes_an_issued_order_from_order_info_alone() -> None:
    digicert, transport = provider((INFO, answer(load("info_issued"))))
    order = digicert.fetch_progress(ORDER_ID)
    transport.assert_finished()
    assert (order.issued, order.dcv_completed, order.certificate.id) == (True, True, "77300981")
    assert {one.name: one.status for one in order.domains} == {
        "example.org": Check.COMPLETED,
        "www.example.org": Check.COMPLETED,
    }


@pytest.mark.parametrize("certificate", [{"status": "pending"}, {"id": None}])
def test_a_wait_looks_at_validation_until_there_is_a_certificate(certificate: t.Any) -> None:
    info = load("info_issued")
    info["certificate"].update(certificate)
    digicert, transport = provider((INFO, answer(info)), (VALIDATION, answer(load("validation_two_names"))))
    assert not digicert.fetch_progress(ORDER_ID).issued
    transport.assert_finished()
    digicert, transport = provider(
        (INFO, answer(load("info_pending"))), (VALIDATION, answer(load("validation_two_names")))
    )
    order = digicert.fetch_progress(ORDER_ID)
    transport.assert_finished()
    assert order == fetch(load("info_pending"), load("validation_two_names"))


# -- section 7: list and status-changes ---------------------------------------


def listing(offset: int) -> dict[str, t.Any]:
    return {"method": "GET", "path": "/order/certificate", "query": {"limit": "1000", "offset": str(offset)}}


def changes(minutes: int) -> dict[str, t.Any]:
    return {"method": "GET", "path": "/order/certificate/status-changes", "query": {"minutes": str(minutes)}}


def page(first: int, count: int) -> Response:
    """A page of orders with rising ids, in the shape of the first order of the list body."""
    one = load("list")["orders"][0]
    return answer({"orders": [{**one, "id": first + index} for index in range(count)]})


def listed(summaries: t.Mapping[str, OrderSummary]) -> list[str]:
    """The orders that the list shows. Those that it does not show are left to the detail call."""
    return [order_id for order_id, summary in summaries.items() if summary != OrderSummary(change_token="unlisted")]


def test_the_first_bulk_call_reads_the_list() -> None:
    digicert, transport = provider((listing(0), answer(load("list"))))
    summaries = digicert.fetch_summaries(["88120034", "88120035", "4711"], None)
    transport.assert_finished()
    assert sorted(summaries) == ["4711", "88120034", "88120035"]
    assert summaries["4711"] == OrderSummary(change_token="unlisted")
    assert summaries["88120034"].change_token == "pending:77300981"
    order = summaries["88120034"].order
    assert order is not None
    assert (order.status, order.dcv_completed, order.issued) == (Status.VALIDATING, None, False)
    assert (order.provider, order.order_id, order.provider_status) == ("digicert", "88120034", "pending")
    assert (order.certificate.id, order.ordered_at) == ("77300981", "2026-03-01T10:00:00Z")
    assert transport.requests[0].call == "order list"
    assert (summaries["88120035"].change_token, summaries["88120035"].order) == ("issued:77300982", None)


def test_the_list_is_read_until_all_are_found() -> None:
    digicert, transport = provider((listing(0), page(1, 1000)), (listing(1000), page(1001, 1000)))
    assert listed(digicert.fetch_summaries(["7", "1500"], None)) == ["7", "1500"]
    transport.assert_finished()


def test_a_short_page_is_the_last_one() -> None:
    digicert, transport = provider((listing(0), page(1, 1000)), (listing(1000), page(1001, 3)))
    assert listed(digicert.fetch_summaries(["7", "9999"], None)) == ["7"]
    transport.assert_finished()


def test_a_server_that_repeats_its_first_page_is_not_asked_for_ever() -> None:
    digicert, transport = provider((listing(0), page(1, 1000)), (listing(1000), page(1, 1000)))
    assert listed(digicert.fetch_summaries(["9999", "9998"], None)) == []
    transport.assert_finished()


def test_pages_cost_no_more_than_single_calls() -> None:
    pages = [(listing(1000 * number), page(1 + 1000 * number, 1000)) for number in range(4)]
    digicert, transport = provider(*pages)
    assert listed(digicert.fetch_summaries(["99999", "99998"], None)) == []
    transport.assert_finished()


@pytest.mark.parametrize(
    ("since", "minutes"), [(0.0, 2), (1.0, 3), (60.0, 3), (61.0, 4), (3600.0, 62), (604680.0, 10080)]
)
def test_windows_overlap(since: float, minutes: int) -> None:
    digicert, transport = provider((changes(minutes), answer({})))
    assert digicert.fetch_summaries([ORDER_ID], since) == {}
    assert transport.requests[0].call == "status-changes"
    transport.assert_finished()


def test_a_window_beyond_seven_days_reads_the_list() -> None:
    digicert, transport = provider((listing(0), answer(load("list"))))
    assert ORDER_ID in digicert.fetch_summaries([ORDER_ID], 604741.0)
    transport.assert_finished()


@pytest.mark.parametrize("wrapped", [True, False])
def test_status_changes_in_either_wrapping(wrapped: bool) -> None:
    body = load("status_changes") if wrapped else load("status_changes")["orders"]
    digicert, _transport = provider((changes(3), answer(body)))
    summaries = digicert.fetch_summaries([ORDER_ID, "4711"], 30.0)
    assert {order_id: (one.change_token, one.order) for order_id, one in summaries.items()} == {
        ORDER_ID: ("issued:77300981", None)
    }


@pytest.mark.parametrize("body", [{}, [], {"orders": []}, {"orders": None}, {"orders": {}}])
def test_nothing_changed(body: t.Any) -> None:
    digicert, _transport = provider((changes(3), answer(body)))
    assert digicert.fetch_summaries([ORDER_ID], 30.0) == {}


def test_no_content_is_nothing_changed() -> None:
    digicert, _transport = provider((changes(3), answer("", status=204)))
    assert digicert.fetch_summaries([ORDER_ID], 30.0) == {}


@pytest.mark.parametrize("body", [{"page": {}}, "text", 7, {"orders": "x"}])
def test_what_is_no_list_is_not_taken_for_silence(body: t.Any) -> None:
    digicert, _transport = provider((changes(3), answer(json.dumps(body))))
    with pytest.raises(UnexpectedResponse) as caught:
        digicert.fetch_summaries([ORDER_ID], 30.0)
    assert not caught.value.retryable


def test_the_same_state_has_the_same_mark_in_both_calls() -> None:
    listed = load("list")["orders"][1]
    changed = {"order_id": str(listed["id"]), "certificate_id": listed["certificate"]["id"], "status": "Issued"}
    digicert, _transport = provider(
        (listing(0), answer({"orders": [listed]})), (changes(3), answer([changed, changed]))
    )
    assert digicert.fetch_summaries(["88120035"], None) == digicert.fetch_summaries(["88120035"], 30.0)


def test_two_states_of_one_order_are_left_to_the_detail_call() -> None:
    old, new = load("list")["orders"][0], load("status_changes")["orders"][0]
    digicert, _transport = provider((changes(3), answer([old, new, old])))
    summary = digicert.fetch_summaries([ORDER_ID], 30.0)[ORDER_ID]
    assert (summary.change_token, summary.order) == ("issued:77300981+pending:77300981", None)


@pytest.mark.parametrize(
    ("body", "kind"), [("error_time_frame", InvalidRequest), ("error_bad_request", InvalidRequest)]
)
def test_a_refused_bulk_call_is_an_error(body: str, kind: type[OrderError]) -> None:
    digicert, _transport = provider((changes(3), answer(load(body), status=400)))
    with pytest.raises(kind):
        digicert.fetch_summaries([ORDER_ID], 30.0)


# -- section 8: the certificate -----------------------------------------------


def issued() -> Order:
    return fetch(load("info_issued"), load("validation_issued"))


def pem(name: str) -> str:
    return (BODIES / (name + ".pem")).read_text(encoding="ascii")


@pytest.mark.parametrize(("name", "count"), [("pem_noroot_2", 2), ("pem_all_3", 3), ("pem_all_4", 4)])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_certificate_is_downloaded_by_its_id(name: str, count: int, line_end: str) -> None:
    digicert, transport = provider((DOWNLOAD, answer(pem(name).replace("\n", line_end))))
    bundle = digicert.fetch_certificate(issued())
    transport.assert_finished()
    assert bundle.leaf is None
    assert len(split_certificates(bundle.additional)) == count
    assert transport.requests[0].headers["X-DC-DEVKEY"] == KEY
    # It is no JSON that comes.
    assert transport.requests[0].headers["Accept"] == "*/*"
    assert (transport.requests[0].call, transport.requests[0].order_id) == ("certificate download", ORDER_ID)


def test_nothing_is_read_back_from_what_is_shown() -> None:
    info = load("info_issued")
    info["certificate"]["csr"] = load("info_pending")["certificate"]["csr"]
    order = replace(fetch(info, load("validation_issued")), raw={"order": {"certificate": {"csr": "********"}}})
    digicert, transport = provider((DOWNLOAD, answer(pem("pem_noroot_2"))))
    assert digicert.fetch_certificate(order).csr == info["certificate"]["csr"].strip()
    transport.assert_finished()


def test_the_csr_of_the_order_comes_along() -> None:
    csr = load("info_pending")["certificate"]["csr"]
    info = load("info_issued")
    info["certificate"]["csr"] = csr
    order = fetch(info, load("validation_issued"))
    digicert, _transport = provider((DOWNLOAD, answer(pem("pem_noroot_2"))))
    assert digicert.fetch_certificate(order).csr == csr.strip()
    digicert, _transport = provider((DOWNLOAD, answer(pem("pem_noroot_2"))))
    assert digicert.fetch_certificate(issued()).csr is None


def test_a_certificate_without_armor_is_handed_over() -> None:
    bare = pem("pem_noroot_2").split("-----")[2]
    digicert, _transport = provider((DOWNLOAD, answer(bare)))
    assert len(split_certificates(digicert.fetch_certificate(issued()).additional)) == 1


def archive(members: t.Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # without the time of day
    return buffer.getvalue()


def test_an_archive_is_unpacked() -> None:
    members = {"certs/example_org.crt": pem("pem_noroot_2"), "INSTALL.txt": "read me"}
    digicert, _transport = provider((DOWNLOAD, answer(archive(members))))
    assert len(split_certificates(digicert.fetch_certificate(issued()).additional)) == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("broken", [False, True])
def test_a_compression_that_reserves_what_the_archive_demands_is_not_read(method: int, broken: bool) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        opened.writestr("example_org.crt", pem("pem_noroot_2") if broken else "0" * 5_000_000)
    content = bytearray(buffer.getvalue())
    if broken:
        # Within the compressed data, behind the header of the member.
        content[60:80] = b"\xff" * 20
    digicert, _transport = provider((DOWNLOAD, answer(bytes(content))))
    with pytest.raises(UnexpectedResponse, match="method") as caught:
        digicert.fetch_certificate(issued())
    assert caught.value.retryable is False


def test_an_archive_with_more_files_than_any_is_not_read() -> None:
    many = archive({f"{number}.crt": "" for number in range(15_000)})
    assert len(many) > 1024 * 1024
    digicert, _transport = provider((DOWNLOAD, answer(many)))
    with pytest.raises(UnexpectedResponse, match="larger"):
        digicert.fetch_certificate(issued())


@pytest.mark.parametrize(
    ("content", "retryable", "match"),
    [
        (archive({"INSTALL.txt": "read me"}), True, "no certificate"),
        (archive({"bomb.crt": "0" * 50_000_000 + pem("pem_noroot_2")}), True, "no certificate"),
        (b"PK\x03\x04 and then the connection broke", True, "archive"),
        (b"\x30\x82\x01\x0a\x06\x09", False, "PKCS"),
        (b"-----BEGIN PKCS7-----\nMII=\n-----END PKCS7-----\n", False, "PKCS"),
        (HTML.encode("ascii"), True, "no certificate"),
        (b"", True, "no certificate"),
        (b"{}", True, "no certificate"),
        (pem("pem_noroot_2")[:-40].encode("ascii"), True, "cut off"),
    ],
)
def test_downloads_that_hold_no_certificate(content: bytes, retryable: bool, match: str) -> None:
    digicert, _transport = provider((DOWNLOAD, answer(content)))
    with pytest.raises(UnexpectedResponse, match=match) as caught:
        digicert.fetch_certificate(issued())
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("error_invalid_key", 200, AuthenticationError),
        ("error_invalid_key", 403, AuthenticationError),
        ("error_bad_request", 400, InvalidRequest),
    ],
)
def test_an_error_in_place_of_the_certificate_is_that_error(body: str, status: int, kind: type[OrderError]) -> None:
    digicert, _transport = provider((DOWNLOAD, answer(load(body), status=status)))
    with pytest.raises(kind, match=f"HTTP {status}"):
        digicert.fetch_certificate(issued())


def test_a_pending_order_is_not_downloaded() -> None:
    digicert, transport = provider()
    with pytest.raises(NotIssued, match="validating: 0 of 2 domains"):
        digicert.fetch_certificate(fetch(load("info_pending"), load("validation_dv_pending")))
    assert transport.requests == []


@pytest.mark.parametrize(("word", "retryable"), [("revoked", False), ("expired", False), ("processing", True)])
def test_what_has_ended_is_not_worth_another_download(word: str, retryable: bool) -> None:
    digicert, _transport = provider()
    with pytest.raises((NotIssued, OrderFailed)) as caught:
        digicert.fetch_certificate(with_status(word, "info_issued", "validation_issued"))
    assert caught.value.retryable is retryable


def test_a_download_of_waiting_pickup_is_tried() -> None:
    order = with_status("waiting_pickup", "info_issued", "validation_issued")
    digicert, _transport = provider((DOWNLOAD, answer(load("error_not_found"), status=404)))
    with pytest.raises(NotIssued):
        digicert.fetch_certificate(order)
    digicert, _transport = provider((DOWNLOAD, answer(pem("pem_noroot_2"))))
    assert digicert.fetch_certificate(order).additional


def test_a_download_that_is_not_found_though_issued() -> None:
    digicert, _transport = provider((DOWNLOAD, answer(load("error_not_found"), status=404)))
    with pytest.raises(OrderNotFound):
        digicert.fetch_certificate(issued())


def test_without_certificate_id_order_info_is_asked() -> None:
    order = Order("digicert", ORDER_ID, Status.ISSUED, provider_status="issued", issued=True)
    digicert, transport = provider((INFO, answer(load("info_issued"))), (DOWNLOAD, answer(pem("pem_noroot_2"))))
    assert digicert.fetch_certificate(order).additional
    transport.assert_finished()
    digicert, _transport = provider((INFO, answer({**load("info_needs_approval"), "id": ORDER_ID})))
    with pytest.raises(NotIssued):
        digicert.fetch_certificate(order)


# -- section 9: rate limits ---------------------------------------------------


def test_the_rate_stays_below_both_published_limits() -> None:
    budgets = DigicertProvider.info.rate_limits.budgets
    sent: list[float] = []
    for _number in range(2500):
        sent.append(next_slot(sent, budgets, sent[-1] if sent else 0.0))
    # Half a second of jitter in the network must not push one request too many into a window.
    for requests, seconds in ((100, 5.5), (1000, 180.5)):
        assert all(later - earlier >= seconds for earlier, later in zip(sent, sent[requests:]))


@pytest.mark.parametrize(("age", "pause"), [(0, 60), (899, 60), (900, 120), (3599, 120), (3600, 300), (864000, 300)])
def test_polls_become_rarer(age: float, pause: float) -> None:
    assert DigicertProvider.info.rate_limits.schedule.pause(age) == pause


# -- evidence for DCV ---------------------------------------------------------

RANDOM_VALUE = {"method": "PUT", "path": "/order/certificate/88120034/dcv-random-value", "query": {}, "form": None}
DOMAIN = {"method": "GET", "path": "/domain/50711", "query": {"include_dcv": "true"}, "form": None}


def later(name: str) -> dict[str, t.Any]:
    """A body with a random value whose end is far off."""
    return json.loads(json.dumps(load(name)).replace("2026-04-30", "2099-04-30"))


def looked_at(*exchanges: t.Any) -> tuple[DigicertProvider, ScriptedTransport]:
    return provider(
        (INFO, answer(load("info_pending"))), (VALIDATION, answer(load("validation_dv_pending"))), *exchanges
    )


def test_the_value_of_the_order_is_the_evidence() -> None:
    digicert, transport = looked_at((RANDOM_VALUE, answer(later("dcv_random_value"))))
    found = digicert.fetch_evidence(ORDER_ID)
    transport.assert_finished()
    assert [(one.name, one.record and one.record.value, one.problem) for one in found] == [
        ("example.org", "rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t", None),
        ("www.example.org", "rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t", None),
    ]
    assert (transport.requests[2].call, transport.requests[2].order_id) == ("dcv-random-value", ORDER_ID)


def test_check_mode_sends_only_gets() -> None:
    digicert, transport = looked_at((DOMAIN, answer(later("domain_dcv"))))
    found = digicert.fetch_evidence(ORDER_ID, check_mode=True)
    transport.assert_finished()
    assert {request.method for request in transport.requests} == {"GET"}
    assert {one.record and one.record.value for one in found} == {"rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t"}


@pytest.mark.parametrize(
    "refusal",
    [
        answer(load("error_missing_permission"), status=403),
        answer({"errors": [{"code": "invalid_dcv_method", "message": "no token"}]}, status=400),
        answer(load("error_not_found"), status=404),
        answer({}),
    ],
)
def test_where_the_order_gives_no_value_the_domain_does(refusal: Response) -> None:
    digicert, transport = looked_at((RANDOM_VALUE, refusal), (DOMAIN, answer(later("domain_dcv"))))
    assert {one.problem for one in digicert.fetch_evidence(ORDER_ID)} == {None}
    transport.assert_finished()


@pytest.mark.parametrize(
    "reply", [answer({"id": 50711}), answer(load("error_not_found"), status=404), answer("", status=204)]
)
def test_where_nobody_gives_a_value_it_is_unknown(reply: Response) -> None:
    refusal = answer(load("error_missing_permission"), status=403)
    digicert, transport = looked_at((RANDOM_VALUE, refusal), (DOMAIN, reply))
    assert {one.problem for one in digicert.fetch_evidence(ORDER_ID)} == {Problem.TOKEN_UNKNOWN}
    transport.assert_finished()


@pytest.mark.parametrize("refusal", [answer(load("error_invalid_key"), status=403), RateLimited("too many")])
def test_a_fault_of_the_account_is_no_missing_value(refusal: t.Any) -> None:
    digicert, _transport = looked_at((RANDOM_VALUE, refusal))
    with pytest.raises((AuthenticationError, RateLimited)) as caught:
        digicert.fetch_evidence(ORDER_ID)
    assert not isinstance(caught.value, PermissionDenied)


def test_an_order_without_open_names_is_not_asked_for_a_value() -> None:
    digicert, transport = provider((INFO, answer(load("info_issued"))), (VALIDATION, answer(load("validation_issued"))))
    assert {one.source for one in digicert.fetch_evidence(ORDER_ID)} == {"none"}
    transport.assert_finished()


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (
            400,
            {"errors": {"0": {"code": "odd", "message": "one"}, "1": {"message": "two"}}},
            InvalidRequest,
            "one; two",
        ),
        (400, {"error": {"errors": [{"code": "odd", "message": "inside"}]}}, InvalidRequest, "inside"),
        (400, {"messages": ["first", "second"]}, InvalidRequest, "first; second"),
        (400, {"title": "Bad", "detail": "in detail"}, InvalidRequest, "in detail"),
        (200, {"errors": [{"code": "too_many_requests", "message": "Slow down"}]}, RateLimited, "Slow down"),
        (200, {"errors": [{"message": "Internal server error"}]}, ProviderUnavailable, "Internal"),
        (200, {"errors": [{"message": "HTTP 503 from upstream"}]}, ProviderUnavailable, "upstream"),
        (404, {"errors": [{"code": "not_found", "message": "The order is not validated yet"}]}, NotIssued, "not valid"),
        (404, {"errors": [{"code": "not_found", "message": "Order not found"}]}, OrderNotFound, "not found"),
    ],
)
def test_reasons_in_odd_places_and_faults_in_words(
    status: int, body: t.Any, kind: type[OrderError], reason: str
) -> None:
    digicert, _transport = provider((INFO, answer(body, status=status)))
    with pytest.raises(OrderError) as caught:
        digicert.fetch_order(ORDER_ID)
    assert caught.value.__class__ is kind
    assert reason in caught.value.message


def test_methods_are_read_without_a_random_value() -> None:
    digicert, transport = looked_at()
    assert {one.method for one in digicert.fetch_dcv_methods(ORDER_ID)} == {"dns-txt-token"}
    transport.assert_finished()


CHECK = {"method": "PUT", "path": f"/order/certificate/{ORDER_ID}/check-dcv"}


def look(response: Response) -> tuple[DcvReply, ScriptedTransport]:
    digicert, transport = provider((CHECK, response))
    reply = digicert.look_for_evidence(ORDER_ID, [])
    transport.assert_finished()
    return reply, transport


def test_an_answer_with_a_name_that_is_pending_approves_the_others_alone() -> None:
    reply, transport = look(answer(load("check_dcv_pending")))
    assert reply == DcvReply(frozenset(["example.org"]))
    assert (transport.requests[0].repeatable, transport.requests[0].content) == (False, None)


@pytest.mark.parametrize("code", ["file_random_value_not_found", "invalid_dns_txt"])
def test_not_found_yet_is_no_failure(code: str) -> None:
    reply, _transport = look(answer({"errors": [{"code": code, "message": "Could not find it."}]}, 400))
    assert reply.approved == frozenset()
    assert "Could not find it." in (reply.message or "")


def test_every_other_refusal_is_a_failure() -> None:
    with pytest.raises(InvalidRequest, match="not for e-mail"):
        look(answer({"errors": [{"code": "invalid_dcv_method", "message": "not for e-mail"}]}, 400))


def test_the_method_of_the_order_is_changed() -> None:
    path = f"/order/certificate/{ORDER_ID}/dcv-method"
    digicert, transport = provider(({"method": "PUT", "path": path}, answer(load("dcv_random_value"))))
    digicert.change_dcv_method(ORDER_ID, ["example.org"], "http-token")
    (request,) = transport.requests
    assert (request.content, request.repeatable) == ({"dcv_method": "http-token"}, False)


def test_an_order_has_one_method() -> None:
    digicert, _transport = provider()
    reference = OrderReference("digicert", ORDER_ID)
    names = [
        NameEvidence("a.example", reference, "http-token", "in_progress"),
        NameEvidence("b.example", reference, "http-token", "in_progress"),
        NameEvidence("c.example", reference, "email", "completed"),
    ]
    digicert.check_dcv_methods({}, names)
    digicert.check_dcv_methods(dict.fromkeys(["a.example", "b.example"], "dns-txt-token"), names)
    with pytest.raises(InvalidRequest, match="one DCV method for all its names"):
        digicert.check_dcv_methods({"a.example": "dns-txt-token"}, names)

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GoGetSSL: the requests sent, and what each answer becomes. Tables follow the GoGetSSL fact sheet."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates.chain import split_certificates
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import drop_personal_text
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Check, Order, Record, Status
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


def fetch(body: t.Mapping[str, t.Any], order_id: str = ORDER_ID) -> Order:
    gogetssl, transport = provider(AUTH, (status(order_id), answer(body)))
    order = gogetssl.fetch_order(order_id)
    transport.assert_finished()
    return order


def changed(name: str, **changes: t.Any) -> dict[str, t.Any]:
    """A body with these fields instead; None takes a field away."""
    body = {**load(name), **changes}
    return {field: value for field, value in body.items() if value is not None}


def all_done(**changes: t.Any) -> dict[str, t.Any]:
    """The processing order with every name validated."""
    san = [{**one, "status": "2"} for one in load("processing")["san"]]
    return changed("processing", **{"dcv_status": 2, "san": san, **changes})


# -- section 2: the session key -----------------------------------------------


def test_one_key_serves_all_questions() -> None:
    body = answer(load("processing"))
    gogetssl, transport = provider(AUTH, (status(), body), (status(), body))
    gogetssl.fetch_order(ORDER_ID)
    gogetssl.fetch_order(ORDER_ID)
    transport.assert_finished()
    # What messages call them.
    asked = [(request.call, request.order_id) for request in transport.requests]
    assert asked == [("auth", None), ("order status", ORDER_ID), ("order status", ORDER_ID)]


def test_the_key_is_secret_as_soon_as_it_is_known() -> None:
    gogetssl, transport = provider(AUTH, (status(), answer({**load("processing"), "echo": "auth_key=" + KEY})))
    order = gogetssl.fetch_order(ORDER_ID)
    assert KEY in transport.redactor.secrets
    assert KEY not in json.dumps(order.to_dict(include_raw=True))


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


# -- section 5: status --------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("cancelled", Status.CANCELED),
        ("canceled", Status.CANCELED),
        ("Cancelled ", Status.CANCELED),
        ("rejected", Status.REJECTED),
        ("expired", Status.EXPIRED),
        ("revoked", Status.REVOKED),
        ("failed", Status.FAILED),
        ("filed", Status.FAILED),
    ],
)
def test_words_that_end_an_order(word: str, expected: str) -> None:
    order = fetch(changed("active", status=word, status_description="why it ended"))
    assert (order.status, order.final, order.issued) == (expected, True, False)
    assert (order.reason, order.blockers) == ("why it ended", ())


@pytest.mark.parametrize(
    ("word", "check"),
    [
        ("new_order", "csr"),
        ("incomplete", "csr"),
        ("unpaid", "payment"),
        ("payment needed", "payment"),
        ("UNPAID", "payment"),
    ],
)
def test_words_that_call_for_a_person(word: str, check: str) -> None:
    order = fetch(changed("unpaid", status=word, order_id=ORDER_ID))
    assert (order.status, order.final, order.issued) == (Status.ACTION_REQUIRED, False, False)
    assert [(one.check, one.actor) for one in order.blockers] == [(check, "you")]
    assert order.reason == "Invoice 77 is open"


@pytest.mark.parametrize(
    ("changes", "expected", "issued"),
    [
        ({}, Status.ISSUED, True),
        ({"reissue_now": "0"}, Status.ISSUED, True),
        ({"reissue_now": None}, Status.ISSUED, True),
        ({"status": "Active"}, Status.ISSUED, True),
        ({"crt_code": ""}, Status.ISSUING, False),
        ({"crt_code": " \r\n"}, Status.ISSUING, False),
        ({"crt_code": None}, Status.ISSUING, False),
        ({"crt_code": []}, Status.ISSUING, False),
        ({"ca_code": ""}, Status.ISSUED, False),
        ({"ca_code": None}, Status.ISSUED, False),
        ({"reissue_now": 1}, Status.ISSUING, False),
        ({"reissue_now": "1"}, Status.ISSUING, False),
        ({"reissue_now": True}, Status.ISSUING, False),
        ({"reissue_now": 1, "dcv_status": 1}, Status.VALIDATING, False),
        ({"reissue_now": 1, "manual_check": 1}, Status.VALIDATING, False),
        ({"reissue_now": 1, "status_description": "PRE-SIGN FAILED!!!"}, Status.VALIDATING, False),
    ],
)
def test_active(changes: dict[str, t.Any], expected: str, issued: bool) -> None:
    order = fetch(changed("active", **changes))
    assert (order.status, order.issued, order.final) == (expected, issued, issued)


def test_an_issued_certificate_without_its_chain_is_waited_for() -> None:
    order = fetch(changed("active", ca_code=""))
    assert "chain (ca_code) is not there yet" in order.warnings[0]
    assert order.dcv_completed is True


def test_a_reissue_says_that_the_certificate_is_the_previous_one() -> None:
    order = fetch(changed("active", reissue_now=1))
    assert [(one.check, one.actor) for one in order.blockers] == [("reissue", "provider")]
    assert order.certificate.serial_number == "A1B2C3D4E5F"
    assert order.issued is False


@pytest.mark.parametrize("word", ["processing", "pending", "reissue", "Processing"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Status.ISSUING),
        ({"pre_signing": 1}, Status.ISSUING),
        ({"manual_check": "1"}, Status.VALIDATING),
        ({"dcv_status": 1}, Status.VALIDATING),
        ({"dcv_status": None}, Status.VALIDATING),
        ({"status_description": "PRE-SIGN FAILED!!!"}, Status.VALIDATING),
        ({"status_description": "order: pre-sign failed, CAA"}, Status.VALIDATING),
    ],
)
def test_words_under_which_the_ca_is_at_work(word: str, changes: dict[str, t.Any], expected: str) -> None:
    order = fetch(all_done(status=word, **changes))
    assert (order.status, order.issued, order.final) == (expected, False, False)


@pytest.mark.parametrize("word", ["something_new", "", None, 7, True, {"active": 1}, ["active"]])
def test_an_unknown_word_is_never_success_and_never_final(word: t.Any) -> None:
    order = fetch(changed("active", status=word))
    assert (order.status, order.issued, order.final) == (Status.UNKNOWN, False, False)
    assert "does not know" in order.warnings[0]
    assert ("something_new" in order.warnings[0]) is (word == "something_new")


def test_a_presign_failure_is_a_hold_with_its_reason() -> None:
    order = fetch(all_done(status_description="PRE-SIGN FAILED!!! CAA record"))
    assert (order.status, order.final) == (Status.VALIDATING, False)
    assert order.checks["caa"] == Check.NOT_COMPLETED
    assert order.reason == "PRE-SIGN FAILED!!! CAA record"
    assert [one.check for one in order.blockers] == ["caa"]


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (1, "in_progress"),
        ("1", "in_progress"),
        (0, "not_applicable"),
        ("0", "not_applicable"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_manual_check_is_brand_validation(value: t.Any, state: str) -> None:
    order = fetch(all_done(manual_check=value))
    assert order.checks["brand"] == state
    assert [(one.check, one.actor) for one in order.blockers] == (
        [("brand", "provider")] if state == "in_progress" else []
    )


@pytest.mark.parametrize("value", ["0", 0, None, "1", 1])
def test_pre_signing_gives_the_reason_only_when_it_is_on(value: t.Any) -> None:
    order = fetch(all_done(pre_signing=value, status_description="CA backlog"))
    assert order.status == Status.ISSUING
    assert order.reason == ("CA backlog" if value in ("1", 1) else None)


def test_the_reason_is_read_wherever_it_stands() -> None:
    told = {"status": "rejected", "validation_description": "on a deny list"}
    assert fetch(changed("active", **told, status_description="")).reason == "on a deny list"
    assert fetch(changed("active", **told, status_description="brand")).reason == "brand"


# -- section 5: DCV -----------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "san", "completed", "check"),
    [
        (2, ["2"], True, "completed"),
        ("2", [2], True, "completed"),
        (2, [], True, "completed"),
        (2, ["1"], False, "in_progress"),
        (2, [1, "2"], False, "in_progress"),
        (2, ["0"], False, "not_completed"),
        (0, ["2"], False, "not_completed"),
        (1, [], False, "in_progress"),
        ("1", ["2"], False, "in_progress"),
        (None, [], None, "unknown"),
        (None, ["2"], None, "unknown"),
        (None, ["1"], False, "in_progress"),
        ("", ["2"], None, "unknown"),
        (2, ["7"], False, "unknown"),
        (7, [], None, "unknown"),
    ],
)
def test_dcv(base: t.Any, san: t.Sequence[t.Any], completed: bool | None, check: str) -> None:
    names = [{"san_name": f"n{index}.example.org", "status": one} for index, one in enumerate(san)]
    order = fetch(changed("processing", dcv_status=base, san=names, domains="example.org"))
    assert (order.dcv_completed, order.checks["dcv"]) == (completed, check)
    assert order.status == (Status.ISSUING if completed else Status.VALIDATING)
    odd = [warning for warning in order.warnings if "gogetssl" in warning and "does not know" in warning]
    assert bool(odd) is (base == 7 or "7" in san)


def test_an_active_order_has_its_dcv_done() -> None:
    order = fetch(changed("active", dcv_status=None, san=None))
    assert (order.dcv_completed, order.checks["dcv"]) == (True, Check.COMPLETED)
    assert {one.status for one in order.domains} == {Check.COMPLETED}
    assert fetch(changed("active", dcv_status=1, reissue_now=1)).dcv_completed is False


def test_every_name_once() -> None:
    order = fetch(changed("processing", domains="Example.org, www.example.org,api.example.org"))
    assert [(one.name, one.status, one.method) for one in order.domains] == [
        ("example.org", Check.IN_PROGRESS, "dns"),
        ("www.example.org", Check.IN_PROGRESS, "dns"),
        ("api.example.org", Check.UNKNOWN, None),
    ]


def test_the_base_domain_from_the_list_alone() -> None:
    order = fetch(changed("processing", domain="", domains="www.example.org,example.org"))
    assert [one.name for one in order.domains] == ["example.org", "www.example.org"]
    assert order.domains[0].record == Record("CNAME", "_AA11.example.org", "bb22.cc33.t0990.comodoca.com")


@pytest.mark.parametrize("san", [[], {}, "", None, "www.example.org", 7])
def test_no_san(san: t.Any) -> None:
    order = fetch(changed("processing", san=san, domains=""))
    assert [one.name for one in order.domains] == ["example.org"]


def test_blockers_say_what_to_publish() -> None:
    order = fetch(load("processing"))
    assert [(one.check, one.subject, one.actor) for one in order.blockers] == [
        ("dcv", "example.org", "you"),
        ("dcv", "www.example.org", "you"),
    ]
    assert "publish the CNAME record _AA11.example.org" in order.blockers[0].message


# -- section 10: what to publish ----------------------------------------------

CONTENT = "d30c0ffe\r\nCOMODOCA.COM\r\nt0990"
LINK = "http://example.org/.well-known/pki-validation/0A1B2C.txt"
CNAME = Record("CNAME", "_AA11.example.org", "bb22.cc33.t0990.comodoca.com")
TXT = Record("TXT", "example.org", "tok3n")
EMAIL = Record("email", "admin@example.org")
SHAPES = [
    (load("dcv_http"), "http", "http", Record("http", LINK, CONTENT)),
    (load("dcv_https"), "https", "https", Record("http", LINK.replace("http:", "https:"), CONTENT)),
    (load("dcv_http"), "https", "https", Record("http", LINK, CONTENT)),
    (load("dcv_dns_cname"), "dns", "dns", CNAME),
    (load("dcv_dns_txt"), "dns", "dns", TXT),
    (load("dcv_email"), "email", "email", EMAIL),
    (load("dcv_dns_cname"), "", "dns", CNAME),
    ([load("dcv_email")], "email", "email", EMAIL),
    ({"dns": load("dcv_dns_txt")["dns"]["record"]}, "dns", "dns", TXT),
    ({"email": load("dcv_email")}, "email", "email", EMAIL),
    ({"http": LINK}, "http", "http", Record("http", LINK)),
    (load("dcv_dns_cname")["dns"]["record"], "dns", "dns", CNAME),
    ("admin@example.org", "", "email", EMAIL),
    (LINK, "http", "http", Record("http", LINK)),
    (LINK, "", "http", Record("http", LINK)),
    (LINK.replace("http:", "HTTP:"), "", "http", Record("http", LINK.replace("http:", "HTTP:"))),
    ("dns", "", "dns", None),
    ("dns", "dns", "dns", None),
    ("word", "dns", "dns", None),
    ({}, "dns", "dns", None),
    ("", "dns", "dns", None),
    ([], "dns", "dns", None),
    (None, "dns", "dns", None),
    (7, "http", "http", None),
    ({"dns": []}, "dns", "dns", None),
    ({"http": {}}, "http", "http", None),
    ({"email": ""}, "http", "http", None),
]


@pytest.mark.parametrize(("shape", "told", "method", "record"), SHAPES)
def test_shapes_of_the_base_domain(shape: t.Any, told: str, method: str, record: Record | None) -> None:
    order = fetch(changed("processing", approver_method=shape, dcv_method=told, approver_emails=None))
    assert (order.domains[0].method, order.domains[0].record) == (method, record)


@pytest.mark.parametrize(("shape", "told", "method", "record"), SHAPES)
def test_shapes_of_a_san(shape: t.Any, told: str, method: str, record: Record | None) -> None:
    san = {"san_name": "www.example.org", "status": 1, "validation_method": told, "validation": shape}
    order = fetch(changed("processing", san=[san]))
    assert (order.domains[1].method, order.domains[1].record) == (method, record)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("_a.example.org. 3600 IN CNAME b.example.net.", Record("CNAME", "_a.example.org.", "b.example.net.")),
        ("_a.example.org\tcname\tb.example.net", Record("CNAME", "_a.example.org", "b.example.net")),
        ('example.org IN TXT "one" "two"', Record("TXT", "example.org", "onetwo")),
        ("example.org TXT token", Record("TXT", "example.org", "token")),
    ],
)
def test_records_as_zone_files_write_them(text: str, record: Record) -> None:
    order = fetch(changed("processing", approver_method={"dns": {"record": text}}))
    assert order.domains[0].record == record


def test_a_record_that_cannot_be_read_is_told() -> None:
    order = fetch(changed("processing", approver_method={"dns": {"record": "ask the support"}}))
    assert order.domains[0].record is None
    assert "cannot be read" in order.warnings[0]


@pytest.mark.parametrize(
    ("field", "value", "record"),
    [
        ("approver_emails", "admin@example.org,webmaster@example.org", EMAIL),
        ("approver_email", "admin@example.org", EMAIL),
        ("approver_emails", "dns", None),
        ("approver_emails", "", None),
    ],
)
def test_the_address_from_the_list_of_addresses(field: str, value: str, record: Record | None) -> None:
    body = changed("processing", approver_method="", dcv_method="email", approver_emails=None)
    assert fetch({**body, field: value}).domains[0].record == record


# -- section 4: both shapes, other fields -------------------------------------


def test_the_shape_of_2018() -> None:
    order = fetch(load("processing_2018"), "1501")
    assert (order.status, order.dcv_completed) == (Status.VALIDATING, None)
    assert order.checks == {"dcv": Check.UNKNOWN, "brand": Check.IN_PROGRESS}
    assert [(one.name, one.method, one.record) for one in order.domains] == [("example.org", "email", EMAIL)]


@pytest.mark.parametrize("flag", [True, 1, "1", "true", None])
def test_success_in_all_its_types(flag: t.Any) -> None:
    assert fetch(changed("active", success=flag)).issued


@pytest.mark.parametrize("order_id", [2204418, "2204418", None, ""])
def test_ids_as_numbers_or_text(order_id: t.Any) -> None:
    assert fetch(changed("active", order_id=order_id)).order_id == ORDER_ID


def test_dates_that_are_none_stay_away() -> None:
    certificate = fetch(load("processing")).certificate
    assert (certificate.serial_number, certificate.not_before, certificate.not_after) == (None, None, None)


def test_the_certificate_itself_is_believed_rather_than_the_fields() -> None:
    certificate = fetch(load("active")).certificate
    assert certificate.serial_number == "A1B2C3D4E5F"
    assert (certificate.not_before, certificate.not_after) == ("2026-03-01T11:00:00Z", "2026-09-15T23:59:59Z")


def test_dates_of_a_certificate_that_cannot_be_read() -> None:
    certificate = fetch(changed("active", crt_code="MII...")).certificate
    assert certificate.serial_number is None
    assert (certificate.not_before, certificate.not_after) == ("2026-03-01T00:00:00Z", "2026-09-16T00:00:00Z")


def test_an_expired_order_hints_at_its_renewal() -> None:
    assert "order id of its own" in fetch(changed("active", status="expired")).warnings[0]


def test_personal_data_and_prices_stay_out_of_raw() -> None:
    order = fetch(changed("processing", approver_method=load("dcv_email"), approver_emails="jane@example.org"))
    everything = json.dumps(order.raw)
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
    assert list(order.left_out) == expected
    assert order.raw["csr_code"].startswith("-----BEGIN CERTIFICATE REQUEST-----")


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
def test_errors_are_told_by_their_text(code: int, name: str, kind: type[OrderError], retryable: bool) -> None:
    gogetssl, transport = provider(AUTH, (status(), answer(load(name), status=code)))
    with pytest.raises(OrderError) as caught:
        gogetssl.fetch_order(ORDER_ID)
    transport.assert_finished()
    assert caught.value.__class__ is kind
    assert (caught.value.retryable, caught.value.http_status) == (retryable, code)
    assert (load(name).get("message") or load(name).get("description") or "no reason given") in caught.value.message
    assert f"HTTP {code}," in caught.value.message


def refuse_with(code: int, said: str) -> OrderError:
    """What a status call ends with that is refused in these words, with an old key and with a new one."""
    refused = answer({"error": True, "message": said}, status=code)
    gogetssl, _transport = provider(AUTH, (status(), refused), AUTH_AGAIN, ({}, refused))
    with pytest.raises(OrderError) as caught:
        gogetssl.fetch_order(ORDER_ID)
    return caught.value


@pytest.mark.parametrize("code", [200, 400, 403, 404])
@pytest.mark.parametrize(
    "said",
    [
        "Order ID is not valid",
        "Incorrect order ID",
        "No orders found",
        "Can't find order",
        "This order doesn't belong to your account",
        "order_id is missing",
    ],
)
def test_an_order_that_is_not_known_is_told_in_words_that_nobody_has_published(code: int, said: str) -> None:
    error = refuse_with(code, said)
    assert isinstance(error, OrderNotFound)
    assert said in error.message


@pytest.mark.parametrize("said", ["Auth key is not valid for this order", "Order refused: auth_key invalid"])
def test_words_about_the_key_are_not_about_the_order(said: str) -> None:
    assert isinstance(refuse_with(403, said), AuthenticationError)


@pytest.mark.parametrize("error", [True, 1, "1", "true", "Wrong order"])
def test_error_in_all_its_types(error: t.Any) -> None:
    gogetssl, _transport = provider(AUTH, (status(), answer({**load("active"), "error": error})))
    # The error itself is told where it is a text.
    told = "Wrong order" if error == "Wrong order" else "no reason given"
    with pytest.raises(OrderError, match=f"HTTP 200, {told}"):
        gogetssl.fetch_order(ORDER_ID)


@pytest.mark.parametrize("error", [False, 0, "0", "", None, [], {}])
def test_no_error_in_all_its_types(error: t.Any) -> None:
    assert fetch({**load("active"), "error": error}).issued


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
    sketches = gogetssl.fetch_summaries([ORDER_ID, "77", "1501"], None)
    transport.assert_finished()
    assert {order_id: one.mark for order_id, one in sketches.items()} == {
        ORDER_ID: "active:2026-09-16",
        "77": "missing",
        "1501": "processing:",
    }
    assert sketches[ORDER_ID].order is None and sketches["77"].order is None
    order = sketches["1501"].order
    assert order is not None
    assert (order.status, order.dcv_completed, order.issued) == (Status.VALIDATING, None, False)
    assert (order.provider, order.order_id, order.provider_status) == ("gogetssl", "1501", "processing")
    assert transport.requests[1].call == "batch status"


def test_a_reply_about_fewer_orders_than_asked_for_is_asked_to_go_on() -> None:
    one, two = load("batch")["certificates"]
    gogetssl, transport = provider(
        AUTH, (batch("1501,2204418"), answer({"certificates": [two]})), (batch("1501"), answer({"certificates": [one]}))
    )
    sketches = gogetssl.fetch_summaries(["1501", ORDER_ID], None)
    transport.assert_finished()
    assert [sketches["1501"].mark, sketches[ORDER_ID].mark] == ["processing:", "active:2026-09-16"]


def test_a_reply_about_other_orders_is_not_asked_to_go_on() -> None:
    gogetssl, transport = provider(AUTH, (batch("77,78"), answer(load("batch"))))
    assert {one.mark for one in gogetssl.fetch_summaries(["77", "78"], None).values()} == {"missing"}
    transport.assert_finished()


@pytest.mark.parametrize("order_id", [1501, "1501"])
@pytest.mark.parametrize(
    "word", ["processing", "pending", "reissue", "Processing", "active", "unpaid", "rejected", "odd"]
)
def test_only_work_in_progress_needs_no_detail_call(order_id: t.Any, word: str) -> None:
    one = {**load("batch")["certificates"][0], "order_id": order_id, "status": word}
    gogetssl, _transport = provider(AUTH, (batch("1501"), answer({"certificates": [one]})))
    sketch = gogetssl.fetch_summaries(["1501"], 60.0)["1501"]
    assert sketch.mark == word.lower() + ":"
    assert (sketch.order is not None) is (word.lower() in ("processing", "pending", "reissue"))


def test_many_orders_take_few_calls() -> None:
    size = GogetsslProvider.info.bulk_batch
    assert size is not None
    ids = [str(number) for number in range(1, 2 * size + 2)]
    parts = [ids[:size], ids[size : 2 * size], ids[2 * size :]]
    empty = answer({"certificates": [], "success": True})
    gogetssl, transport = provider(AUTH, *[(batch(",".join(part)), empty) for part in parts])
    sketches = gogetssl.fetch_summaries(ids, None)
    transport.assert_finished()
    assert {one.mark for one in sketches.values()} == {"missing"} and len(sketches) == len(ids)


def test_a_batch_call_renews_the_key_too() -> None:
    refusal = answer(load("error_auth_key"), status=403)
    gogetssl, transport = provider(
        AUTH, (batch("1501"), refusal), AUTH_AGAIN, (batch("1501", NEW_KEY), answer(load("batch")))
    )
    assert gogetssl.fetch_summaries(["1501"], None)["1501"].mark == "processing:"
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
    delivery = gogetssl.fetch_certificate(gogetssl.fetch_order(ORDER_ID))
    transport.assert_finished()
    assert delivery.leaf is not None
    assert len(split_certificates([delivery.leaf])) == 1
    assert len(split_certificates(delivery.others)) == 2
    assert delivery.csr == body["csr_code"].strip()


@pytest.mark.parametrize(
    ("body", "match", "retryable"),
    [
        (changed("active", ca_code=""), "ca_code", True),
        (changed("active", crt_code=""), "crt_code", True),
        (changed("active", reissue_now=1), "previous certificate", True),
        (changed("active", status="reissue"), "previous certificate", True),
        (load("processing"), "status processing", True),
        (changed("active", status="something_new"), "status something_new", True),
        (changed("active", status="revoked"), "status revoked", False),
    ],
)
def test_nothing_to_collect(body: t.Any, match: str, retryable: bool) -> None:
    gogetssl, _transport = provider(AUTH, (status(), answer(body)))
    with pytest.raises(NotIssued, match=match) as caught:
        gogetssl.fetch_certificate(Order("gogetssl", ORDER_ID, Status.ISSUED, issued=True))
    assert (caught.value.provider, caught.value.order_id) == ("gogetssl", ORDER_ID)
    assert caught.value.retryable is retryable


# -- section 9: pace ----------------------------------------------------------


@pytest.mark.parametrize(("age", "pause"), [(0, 60), (899, 60), (900, 120), (3599, 120), (3600, 300)])
def test_polls_become_rarer(age: float, pause: float) -> None:
    assert GogetsslProvider.info.rate_limits.schedule.pause(age) == pause

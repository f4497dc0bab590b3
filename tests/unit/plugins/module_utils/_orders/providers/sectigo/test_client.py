# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sectigo: the calls of its fact sheet, request by request."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import re
import typing as t
from urllib.parse import parse_qs, quote_plus

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import NameEvidence, OrderReference
from ansible_collections.certops.issuance.plugins.module_utils._orders import errors
from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account, resolve_account
from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, OrderCertificate
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import DcvReply, OrderSummary
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.client import SectigoProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.sectigo.stored import (
    ORDER,
    body,
)

LOGIN = {"loginName": "reseller", "loginPassword": "s3cret&pass"}
POST_STATUS = {
    "method": "POST",
    "path": "/products/!GetDetailedOrderStatus",
    "query": {},
    "form": {**LOGIN, "orderNumber": ORDER, "queryType": "2", "showValidityPeriod": "Y"},
}
POST_DOMAINS = {
    "method": "POST",
    "path": "/products/!GetMDCDomainDetails",
    "query": {},
    "form": {**LOGIN, "orderNumber": ORDER},
}
POST_COLLECT = {
    "method": "POST",
    "path": "/products/download/CollectSSL",
    "query": {},
    "form": {
        **LOGIN,
        "orderNumber": ORDER,
        "queryType": "1",
        "responseType": "3",
        "responseFormat": "1",
        "responseEncoding": "0",
    },
}
POST_REPORT = {"method": "POST", "path": "/products/!WebHostReport", "query": {}}
Exchange = t.Tuple[t.Mapping[str, t.Any], t.Union[Response, errors.OrderError]]


def provider(*exchanges: Exchange, id_type: str = "order") -> tuple[SectigoProvider, ScriptedTransport]:
    transport = ScriptedTransport(*exchanges)
    account = Account(
        provider="sectigo",
        api_url="https://sectigo.example",
        username=LOGIN["loginName"],
        password=LOGIN["loginPassword"],
        options={"id_type": id_type},
    )
    return SectigoProvider(account, transport), transport


def fetch(text: str, *more: Exchange, order_id: str = ORDER) -> Order:
    sectigo, transport = provider((POST_STATUS, answer(text)), *more)
    order = sectigo.fetch_order(order_id)
    transport.assert_finished()
    return order


def refuse(response: Response) -> errors.OrderError:
    """The error that a status call ends with."""
    sectigo, _transport = provider((POST_STATUS, response))
    with pytest.raises(errors.OrderError) as caught:
        sectigo.fetch_order(ORDER)
    return caught.value


@pytest.fixture(autouse=True)
def private_state(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """What is kept for other processes, each test has for itself."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def _parts(name: str) -> tuple[str, list[str]]:
    """Leaf and chain in a stored answer of CollectSSL."""
    fields = parse_qs(body(name))
    return fields["certificate"][0], fields["caCertificate"]


# -- requests --------------------------------------------------------------


def test_the_account_comes_from_options_or_from_sectigos_variables_alone() -> None:
    everything = {
        "SECTIGO_USERNAME": "from-environment",
        "SECTIGO_PASSWORD": "hidden",
        "SECTIGO_API_URL": "https://old.example/",
        "GOGETSSL_USERNAME": "wrong",
        "GOGETSSL_PASSWORD": "wrong",
        "DIGICERT_API_KEY": "wrong",
        "CPANEL_USERNAME": "wrong",
        "CPANEL_API_TOKEN": "wrong",
        "CPANEL_PASSWORD": "wrong",
    }
    account = resolve_account(SectigoProvider.info, {"provider": "sectigo"}, everything)
    assert (account.username, account.password, account.api_key) == ("from-environment", "hidden", None)
    assert account.api_url == "https://old.example"
    bare = resolve_account(SectigoProvider.info, {"username": "u", "password": "pw"}, {})
    assert bare.api_url == "https://secure.trust-provider.com"


def test_credentials_travel_in_the_form_and_no_response_format_is_sent() -> None:
    sectigo, transport = provider((POST_STATUS, answer(body("pending.txt"))))
    sectigo.fetch_order(ORDER)
    request = transport.requests[0]
    assert request.query == {} and request.headers == {}
    # What messages call it.
    assert (request.call, request.order_id) == ("!GetDetailedOrderStatus", ORDER)
    assert "responseFormat" not in (request.form or {})


def test_an_order_can_be_named_by_its_certificate_id() -> None:
    form = {**LOGIN, "certificateID": "91200345", "queryType": "2", "showValidityPeriod": "Y"}
    sectigo, transport = provider((dict(POST_STATUS, form=form), answer(body("pending.txt"))), id_type="certificate")
    assert sectigo.fetch_order("91200345").order_id == "91200345"
    transport.assert_finished()


@pytest.mark.parametrize(
    ("id_type", "given", "good"),
    [
        ("order", " 830045512 ", True),
        ("order", "12345678901234567", True),
        ("certificate", "1234567890123456", True),
        ("certificate", "12345678901234567", False),
        ("order", "83004551A", False),
        ("order", "0", False),
        ("order", "1,2", False),
    ],
)
def test_ids_that_cannot_be_are_refused_before_anything_is_sent(id_type: str, given: str, good: bool) -> None:
    sectigo, _transport = provider(id_type=id_type)
    if good:
        assert sectigo.check_order_id(given) == given.strip()
    else:
        with pytest.raises(errors.InvalidRequest) as caught:
            sectigo.check_order_id(given)
        assert (caught.value.provider, caught.value.order_id) == ("sectigo", given)
        assert ("more than 16 digits" in caught.value.message) is (len(given) > 16)


def test_requests_of_an_account_never_overlap() -> None:
    sectigo, transport = provider(
        (POST_STATUS, answer(body("issued.txt"))),
        (POST_COLLECT, answer(body("collect_issued.txt"))),
        (POST_REPORT, answer(body("report.txt"))),
    )
    events: list[str] = []
    send = transport.send

    @contextlib.contextmanager
    def exclusive() -> t.Iterator[None]:
        events.append("locked")
        yield
        events.append("unlocked")

    def watch(request: t.Any, parse: t.Any) -> t.Any:
        events.append("sent")
        return send(request, parse)

    transport.exclusive = exclusive  # type: ignore[method-assign]
    transport.send = watch  # type: ignore[method-assign]
    sectigo.fetch_certificate(sectigo.fetch_order(ORDER))
    sectigo.fetch_summaries([ORDER], None)
    assert events == ["locked", "sent", "unlocked"] * 3


def test_an_account_is_polled_every_quarter_of_an_hour() -> None:
    pace = SectigoProvider.info.rate_limits
    assert [pace.schedule.pause(age) for age in (0, 14399, 14400)] == [900, 900, 1800]


# -- names -----------------------------------------------------------------


def test_several_names_are_fetched_while_dcv_is_open() -> None:
    order = fetch(body("multi_domain.txt"), (POST_DOMAINS, answer(body("domains.txt"))))
    assert [(domain.name, domain.status, domain.method) for domain in order.domains] == [
        ("example.org", "completed", "CNAME"),
        ("www.example.org", "not_completed", "CNAME"),
    ]
    assert [blocker.subject for blocker in order.blockers if blocker.check == "dcv"] == ["www.example.org"]


def test_names_are_those_of_the_replacement() -> None:
    number = {"form": dict(POST_DOMAINS["form"], orderNumber="830059999")}  # type: ignore[call-overload]
    order = fetch(body("shuffled.txt"), (dict(POST_DOMAINS, **number), answer("errorCode=0")))
    assert [domain.name for domain in order.domains] == ["www.example.org", "eleven.example.org"]


@pytest.mark.parametrize("changes", [{"x1_1_dcvStatus": "1"}, {"x1_1_FQDN": "example.org"}, {"x1_1_dcvStatus": None}])
def test_names_are_not_fetched_otherwise(changes: t.Mapping[str, str | None]) -> None:
    fetch(body("multi_domain.txt", **changes))


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Validated", "completed"),
        ("VALIDATED ", "completed"),
        ("Not Validated", "not_completed"),
        ("not-validated", "not_completed"),
        ("Invalidated", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_whole_text_of_a_name_is_compared(text: str, state: str) -> None:
    order = fetch(body("multi_domain.txt"), (POST_DOMAINS, answer(body("domains.txt", x2_dcvStatus=text))))
    assert order.domains[1].status == state
    assert len(order.warnings) == (text == "Invalidated")
    assert all(text in warning and order.domains[1].name in warning for warning in order.warnings)
    assert order.dcv_completed is False


@pytest.mark.parametrize(
    "refusal", ["errorCode=-2&errorMessage=Unrecognised", "errorCode=-91&errorMessage=No", "<html>"]
)
def test_what_is_known_of_an_order_holds_when_its_names_are_refused(refusal: str) -> None:
    order = fetch(body("multi_domain.txt"), (POST_DOMAINS, answer(refusal)))
    assert (order.status, order.dcv_completed) == ("validating", False)
    assert [(domain.name, domain.status) for domain in order.domains] == [
        ("example.org", "unknown"),
        ("www.example.org", "unknown"),
    ]
    assert [blocker.check for blocker in order.blockers] == ["dcv", "caa"]
    assert "names" in order.warnings[0]


@pytest.mark.parametrize(
    "refusal", ["errorCode=-2&errorMessage=Unrecognised", "errorCode=-91&errorMessage=No", "errorCode=-17"]
)
def test_a_call_for_names_that_is_refused_is_not_made_again(refusal: str) -> None:
    status = (POST_STATUS, answer(body("multi_domain.txt")))
    sectigo, transport = provider(status, (POST_DOMAINS, answer(refusal)), status)
    assert sectigo.fetch_order(ORDER) == sectigo.fetch_order(ORDER)
    transport.assert_finished()


@pytest.mark.parametrize("fault", ["errorCode=-14", "errorCode=-42", "errorCode=-4&errorMessage=orderNumber"])
def test_a_call_for_names_that_is_not_well_is_made_again(fault: str) -> None:
    status = (POST_STATUS, answer(body("multi_domain.txt")))
    sectigo, transport = provider(
        status, (POST_DOMAINS, answer(fault)), status, (POST_DOMAINS, answer(body("domains.txt")))
    )
    assert sectigo.fetch_order(ORDER).warnings
    assert not sectigo.fetch_order(ORDER).warnings
    transport.assert_finished()


def test_a_login_that_is_refused_while_names_are_fetched_is_not_tried_again() -> None:
    refused = (POST_DOMAINS, answer("errorCode=-16&errorMessage=Permission+denied"))
    sectigo, _transport = provider((POST_STATUS, answer(body("multi_domain.txt"))), refused)
    with pytest.raises(errors.AuthenticationError):
        sectigo.fetch_order(ORDER)


# -- formats and errors ----------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "kind", "retryable"),
    [
        ("-1", "Request was not made over https!", errors.InvalidRequest, False),
        ("-2", "'xxxx' is an unrecognised argument!", errors.InvalidRequest, False),
        ("-3", "The 'queryType' argument is missing!", errors.InvalidRequest, False),
        ("-3", "The 'loginPassword' argument is missing!", errors.AuthenticationError, False),
        ("-4", "The value of the 'queryType' argument is invalid!", errors.InvalidRequest, False),
        ("-4", "The value of the 'loginName' argument is invalid!", errors.AuthenticationError, False),
        ("-4", "The value of the 'orderNumber' argument is invalid!", errors.OrderNotFound, False),
        ("-4", "The value of the 'certificateID' argument is invalid!", errors.OrderNotFound, False),
        ("-7", "'xx' is not a valid ISO-3166 country!", errors.InvalidRequest, False),
        ("-14", "An unknown error occurred!", errors.ProviderUnavailable, True),
        ("-15", "Not enough credit!", errors.InvalidRequest, False),
        ("-16", "Permission denied!", errors.AuthenticationError, False),
        ("-17", "Request used GET rather than POST!", errors.InvalidRequest, False),
        ("-18", "Already refunded", errors.InvalidRequest, False),
        ("-42", "Call limit reached, please try again later", errors.RateLimited, True),
        ("-91", "Not in this context", errors.PermissionDenied, False),
        ("-777", "Wrong certificate state", errors.InvalidRequest, False),
    ],
)
@pytest.mark.parametrize("form", ["errorCode={0}&errorMessage={1}", "{0}\n{2}\n"])
def test_each_error(code: str, text: str, kind: type[errors.OrderError], retryable: bool, form: str) -> None:
    error = refuse(answer(form.format(code, quote_plus(text), text)))
    assert error.__class__ is kind
    assert error.retryable is retryable
    assert code in error.message and text in error.message
    assert error.order_id == ORDER


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        # An order that has not come so far is not unknown.
        ("errorCode=-4&errorMessage=The+order+is+not+validated+yet&errorItem=orderNumber", errors.NotIssued, "wait"),
        ("errorCode=-99&errorMessage=Certificate+has+not+yet+been+issued", errors.NotIssued, "wait"),
        ("errorCode=-99&errorMessage=API+key+40+is+invalid", errors.AuthenticationError, "check username"),
        ("errorCode=-99&errorMessage=Invalid+login", errors.AuthenticationError, "check username"),
        ("-99\nThe password has expired", errors.AuthenticationError, "check username"),
        ("errorCode=-99&errorMessage=No&errorDetail=Because+of+this", errors.InvalidRequest, "No: Because of this"),
        ("errorCode=-99&errorDetail=Because+of+this", errors.InvalidRequest, "Because of this"),
    ],
)
def test_errors_by_their_texts(text: str, kind: type[errors.OrderError], shown: str) -> None:
    error = refuse(answer(text))
    assert error.__class__ is kind and shown in error.message


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("missing_argument.txt", errors.InvalidRequest),
        ("denied.txt", errors.AuthenticationError),
        ("unknown_order.txt", errors.OrderNotFound),
    ],
)
def test_each_stored_error(name: str, kind: type[errors.OrderError]) -> None:
    assert refuse(answer(body(name))).__class__ is kind


@pytest.mark.parametrize("field", ["errorItem", "errorDetail"])
def test_the_item_of_an_error_names_the_argument_too(field: str) -> None:
    refusal = f"errorCode=-4&errorMessage=Invalid&{field}=orderNumber"
    assert refuse(answer(refusal)).__class__ is errors.OrderNotFound


def test_a_limit_shows_how_long_to_stay_away() -> None:
    assert refuse(answer("errorCode=-42")).retry_after == 900


@pytest.mark.parametrize(
    ("text", "status", "kind", "retryable"),
    [
        ("", 200, errors.UnexpectedResponse, True),
        ("   \n", 200, errors.UnexpectedResponse, True),
        (body("page.html"), 200, errors.UnexpectedResponse, True),
        ("1_orderNumber=1", 200, errors.UnexpectedResponse, True),
        ("errorCode=", 200, errors.UnexpectedResponse, True),
        ("errorCode=zero", 200, errors.UnexpectedResponse, True),
        ("errorCode=0", 200, errors.UnexpectedResponse, True),
        ("{}", 200, errors.UnexpectedResponse, True),
        ('{"errorCode": 0', 200, errors.UnexpectedResponse, True),
        ("[]", 200, errors.UnexpectedResponse, False),
        ('{"errorCode": 0, "orders": [{"orderNumber": 1}]}', 200, errors.UnexpectedResponse, True),
        (body("page.html"), 401, errors.AuthenticationError, False),
        (body("page.html"), 403, errors.AuthenticationError, False),
        ("", 403, errors.AuthenticationError, False),
        (body("page.html"), 404, errors.UnexpectedResponse, False),
        (body("pending.txt"), 404, errors.UnexpectedResponse, False),
        (body("page.html"), 400, errors.UnexpectedResponse, False),
        ("errorCode=-16", 400, errors.AuthenticationError, False),
    ],
)
def test_what_is_no_answer(text: str, status: int, kind: type[errors.OrderError], retryable: bool) -> None:
    error = refuse(answer(text, status))
    assert (type(error), error.retryable) == (kind, retryable)
    assert ("check api_url" in error.message) is (status in (400, 404) and kind is errors.UnexpectedResponse)
    assert text != "[]" or "an object was expected" in error.message


# -- the certificate -------------------------------------------------------


def collect(text: str, order: Order | None = None, expected: t.Mapping[str, t.Any] | None = None) -> t.Any:
    sectigo, transport = provider((expected or POST_COLLECT, answer(text)))
    try:
        return sectigo.fetch_certificate(
            order or Order(provider="sectigo", order_id=ORDER, status="issued", issued=True)
        )
    finally:
        transport.assert_finished()


@pytest.mark.parametrize(
    "name", ["collect_issued.txt", "collect_issued_newline.txt", "collect_base64_pem.txt", "collect_base64_der.txt"]
)
def test_every_form_of_a_certificate_makes_the_same_chain(name: str) -> None:
    collected = collect(body(name))
    bundle = chain.assemble(collected.leaf, collected.additional)
    assert bundle.facts.names == ("www.example.org", "example.org")
    assert bundle.facts.serial_number == "AB12CD34"
    assert bundle.chain.count("BEGIN CERTIFICATE") == 1
    found = chain.split_certificates(([collected.leaf] if collected.leaf else []) + list(collected.additional))
    assert len(found) == 3, "a repeated caCertificate was lost"


def test_a_certificate_that_is_available_may_be_attached_already() -> None:
    assert collect(body("collect_issued.txt", errorCode="1")) == collect(body("collect_issued.txt"))


def test_keys_that_are_repeated_are_arrays_in_json() -> None:
    pairs = parse_qs(body("collect_issued.txt"))
    repeated = {key: found if len(found) > 1 else found[0] for key, found in pairs.items()}
    collected = collect(json.dumps(repeated))
    assert len(pairs["caCertificate"]) == len(collected.additional) == 2
    assert collected == collect(body("collect_issued.txt"))


def test_a_body_is_decoded_once() -> None:
    # Encoded DER is the one form in which a plus sign matters: it must not become a blank.
    text = body("collect_base64_der.txt")
    assert "%2B" in text
    assert "+" in (collect(text).leaf or "") + "".join(collect(text).additional)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0\n",
        "errorCode=0&orderNumber=830045512",
        body("collect_available.txt"),
        "2\n",
        body("collect_issued.txt", errorCode="0"),
    ],
)
def test_zero_is_no_success_here_and_a_certificate_must_be_attached(text: str) -> None:
    with pytest.raises(errors.NotIssued) as caught:
        collect(text)
    assert (caught.value.provider, caught.value.order_id, caught.value.retryable) == ("sectigo", ORDER, True)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("-20", errors.OrderFailed),
        ("-21", errors.OrderFailed),
        ("-22", errors.ActionRequired),
        ("-26", errors.NotIssued),
        ("-16", errors.AuthenticationError),
        ("-4", errors.InvalidRequest),
    ],
)
@pytest.mark.parametrize("form", ["{0}\nAs it is\n", "errorCode={0}&errorMessage=As+it+is"])
def test_each_refusal_to_collect(code: str, kind: type[errors.OrderError], form: str) -> None:
    with pytest.raises(errors.OrderError) as caught:
        collect(form.format(code))
    assert caught.value.__class__ is kind
    assert caught.value.order_id == ORDER
    assert "As it is" in caught.value.message and f"CollectSSL answered {code}" in caught.value.message


def test_a_revoked_certificate_is_reported_in_the_format_by_line() -> None:
    with pytest.raises(errors.OrderFailed, match="has been revoked"):
        collect(body("collect_revoked.txt"))


def test_a_form_of_more_fields_than_memory_should_hold_is_refused() -> None:
    with pytest.raises(errors.UnexpectedResponse, match="more fields"):
        fetch("errorCode=0&" + "1=&" * 100_001)


def test_only_collecting_is_never_sent_again_whatever_comes_back() -> None:
    sectigo, transport = provider(
        (POST_STATUS, answer(body("issued.txt"))), (POST_COLLECT, answer(body("collect_issued.txt")))
    )
    sectigo.fetch_certificate(sectigo.fetch_order("830045512"))
    assert [request.repeatable for request in transport.requests] == [True, False]


def test_a_limit_keeps_collecting_away_for_three_hours() -> None:
    with pytest.raises(errors.RateLimited) as caught:
        collect("-42\nCall limit reached")
    assert caught.value.retry_after == 3 * 3600


def test_not_ready_is_not_sent_again_at_once() -> None:
    sectigo, transport = provider((POST_COLLECT, answer(body("collect_processing.txt"))))
    outside: list[str] = []
    send = transport.send

    def watch(request: t.Any, parse: t.Any) -> t.Any:
        result = send(request, parse)
        outside.append("answered")
        return result

    transport.send = watch  # type: ignore[method-assign]
    with pytest.raises(errors.NotIssued):
        sectigo.fetch_certificate(Order(provider="sectigo", order_id=ORDER, status="issued", issued=True))
    assert outside == ["answered"], "raised while it is parsed, where the transport sends again within seconds"


def test_the_replacement_is_collected_by_its_own_number() -> None:
    issued = body("replaced.txt", x2_1_certificateStatus="Valid", x2_1_serialNumber="0C")
    order = fetch(issued)
    assert order.issued
    form = dict(POST_COLLECT["form"], orderNumber="830051977")  # type: ignore[call-overload]
    collect(body("collect_issued.txt"), order, dict(POST_COLLECT, form=form))


def test_a_certificate_id_is_collected_by_certificate_id() -> None:
    form = {key: value for key, value in POST_COLLECT["form"].items() if key != "orderNumber"}  # type: ignore[attr-defined]
    form["certificateID"] = "91200345"
    sectigo, transport = provider(
        (dict(POST_COLLECT, form=form), answer(body("collect_issued.txt"))), id_type="certificate"
    )
    # Its answer names the order, but that may have other certificates too.
    raw = {"1_orderNumber": ORDER, "1_1_certificateStatus": "Valid"}
    sectigo.fetch_certificate(Order(provider="sectigo", order_id="91200345", status="issued", issued=True, raw=raw))
    transport.assert_finished()


# -- the number to collect by, and what is kept of a collection ---------------------------------


def test_a_number_is_collected_by_as_it_came_whatever_a_password_looks_like() -> None:
    sectigo, transport = provider(
        (POST_STATUS, answer(body("replaced.txt", x2_orderNumber="830099001", x2_1_certificateStatus="Valid"))),
        ({"path": "/products/download/CollectSSL"}, answer(body("collect_issued.txt"))),
    )
    transport.redactor.learn("9001")
    order = sectigo.fetch_order(ORDER)
    sectigo.fetch_certificate(order)
    assert [(request.form or {})["orderNumber"] for request in transport.requests] == [ORDER, "830099001"]
    assert order.raw["2_orderNumber"] == "830099001"


COLLECTED = OrderCertificate(serial_number=chain.assemble(*_parts("collect_issued.txt")).facts.serial_number)


def issued(certificate: OrderCertificate = COLLECTED, order_id: str = ORDER) -> Order:
    return Order("sectigo", order_id, "issued", issued=True, certificate=certificate)


def test_what_was_collected_within_three_hours_is_not_collected_again() -> None:
    sectigo, transport = provider((POST_COLLECT, answer(body("collect_issued.txt"))))
    first = sectigo.fetch_certificate(issued())
    assert sectigo.fetch_certificate(issued()) == first
    # Nor by another process.
    other, transport_of_other = provider()
    assert other.fetch_certificate(issued()) == first
    assert (len(transport.requests), len(transport_of_other.requests)) == (1, 0)


@pytest.mark.parametrize(
    "order",
    [
        issued(OrderCertificate(serial_number="AB")),
        issued(OrderCertificate()),
        issued(order_id="830045513"),
    ],
)
def test_what_was_collected_is_for_the_same_order_and_certificate_alone(order: Order) -> None:
    limit = errors.RateLimited("once in three hours")
    sectigo, _transport = provider((POST_COLLECT, answer(body("collect_issued.txt"))), ({}, limit))
    sectigo.fetch_certificate(issued())
    with pytest.raises(errors.RateLimited):
        sectigo.fetch_certificate(order)


@pytest.mark.parametrize(
    ("order", "text"),
    [
        # The previous certificate of a reissue, or one without its chain.
        (issued(OrderCertificate(serial_number="AB")), body("collect_issued.txt")),
        (issued(OrderCertificate()), body("collect_issued.txt")),
        (issued(), "errorCode=2&certificate=" + quote_plus(_parts("collect_issued.txt")[0])),
    ],
)
def test_what_is_not_the_whole_certificate_of_the_order_is_not_kept(order: Order, text: str) -> None:
    sectigo, transport = provider((POST_COLLECT, answer(text)), (POST_COLLECT, answer(body("collect_issued.txt"))))
    sectigo.fetch_certificate(order)
    sectigo.fetch_certificate(order)
    assert len(transport.requests) == 2


def test_what_cannot_be_kept_is_a_warning(tmp_path: pathlib.Path) -> None:
    sectigo, _transport = provider((POST_COLLECT, answer(body("collect_issued.txt"))))
    sectigo._cache = dataclasses.replace(sectigo._cache, directory=str(tmp_path / "missing"))
    bundle = sectigo.fetch_certificate(issued())
    assert bundle.leaf is not None and "could not be kept" in bundle.warnings[0]


# -- many orders -----------------------------------------------------------


def report(numbers: str, **more: str) -> dict[str, t.Any]:
    return dict(POST_REPORT, form=dict(LOGIN, orderNumber=numbers, showStatusesOnly="Y", **more))


WANTED = [ORDER, "830045513", "830045514"]


def test_one_report_shows_many_orders() -> None:
    sectigo, transport = provider((report(",".join(WANTED)), answer(body("report.txt"))))
    summaries = sectigo.fetch_summaries(WANTED, None)
    transport.assert_finished()
    assert sorted(summaries) == WANTED, "an order that was not requested must not come back"
    pending = summaries[ORDER].order
    assert pending is not None
    assert (pending.status, pending.issued, pending.dcv_completed) == ("validating", False, None)
    assert [domain.name for domain in pending.domains] == ["www.example.org"]
    assert pending.ordered_at == "2026-03-01T10:20:00Z"
    assert (pending.provider, pending.order_id, transport.requests[0].call) == ("sectigo", ORDER, "!WebHostReport")
    # The word for the certificate, not the one for the order.
    assert pending.provider_status == "Awaiting Validation"
    # Whether a replacement is under way only the status call can show.
    assert summaries["830045513"].order is None
    assert summaries["830045514"].order is None


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"x1_1_domain": "other.example.org"}, True),
        ({"x2_1_status": "Revoked"}, True),
        ({"x1_1_status": "Valid"}, False),
        ({"x1_1_lastStatusChange": "1772360501"}, False),
        ({"x1_1_serialNumber": "0D"}, False),
    ],
)
def test_a_change_token_changes_with_the_state_of_its_order_only(changes: t.Mapping[str, str], same: bool) -> None:
    sectigo, _transport = provider(
        (POST_REPORT, answer(body("report.txt"))), (POST_REPORT, answer(body("report.txt", **changes)))
    )
    before, after = sectigo.fetch_summaries(WANTED, None), sectigo.fetch_summaries(WANTED, 900.0)
    assert (before[ORDER].change_token == after[ORDER].change_token) is same


def test_a_report_that_comes_in_pages_is_read_to_its_end() -> None:
    numbers = ",".join(WANTED)
    sectigo, transport = provider(
        (report(numbers), answer(body("report_page_1.txt"))),
        (report(numbers, firstResultNo="2", lastResultNo="3"), answer(body("report_page_2.txt"))),
    )
    assert sorted(sectigo.fetch_summaries(WANTED, None)) == WANTED
    transport.assert_finished()


def test_pages_that_bring_nothing_new_are_not_fetched_again() -> None:
    sectigo, transport = provider(
        (POST_REPORT, answer(body("report_page_1.txt"))),
        (POST_REPORT, answer(body("report_page_1.txt"))),
        (report(WANTED[-1]), answer("errorCode=0&noOfResults=0")),
    )
    assert sectigo.fetch_summaries(WANTED, None)[WANTED[-1]] == OrderSummary(change_token="missing")
    transport.assert_finished()


def test_orders_that_the_report_leaves_out_are_fetched_by_themselves() -> None:
    sectigo, transport = provider(
        (report(",".join(WANTED)), answer(body("report_page_1.txt", noOfResults="2"))),
        (report(WANTED[-1]), answer(body("report_page_2.txt", noOfResults="1"))),
    )
    assert OrderSummary(change_token="missing") not in sectigo.fetch_summaries(WANTED, None).values()
    transport.assert_finished()


def test_a_report_that_refuses_what_it_left_out_does_not_spoil_the_rest() -> None:
    sectigo, transport = provider(
        (report(",".join(WANTED)), answer(body("report_page_1.txt", noOfResults="2"))),
        (report(WANTED[-1]), answer(body("unknown_order.txt"))),
    )
    summaries = sectigo.fetch_summaries(WANTED, None)
    assert [one for one, summary in summaries.items() if summary == OrderSummary(change_token="missing")] == [
        WANTED[-1]
    ]
    transport.assert_finished()


def test_nothing_more_is_fetched_once_every_order_was_reported() -> None:
    sectigo, transport = provider((POST_REPORT, answer(body("report.txt", noOfResults="9"))))
    assert len(sectigo.fetch_summaries(WANTED, None)) == 3
    transport.assert_finished()


def test_reports_are_fetched_in_batches() -> None:
    size = SectigoProvider.info.bulk_batch
    numbers = [str(number) for number in range(1, 2 * size + 51)]
    batches = [numbers[:size], numbers[size : 2 * size], numbers[2 * size :]]
    sectigo, transport = provider(
        *[(report(",".join(batch)), answer("errorCode=0&noOfResults=0")) for batch in batches]
    )
    assert sectigo.fetch_summaries(numbers, None) == dict.fromkeys(numbers, OrderSummary(change_token="missing"))
    transport.assert_finished()


@pytest.mark.parametrize("text", [body("unknown_order.txt"), "errorCode=-20&errorMessage=rejected"])
def test_a_report_that_refuses_an_order_has_each_fetched_by_itself(text: str) -> None:
    sectigo, _transport = provider((POST_REPORT, answer(text)))
    with pytest.raises(errors.InvalidRequest) as caught:
        sectigo.fetch_summaries(WANTED, None)
    assert re.search(r"answered -(4|20) ", caught.value.message)


def test_the_report_knows_no_certificate_ids() -> None:
    sectigo, transport = provider(id_type="certificate")
    with pytest.raises(errors.InvalidRequest) as caught:
        sectigo.fetch_summaries(["91200345"], None)
    assert (caught.value.provider, caught.value.retryable) == ("sectigo", False)
    assert transport.requests == []


# -- secrets ---------------------------------------------------------------


def test_no_message_holds_the_password() -> None:
    for text, status in [("errorCode=-16&errorMessage=Permission+denied", 200), ("<html>", 403), ("<html>", 404)]:
        assert LOGIN["loginPassword"] not in str(refuse(answer(text, status)))


# -- evidence for DCV ---------------------------------------------------------

CSR = (pathlib.Path(__file__).parent / "bodies" / "dcv.csr").read_text(encoding="utf-8")


def pending_shop() -> Response:
    return answer(body("pending.txt", x1_1_FQDN="shop.example.org"))


def test_evidence_takes_the_method_from_the_names_and_the_token_from_the_csr() -> None:
    sectigo, transport = provider((POST_STATUS, pending_shop()), (POST_DOMAINS, answer(body("dcv_domains.txt"))))
    found = sectigo.fetch_evidence(ORDER, CSR, "t0827792001533920169", check_mode=True)
    assert [one.name for one in found] == ["shop.example.org", "www.shop.example.org"]
    assert {one.record.fqdn for one in found if one.record} == {
        "_3fa076dc547e7c065db9c858516c8b7b.shop.example.org",
    }
    transport.assert_finished()


def test_an_order_with_one_name_that_the_call_does_not_know_has_no_method() -> None:
    refused = answer("errorCode=-4&errorMessage=The+value+of+the+%27orderNumber%27+argument+is+invalid%21")
    sectigo, _transport = provider((POST_STATUS, pending_shop()), (POST_DOMAINS, refused))
    (one,) = sectigo.fetch_evidence(ORDER, CSR, "")
    assert (one.method, one.record, one.problem) == (None, None, "token_unknown")


def test_without_the_methods_of_several_names_there_is_no_evidence() -> None:
    sectigo, _transport = provider((POST_STATUS, answer(body("multi_domain.txt"))), (POST_DOMAINS, answer("-14\nno")))
    with pytest.raises(errors.ProviderUnavailable):
        sectigo.fetch_evidence(ORDER, CSR, "")


def test_an_order_that_is_issued_needs_no_evidence_and_no_second_call() -> None:
    sectigo, transport = provider((POST_STATUS, answer(body("issued.txt"))))
    assert {one.source for one in sectigo.fetch_evidence(ORDER)} == {"none"}
    transport.assert_finished()


@pytest.mark.parametrize(("csr", "unique_value"), [("garbage", ""), (CSR, "with-hyphen")])
def test_evidence_of_what_is_no_csr_or_unique_value_is_refused(csr: str, unique_value: str) -> None:
    sectigo, _transport = provider((POST_STATUS, pending_shop()), (POST_DOMAINS, answer(body("dcv_domains.txt"))))
    with pytest.raises(errors.InvalidRequest) as caught:
        sectigo.fetch_evidence(ORDER, csr, unique_value)
    assert (caught.value.provider, caught.value.order_id) == ("sectigo", ORDER)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Too many requests", errors.RateLimited),
        ("HTTP 429", errors.RateLimited),
        ("503 Service Unavailable", errors.ProviderUnavailable),
        ("Internal error", errors.ProviderUnavailable),
        ("Something else", errors.InvalidRequest),
    ],
)
def test_faults_in_words_under_a_code_that_nobody_has_published(message: str, kind: type[errors.OrderError]) -> None:
    assert refuse(answer({"errorCode": -99, "errorMessage": message})).__class__ is kind


@pytest.mark.parametrize("message", [["first", "second"], {"0": "first", "1": {"text": "second"}}])
def test_a_message_of_several_texts_is_shown_whole(message: t.Any) -> None:
    assert "(first; second)" in refuse(answer({"errorCode": -2, "errorMessage": message})).message


UPDATE = {
    "method": "POST",
    "path": "/products/!AutoUpdateDCV",
    "form": {**LOGIN, "orderNumber": ORDER, "domainName": "shop.example.org", "newMethod": "CNAME_CSR_HASH"},
}


def test_the_same_method_again_is_the_request_to_look() -> None:
    sectigo, transport = provider((UPDATE, answer("errorCode=0")))
    name = NameEvidence("shop.example.org", OrderReference("sectigo", ORDER), "CNAME_CSR_HASH")
    # That it was accepted is no validation.
    assert sectigo.look_for_evidence(ORDER, [name]) == DcvReply()
    transport.assert_finished()
    assert transport.requests[0].repeatable is False


def test_the_request_to_look_is_for_the_replacement() -> None:
    form = dict(t.cast("dict[str, str]", UPDATE["form"]), orderNumber="830051977")
    domains = dict(t.cast("dict[str, str]", POST_DOMAINS["form"]), orderNumber="830051977")
    sectigo, transport = provider(
        (POST_STATUS, answer(body("replaced.txt"))),
        (dict(POST_DOMAINS, form=domains), answer("errorCode=0")),
        (dict(UPDATE, form=form), answer("errorCode=0")),
    )
    sectigo.fetch_dcv_methods(ORDER)
    sectigo.change_dcv_method(ORDER, ["shop.example.org"], "CNAME_CSR_HASH")
    transport.assert_finished()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("errorCode=-4&errorMessage=The+value+of+the+%27newMethod%27+argument+is+invalid%21", errors.InvalidRequest),
        ("errorCode=-42&errorMessage=too+many", errors.RateLimited),
        ("errorCode=-20&errorMessage=already+rejected", errors.InvalidRequest),
        ("errorCode=-160&errorMessage=odd", errors.InvalidRequest),
    ],
)
def test_a_change_that_is_refused(text: str, error: type[errors.OrderError]) -> None:
    sectigo, _transport = provider((UPDATE, answer(text)))
    with pytest.raises(error) as caught:
        sectigo.change_dcv_method(ORDER, ["shop.example.org"], "CNAME_CSR_HASH")
    assert LOGIN["loginPassword"] not in str(caught.value)


def test_the_call_that_looks_knows_no_certificate_id() -> None:
    sectigo, _transport = provider(id_type="certificate")
    with pytest.raises(errors.InvalidRequest, match="give the order number"):
        sectigo.check_dcv_methods({}, [])

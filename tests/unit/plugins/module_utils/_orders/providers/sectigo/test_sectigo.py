# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sectigo: each line of its fact sheet that this collection relies upon, from wire body to order."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import typing as t
from dataclasses import replace
from urllib.parse import parse_qs, quote_plus

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders import errors
from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account, resolve_account
from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import drop_personal
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import OrderSummary
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.client import SectigoProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

BODIES = pathlib.Path(__file__).parent / "bodies"
ORDER = "830045512"
LOGIN = {"loginName": "reseller", "loginPassword": "s3cret&pass"}
ASK_STATUS = {
    "method": "POST",
    "path": "/products/!GetDetailedOrderStatus",
    "query": {},
    "form": {**LOGIN, "orderNumber": ORDER, "queryType": "2", "showValidityPeriod": "Y"},
}
ASK_DOMAINS = {
    "method": "POST",
    "path": "/products/!GetMDCDomainDetails",
    "query": {},
    "form": {**LOGIN, "orderNumber": ORDER},
}
ASK_COLLECT = {
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
ASK_REPORT = {"method": "POST", "path": "/products/!WebHostReport", "query": {}}
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
Exchange = t.Tuple[t.Mapping[str, t.Any], t.Union[Response, errors.OrderError]]


def body(name: str, **changes: str | None) -> str:
    """A stored body; values by key replace those it has, None takes the key out, and new keys are added."""
    text = (BODIES / name).read_text(encoding="utf-8").rstrip("\n")
    for key, value in changes.items():
        name = re.sub(r"^x", "", key)
        text = re.sub(rf"(^|&){re.escape(name)}=[^&]*", "", text)
        if value is not None:
            text += f"&{name}={quote_plus(value)}"
    return text


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
    sectigo, transport = provider((ASK_STATUS, answer(text)), *more)
    order = sectigo.fetch_order(order_id)
    transport.assert_finished()
    return order


def refuse(response: Response) -> errors.OrderError:
    """The error that a status call ends with."""
    sectigo, _transport = provider((ASK_STATUS, response))
    with pytest.raises(errors.OrderError) as caught:
        sectigo.fetch_order(ORDER)
    return caught.value


# -- the question -----------------------------------------------------------------


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


def test_credentials_travel_in_the_form_and_no_response_format_is_asked_for() -> None:
    sectigo, transport = provider((ASK_STATUS, answer(body("pending.txt"))))
    sectigo.fetch_order(ORDER)
    request = transport.requests[0]
    assert request.query == {} and request.headers == {}
    # What messages call it.
    assert (request.call, request.order_id) == ("!GetDetailedOrderStatus", ORDER)
    assert "responseFormat" not in (request.form or {})


def test_an_order_can_be_named_by_its_certificate_id() -> None:
    form = {**LOGIN, "certificateID": "91200345", "queryType": "2", "showValidityPeriod": "Y"}
    sectigo, transport = provider((dict(ASK_STATUS, form=form), answer(body("pending.txt"))), id_type="certificate")
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


def test_calls_of_an_account_never_overlap_and_are_polled_every_quarter_of_an_hour() -> None:
    pace = SectigoProvider.info.rate_limits
    assert [pace.schedule.pause(age) for age in (0, 14399, 14400)] == [900, 900, 1800]


# -- an order ----------------------------------------------------------------------


def test_a_pending_order() -> None:
    order = fetch(body("pending.txt"))
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
    order = fetch(body("issued.txt"))
    assert (order.status, order.issued, order.final, order.dcv_completed) == ("issued", True, True, True)
    assert order.certificate.serial_number == "AB12CD34"
    assert order.certificate.not_before == "2026-03-01T00:00:00Z"
    assert order.certificate.not_after == "2026-09-16T23:59:59Z"
    assert order.blockers == ()


@pytest.mark.parametrize(
    ("spoken", "status", "reason"),
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
def test_each_status_text(spoken: str, status: str, reason: str | None) -> None:
    order = fetch(body("pending.txt", x1_1_certificateStatus=spoken))
    assert (order.status, order.reason) == (status, reason)
    assert order.provider_status == spoken.strip()
    assert order.issued is (status == "issued")
    assert order.final is (status in Status.ENDED or status == "issued")
    assert bool(order.warnings) is (status == "unknown")
    if status == "unknown":
        assert spoken in order.warnings[0]


def test_an_unknown_text_is_no_success_though_a_serial_is_there() -> None:
    order = fetch(body("issued.txt", x1_1_certificateStatus="Under Cosmic Review"))
    assert (order.status, order.issued, order.final) == ("unknown", False, False)


def test_the_text_of_the_order_counts_only_when_the_certificate_has_none() -> None:
    pending = body("pending.txt", x1_1_certificateStatus="")
    assert (fetch(pending).status, fetch(pending).provider_status) == ("validating", "Pending")
    assert fetch(body("pending.txt", x1_orderStatus="Odd")).status == "validating"
    assert fetch(body("pending.txt", x1_1_certificateStatus="", x1_orderStatus="Odd")).status == "unknown"


def test_without_any_text_the_serial_tells_whether_it_is_issued() -> None:
    silent = {"x1_1_certificateStatus": None, "x1_orderStatus": None}
    assert fetch(body("issued.txt", **silent)).status == "issued"
    order = fetch(body("pending.txt", **silent))
    assert (order.status, order.issued, len(order.warnings)) == ("unknown", False, 1)


def test_it_is_issuing_when_every_known_check_is_closed() -> None:
    order = fetch(body("pending.txt", x1_1_dcvStatus="1", x1_1_caaStatus="-1"))
    assert (order.status, order.dcv_completed, order.issued, order.blockers) == ("issuing", True, False, ())


def test_it_is_validating_when_no_check_is_known() -> None:
    without = {"x1_1_" + key: None for key, _check, _missing in CHECKS}
    order = fetch(body("pending.txt", **without))
    assert (order.status, order.dcv_completed) == ("validating", None)
    assert {name for name, state in order.checks.items() if state == "not_applicable"} == {"ev_click_through", "brand"}
    assert set(order.checks.values()) == {"not_applicable", "unknown"}


def test_a_brand_review_is_a_check_of_the_providers() -> None:
    order = fetch(body("pending.txt", x1_1_certificateStatus="Awaiting Validation (Brand)", x1_1_dcvStatus="1"))
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
    order = fetch(body("pending.txt", **{"x1_1_" + key: value}))
    assert order.checks[check] == (missing if state == "missing" else state)
    assert len(order.warnings) == (state == "unknown")
    assert all(value in warning and key.lower() in warning.lower() for warning in order.warnings)


@pytest.mark.parametrize(
    ("spoken", "value", "completed"),
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
def test_dcv_completed(spoken: str, value: str | None, completed: bool | None) -> None:
    order = fetch(body("pending.txt", x1_1_certificateStatus=spoken, x1_1_dcvStatus=value))
    assert order.dcv_completed is completed


def test_the_reason_is_read_wherever_it_stands() -> None:
    rejected = {"x1_1_certificateStatus": "Rejected", "x1_1_certificateStatusReason": "Deny list"}
    assert fetch(body("pending.txt", **rejected)).reason == "Deny list"
    assert fetch(body("pending.txt", x1_1_certificateStatus="Rejected", x1_orderStatusReason="Fraud")).reason == "Fraud"


def test_a_caa_refusal_can_be_repaired_and_says_how() -> None:
    order = fetch(body("pending.txt", x1_1_certificateStatus="PRE-SIGN FAILED: CAA not authorised"))
    assert [(blocker.check, blocker.actor) for blocker in order.blockers] == [("caa", "you")]
    assert "!RetryCAACheck" in order.blockers[0].message
    assert fetch(body("pending.txt", x1_1_certificateStatus="PRE-SIGN FAILED: weak key")).blockers == ()


@pytest.mark.parametrize(
    ("code", "status", "check"),
    [
        ("-20", "rejected", None),
        ("-21", "revoked", None),
        ("-22", "action_required", "payment"),
        ("-26", "issuing", None),
    ],
)
def test_a_code_may_tell_where_the_order_stands(code: str, status: str, check: str | None) -> None:
    order = fetch(f"errorCode={code}&errorMessage=As+it+is")
    assert (order.status, order.provider_status, order.reason, order.issued) == (status, code, "As it is", False)
    assert [blocker.check for blocker in order.blockers] == ([check] if check else [])


# -- several orders, several certificates ---------------------------------------------


def test_the_replacement_counts_and_the_replaced_order_is_told_of() -> None:
    order = fetch(body("replaced.txt"))
    assert (order.order_id, order.status, order.dcv_completed) == (ORDER, "validating", False)
    assert order.certificate.serial_number is None
    assert order.ordered_at == "2026-04-02T08:05:00Z"
    assert "830045512 (Replaced)" in order.warnings[0] and "830051977 (Awaiting Validation)" in order.warnings[0]


def test_replaced_without_a_newer_order_is_the_end() -> None:
    order = fetch(body("issued.txt", x1_1_certificateStatus="Replaced"))
    assert (order.status, order.issued, order.final) == ("replaced", False, True)


@pytest.mark.parametrize("date", [None, "", "2026-04-01 9:20", "soon"])
def test_a_replacement_without_a_date_is_the_newest_all_the_same(date: str | None) -> None:
    order = fetch(body("replaced.txt", x1_1_certificateStatus="Valid", x2_orderDateTime=date))
    assert (order.status, order.issued) == ("validating", False)


def test_the_newest_counts_when_all_are_replaced_or_revoked() -> None:
    order = fetch(body("replaced.txt", x2_1_certificateStatus="Revoked", x2_orderDateTime="2025-01-01 00:00"))
    assert (order.status, order.dcv_completed) == ("replaced", True)


def test_the_highest_number_counts_among_orders_of_the_same_minute() -> None:
    order = fetch(body("replaced.txt", x2_orderDateTime="2026-03-01 10:20", x1_1_certificateStatus="Valid"))
    assert order.status == "validating"


def test_the_newest_does_not_count_when_it_is_revoked_and_another_is_not() -> None:
    assert fetch(body("replaced.txt", x1_1_certificateStatus="Valid", x2_1_certificateStatus="Revoked")).issued


def test_an_order_without_a_date_is_no_newer_than_one_with_a_date() -> None:
    assert fetch(body("replaced.txt", x1_orderDateTime=None, x1_1_certificateStatus="Valid")).status == "validating"


def test_keys_come_in_any_order_and_numbers_above_nine() -> None:
    number = {"form": dict(ASK_DOMAINS["form"], orderNumber="830059999")}  # type: ignore[call-overload]
    order = fetch(body("shuffled.txt"), (dict(ASK_DOMAINS, **number), answer("errorCode=0")))
    assert (order.status, order.checks["dcv"], order.ordered_at) == (
        "validating",
        "not_completed",
        "2026-06-01T08:05:00Z",
    )
    assert [domain.name for domain in order.domains] == ["www.example.org", "eleven.example.org"]
    assert re.findall("[(]([A-Z][a-z]+)", order.warnings[0]) == ["Replaced", "Replaced", "Awaiting"]


def test_the_certificate_that_is_not_replaced_counts_within_an_order() -> None:
    second = {"x1_2_certificateStatus": "Replaced", "x1_2_serialNumber": "0F"}
    order = fetch(body("issued.txt", **second))
    assert (order.status, order.certificate.serial_number) == ("issued", "AB12CD34")
    second["x1_2_certificateStatus"] = "Valid"
    assert fetch(body("issued.txt", **second)).certificate.serial_number == "F"


def test_odd_values_do_no_harm() -> None:
    order = fetch(body("odd_values.txt"))
    assert (order.status, order.certificate.serial_number, order.checks["dcv"]) == ("issued", "A", "unknown")
    assert [domain.name for domain in order.domains] == ["b%zzd.example.org", "\ufffd.example.org", "www.example.org"]
    assert order.certificate.not_after is None


def test_an_issued_order_may_come_without_a_name() -> None:
    assert fetch(body("issued.txt", x1_1_FQDN="")).domains == ()


def test_durations_before_issuance_are_no_dates() -> None:
    order = fetch(body("mark_certificate.txt"))
    assert (order.certificate.not_before, order.certificate.not_after) == (None, None)
    assert (order.checks["ev_click_through"], order.dcv_completed) == ("in_progress", None)
    assert [domain.name for domain in order.domains] == ["a.example.net", "b.example.net"]


def test_personal_data_is_left_out_of_raw() -> None:
    order = fetch(body("odd_values.txt"))
    shown, left_out = drop_personal(order.raw, SectigoProvider.info.personal)
    assert not re.search("someone|Some|1Z999|12345", repr(shown))
    assert "1_1_shippingEmail" in left_out and "1_telephoneNumber" in left_out


# -- names -------------------------------------------------------------------------------


def test_several_names_are_asked_for_while_dcv_is_open() -> None:
    order = fetch(body("multi_domain.txt"), (ASK_DOMAINS, answer(body("domains.txt"))))
    assert [(domain.name, domain.status, domain.method) for domain in order.domains] == [
        ("example.org", "completed", "CNAME"),
        ("www.example.org", "not_completed", "CNAME"),
    ]
    assert [blocker.subject for blocker in order.blockers if blocker.check == "dcv"] == ["www.example.org"]


@pytest.mark.parametrize("changes", [{"x1_1_dcvStatus": "1"}, {"x1_1_FQDN": "example.org"}, {"x1_1_dcvStatus": None}])
def test_names_are_not_asked_for_otherwise(changes: t.Mapping[str, str | None]) -> None:
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
    order = fetch(body("multi_domain.txt"), (ASK_DOMAINS, answer(body("domains.txt", x2_dcvStatus=text))))
    assert order.domains[1].status == state
    assert len(order.warnings) == (text == "Invalidated")
    assert all(text in warning and order.domains[1].name in warning for warning in order.warnings)
    assert order.dcv_completed is False


@pytest.mark.parametrize(
    "refusal", ["errorCode=-2&errorMessage=Unrecognised", "errorCode=-91&errorMessage=No", "<html>"]
)
def test_what_is_known_of_an_order_holds_when_its_names_are_refused(refusal: str) -> None:
    order = fetch(body("multi_domain.txt"), (ASK_DOMAINS, answer(refusal)))
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
    status = (ASK_STATUS, answer(body("multi_domain.txt")))
    sectigo, transport = provider(status, (ASK_DOMAINS, answer(refusal)), status)
    assert sectigo.fetch_order(ORDER) == sectigo.fetch_order(ORDER)
    transport.assert_finished()


@pytest.mark.parametrize("fault", ["errorCode=-14", "errorCode=-42", "errorCode=-4&errorMessage=orderNumber"])
def test_a_call_for_names_that_is_not_well_is_made_again(fault: str) -> None:
    status = (ASK_STATUS, answer(body("multi_domain.txt")))
    sectigo, transport = provider(
        status, (ASK_DOMAINS, answer(fault)), status, (ASK_DOMAINS, answer(body("domains.txt")))
    )
    assert sectigo.fetch_order(ORDER).warnings
    assert not sectigo.fetch_order(ORDER).warnings
    transport.assert_finished()


def test_a_login_that_is_refused_while_names_are_asked_for_is_not_tried_again() -> None:
    refused = (ASK_DOMAINS, answer("errorCode=-16&errorMessage=Permission+denied"))
    sectigo, _transport = provider((ASK_STATUS, answer(body("multi_domain.txt"))), refused)
    with pytest.raises(errors.AuthenticationError):
        sectigo.fetch_order(ORDER)


# -- formats and errors --------------------------------------------------------------------


def test_json_with_the_same_flat_keys_is_accepted() -> None:
    order = fetch(body("status.json"))
    assert (order.status, order.checks["dcv"], order.domains[0].name) == (
        "validating",
        "in_progress",
        "www.example.org",
    )


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


def test_a_limit_says_how_long_to_stay_away() -> None:
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


# -- the certificate -----------------------------------------------------------------------


def collect(text: str, order: Order | None = None, expected: t.Mapping[str, t.Any] | None = None) -> t.Any:
    sectigo, transport = provider((expected or ASK_COLLECT, answer(text)))
    try:
        return sectigo.fetch_certificate(
            order or Order(provider="sectigo", order_id=ORDER, status="issued", issued=True)
        )
    finally:
        transport.assert_finished()


@pytest.mark.parametrize(
    "name", ["collect_issued.txt", "collect_issued_newline.txt", "collect_base64_pem.txt", "collect_base64_der.txt"]
)
def test_every_form_of_a_delivery_makes_the_same_chain(name: str) -> None:
    delivery = collect(body(name))
    bundle = chain.assemble(delivery.leaf, delivery.additional)
    assert bundle.facts.names == ("www.example.org", "example.org")
    assert bundle.facts.serial_number == "AB12CD34"
    assert bundle.chain.count("BEGIN CERTIFICATE") == 1
    found = chain.split_certificates(([delivery.leaf] if delivery.leaf else []) + list(delivery.additional))
    assert len(found) == 3, "a repeated caCertificate was lost"


def test_a_certificate_that_is_available_may_be_attached_already() -> None:
    assert collect(body("collect_issued.txt", errorCode="1")) == collect(body("collect_issued.txt"))


def test_keys_that_are_repeated_are_arrays_in_json() -> None:
    pairs = parse_qs(body("collect_issued.txt"))
    told = {key: found if len(found) > 1 else found[0] for key, found in pairs.items()}
    delivery = collect(json.dumps(told))
    assert len(pairs["caCertificate"]) == len(delivery.additional) == 2
    assert delivery == collect(body("collect_issued.txt"))


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
def test_each_refusal_to_deliver(code: str, kind: type[errors.OrderError], form: str) -> None:
    with pytest.raises(errors.OrderError) as caught:
        collect(form.format(code))
    assert caught.value.__class__ is kind
    assert caught.value.order_id == ORDER
    assert "As it is" in caught.value.message and f"CollectSSL answered {code}" in caught.value.message


def test_a_revoked_certificate_is_told_in_the_newline_format() -> None:
    with pytest.raises(errors.OrderFailed, match="has been revoked"):
        collect(body("collect_revoked.txt"))


def test_a_form_of_more_fields_than_memory_should_hold_is_refused() -> None:
    with pytest.raises(errors.UnexpectedResponse, match="more fields"):
        fetch("errorCode=0&" + "1=&" * 100_001)


def test_only_collecting_is_sent_once_whatever_comes_back() -> None:
    sectigo, transport = provider(
        (ASK_STATUS, answer(body("pending.txt"))), (ASK_COLLECT, answer(body("collect_issued.txt")))
    )
    sectigo.fetch_certificate(replace(sectigo.fetch_order("830045512"), issued=True))
    assert [not request.repeatable for request in transport.requests] == [False, True]


def test_a_limit_keeps_collecting_away_for_three_hours() -> None:
    with pytest.raises(errors.RateLimited) as caught:
        collect("-42\nCall limit reached")
    assert caught.value.retry_after == 3 * 3600


def test_not_ready_is_not_asked_again_at_once() -> None:
    sectigo, transport = provider((ASK_COLLECT, answer(body("collect_processing.txt"))))
    outside: list[str] = []
    send = transport.send

    def watch(request: t.Any, read: t.Any) -> t.Any:
        result = send(request, read)
        outside.append("answered")
        return result

    transport.send = watch  # type: ignore[method-assign]
    with pytest.raises(errors.NotIssued):
        sectigo.fetch_certificate(Order(provider="sectigo", order_id=ORDER, status="issued", issued=True))
    assert outside == ["answered"], "raised inside of the question, where the transport asks again within seconds"


def test_the_replacement_is_collected_by_its_own_number() -> None:
    issued = body("replaced.txt", x2_1_certificateStatus="Valid", x2_1_serialNumber="0C")
    order = fetch(issued)
    assert order.issued
    form = dict(ASK_COLLECT["form"], orderNumber="830051977")  # type: ignore[call-overload]
    collect(body("collect_issued.txt"), order, dict(ASK_COLLECT, form=form))


def test_a_certificate_id_is_collected_by_certificate_id() -> None:
    form = {key: value for key, value in ASK_COLLECT["form"].items() if key != "orderNumber"}  # type: ignore[attr-defined]
    form["certificateID"] = "91200345"
    sectigo, transport = provider(
        (dict(ASK_COLLECT, form=form), answer(body("collect_issued.txt"))), id_type="certificate"
    )
    # Its answer has told of the order, but that may have other certificates too.
    raw = {"1_orderNumber": ORDER, "1_1_certificateStatus": "Valid"}
    sectigo.fetch_certificate(Order(provider="sectigo", order_id="91200345", status="issued", issued=True, raw=raw))
    transport.assert_finished()


# -- many orders -------------------------------------------------------------------------------


def report(numbers: str, **more: str) -> dict[str, t.Any]:
    return dict(ASK_REPORT, form=dict(LOGIN, orderNumber=numbers, showStatusesOnly="Y", **more))


WANTED = [ORDER, "830045513", "830045514"]


def test_one_report_tells_of_many_orders() -> None:
    sectigo, transport = provider((report(",".join(WANTED)), answer(body("report.txt"))))
    sketches = sectigo.fetch_summaries(WANTED, None)
    transport.assert_finished()
    assert sorted(sketches) == WANTED, "an order that was not asked for must not come back"
    pending = sketches[ORDER].order
    assert pending is not None
    assert (pending.status, pending.issued, pending.dcv_completed) == ("validating", False, None)
    assert [domain.name for domain in pending.domains] == ["www.example.org"]
    assert pending.ordered_at == "2026-03-01T10:20:00Z"
    assert (pending.provider, pending.order_id, transport.requests[0].call) == ("sectigo", ORDER, "!WebHostReport")
    # The word for the certificate, not the one for the order.
    assert pending.provider_status == "Awaiting Validation"
    # Whether a replacement is under way only the status call can tell.
    assert sketches["830045513"].order is None
    assert sketches["830045514"].order is None


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
def test_a_mark_changes_with_the_state_of_its_order_only(changes: t.Mapping[str, str], same: bool) -> None:
    sectigo, _transport = provider(
        (ASK_REPORT, answer(body("report.txt"))), (ASK_REPORT, answer(body("report.txt", **changes)))
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


def test_pages_that_bring_nothing_new_are_not_asked_for_again() -> None:
    sectigo, transport = provider(
        (ASK_REPORT, answer(body("report_page_1.txt"))),
        (ASK_REPORT, answer(body("report_page_1.txt"))),
        (report(WANTED[-1]), answer("errorCode=0&noOfResults=0")),
    )
    assert sectigo.fetch_summaries(WANTED, None)[WANTED[-1]] == OrderSummary(change_token="missing")
    transport.assert_finished()


def test_orders_that_the_report_leaves_out_are_asked_for_by_themselves() -> None:
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
    sketches = sectigo.fetch_summaries(WANTED, None)
    assert [one for one, sketch in sketches.items() if sketch == OrderSummary(change_token="missing")] == [WANTED[-1]]
    transport.assert_finished()


def test_nothing_more_is_asked_for_once_every_order_was_told_of() -> None:
    sectigo, transport = provider((ASK_REPORT, answer(body("report.txt", noOfResults="9"))))
    assert len(sectigo.fetch_summaries(WANTED, None)) == 3
    transport.assert_finished()


def test_reports_are_asked_for_in_batches() -> None:
    size = SectigoProvider.info.bulk_batch
    numbers = [str(number) for number in range(1, 2 * size + 51)]
    batches = [numbers[:size], numbers[size : 2 * size], numbers[2 * size :]]
    sectigo, transport = provider(
        *[(report(",".join(batch)), answer("errorCode=0&noOfResults=0")) for batch in batches]
    )
    assert sectigo.fetch_summaries(numbers, None) == dict.fromkeys(numbers, OrderSummary(change_token="missing"))
    transport.assert_finished()


@pytest.mark.parametrize("text", [body("unknown_order.txt"), "errorCode=-20&errorMessage=rejected"])
def test_a_report_that_refuses_an_order_has_each_asked_for_by_itself(text: str) -> None:
    sectigo, _transport = provider((ASK_REPORT, answer(text)))
    with pytest.raises(errors.InvalidRequest) as caught:
        sectigo.fetch_summaries(WANTED, None)
    assert re.search(r"answered -(4|20) ", caught.value.message)


def test_the_report_knows_no_certificate_ids() -> None:
    sectigo, transport = provider(id_type="certificate")
    with pytest.raises(errors.InvalidRequest) as caught:
        sectigo.fetch_summaries(["91200345"], None)
    assert (caught.value.provider, caught.value.retryable) == ("sectigo", False)
    assert transport.requests == []


# -- secrets -----------------------------------------------------------------------------------


def test_no_message_holds_the_password() -> None:
    for text, status in [("errorCode=-16&errorMessage=Permission+denied", 200), ("<html>", 403), ("<html>", 404)]:
        assert LOGIN["loginPassword"] not in str(refuse(answer(text, status)))


def test_the_password_is_taken_out_of_raw() -> None:
    sectigo, transport = provider((ASK_STATUS, answer(body("pending.txt", x1_1_objectType="seen s3cret&pass here"))))
    transport.redactor.learn(LOGIN["loginPassword"])
    raw = repr(transport.redactor.scrub_data(sectigo.fetch_order(ORDER).raw))
    assert "s3cret" not in raw and base64.b64encode(b"s3cret&pass").decode() not in raw

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GoGetSSL: what each body becomes, without any transport. Tables follow the GoGetSSL fact sheet."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Check,
    Coverage,
    Order,
    Record,
    Reissue,
    Status,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.gogetssl.mapping import map_order

BODIES = pathlib.Path(__file__).parent / "bodies"
ORDER_ID = "2204418"


def load(name: str) -> t.Any:
    return json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8"))


def fetch(body: t.Mapping[str, t.Any], order_id: str = ORDER_ID) -> Order:
    return map_order(body, order_id)


def changed(name: str, **changes: t.Any) -> dict[str, t.Any]:
    """A body with these fields instead; None takes a field away."""
    body = {**load(name), **changes}
    return {field: value for field, value in body.items() if value is not None}


def all_done(**changes: t.Any) -> dict[str, t.Any]:
    """The processing order with every name validated."""
    san = [{**one, "status": "2"} for one in load("processing")["san"]]
    return changed("processing", **{"dcv_status": 2, "san": san, **changes})


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
    rejected = {"status": "rejected", "validation_description": "on a deny list"}
    assert fetch(changed("active", **rejected, status_description="")).reason == "on a deny list"
    assert fetch(changed("active", **rejected, status_description="brand")).reason == "brand"


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


EMAIL = Record("email", "admin@example.org")
SAN = [
    {"san_name": "www.example.org", "validation_method": "dns", "status": "2"},
    {"san_name": "api.example.org", "validation_method": "email", "status": "1", "email": "admin@example.org"},
]


@pytest.mark.parametrize(
    "san",
    [
        SAN,
        {"0": SAN[0], "1": SAN[1]},
        {"1": SAN[1], "0": SAN[0]},
        {"2": SAN[0], "10": SAN[1]},
        {"www.example.org": SAN[0], "api.example.org": SAN[1]},
        {one["san_name"]: {key: value for key, value in one.items() if key != "san_name"} for one in SAN},
        {"0": {"0": SAN[0]}, "1": [SAN[1]]},
        {one["san_name"]: [one] for one in SAN},
    ],
)
def test_san_in_each_shape_of_an_array_of_php(san: t.Any) -> None:
    order = fetch(changed("processing", dcv_status=2, san=san, domains="example.org"))
    assert [(one.name, one.status, one.method) for one in order.domains] == [
        ("example.org", Check.COMPLETED, "dns"),
        ("www.example.org", Check.COMPLETED, "dns"),
        ("api.example.org", Check.IN_PROGRESS, "email"),
    ]
    assert order.domains[2].record == EMAIL
    assert (order.status, order.dcv_completed) == (Status.VALIDATING, False)


@pytest.mark.parametrize("san", [SAN[0], {"0": SAN[0]}, [SAN[0]], {"www.example.org": SAN[0]}])
def test_one_item_of_san_in_each_shape(san: t.Any) -> None:
    order = fetch(changed("processing", dcv_status=2, san=san, domains="example.org"))
    assert [one.name for one in order.domains] == ["example.org", "www.example.org"]
    assert (order.status, order.dcv_completed) == (Status.ISSUING, True)


@pytest.mark.parametrize(
    ("fields", "method", "record"),
    [
        ({"email": "admin@example.org"}, "email", EMAIL),
        ({"email": "admin@example.org", "validation_method": "email", "validation": ""}, "email", EMAIL),
        ({"email": "admin@example.org", "validation_method": "dns"}, "dns", None),
        ({"email": "", "validation_method": "email"}, "email", None),
        ({"email": []}, None, None),
    ],
)
def test_the_address_of_a_san(fields: dict[str, t.Any], method: str | None, record: Record | None) -> None:
    order = fetch(changed("processing", san=[{"san_name": "www.example.org", "status": 1, **fields}]))
    assert (order.domains[1].method, order.domains[1].record) == (method, record)


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": "Example, Inc."},
        {"domain": "Foo.com, Inc."},
        {"domain": "Example Org Ltd."},
        {"domain": "Example Org"},
        {"domain": "jane@example.org"},
        {"domain": "Example", "dcv_method": ""},
        {"domain": "example.org", "codesigning_inviteurl": "https://example.net/invite"},
    ],
)
def test_companies_and_mail_addresses_are_no_domains(changes: dict[str, t.Any]) -> None:
    assert fetch(changed("processing", san=[], domains="", **changes)).domains == ()


@pytest.mark.parametrize("name", ["jane@example.org", "Example, Inc.", "Inc."])
def test_a_san_that_is_no_host_name_is_no_domain(name: str) -> None:
    order = fetch(changed("processing", san=[{"san_name": name, "status": 1}]))
    assert [one.name for one in order.domains] == ["example.org", "www.example.org"]


@pytest.mark.parametrize("listed", ["example.org,intranet", "example.org, *.example.net, 2001:db8::10, 192.0.2.1"])
def test_every_kind_of_name_is_kept(listed: str) -> None:
    order = fetch(changed("processing", san=[], domains=listed))
    assert [one.name for one in order.domains] == [name.strip() for name in listed.split(",")]


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


@pytest.mark.parametrize(("shape", "chosen", "method", "record"), SHAPES)
def test_shapes_of_the_base_domain(shape: t.Any, chosen: str, method: str, record: Record | None) -> None:
    order = fetch(changed("processing", approver_method=shape, dcv_method=chosen, approver_emails=None))
    assert (order.domains[0].method, order.domains[0].record) == (method, record)


@pytest.mark.parametrize(("shape", "chosen", "method", "record"), SHAPES)
def test_shapes_of_a_san(shape: t.Any, chosen: str, method: str, record: Record | None) -> None:
    san = {"san_name": "www.example.org", "status": 1, "validation_method": chosen, "validation": shape}
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


def test_a_record_that_cannot_be_read_is_a_warning() -> None:
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


def test_the_certificate_itself_is_trusted_rather_than_the_fields() -> None:
    certificate = fetch(load("active")).certificate
    assert certificate.serial_number == "A1B2C3D4E5F"
    assert (certificate.not_before, certificate.not_after) == ("2026-03-01T11:00:00Z", "2026-09-15T23:59:59Z")


def test_dates_of_a_certificate_that_cannot_be_read() -> None:
    certificate = fetch(changed("active", crt_code="MII...")).certificate
    assert certificate.serial_number is None
    assert (certificate.not_before, certificate.not_after) == ("2026-03-01T00:00:00Z", "2026-09-16T00:00:00Z")


def test_an_expired_order_hints_at_its_renewal() -> None:
    assert "order id of its own" in fetch(changed("active", status="expired")).warnings[0]


@pytest.mark.parametrize("error", [False, 0, "0", "", None, [], {}])
def test_no_error_in_all_its_types(error: t.Any) -> None:
    assert fetch({**load("active"), "error": error}).issued


def test_san_may_be_names_with_their_status_or_names_alone() -> None:
    order = fetch(changed("processing", dcv_status=2, san={"a.example.org": "2", "b.example.org": 1}, domains=""))
    assert [(one.name, one.status) for one in order.domains[1:]] == [
        ("a.example.org", Check.COMPLETED),
        ("b.example.org", Check.IN_PROGRESS),
    ]
    order = fetch(changed("processing", dcv_status=2, san=["a.example.org"], domains=""))
    assert [(one.name, one.status) for one in order.domains[1:]] == [("a.example.org", Check.UNKNOWN)]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"0": one}])
def test_what_to_publish_may_be_an_array_of_one_at_any_depth(wrap: t.Callable[[t.Any], t.Any]) -> None:
    block = {"link": wrap("http://example.org/.well-known/pki-validation/a.txt"), "content": wrap("content")}
    order = fetch(changed("processing", dcv_method="http", approver_method=wrap({"http": wrap(block)})))
    assert order.domains[0].record == Record("http", "http://example.org/.well-known/pki-validation/a.txt", "content")


# -- coverage and reissue ------------------------------------------------------


def test_an_open_reissue_and_what_was_paid_for() -> None:
    order = fetch(load("reissue"))
    assert order.coverage == Coverage("2026-03-01T00:00:00Z", "2029-03-01T00:00:00Z")
    assert (order.reissue, order.status) == (Reissue(open=True), Status.VALIDATING)
    assert (order.reference, order.auto_reissue) == (None, None)


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({"status": "reissue", "reissue_now": None}, True),
        ({"status": "active", "reissue_now": "1"}, True),
        ({"status": "active", "reissue_now": 0}, False),
        ({"status": "active", "reissue_now": None}, None),
        ({"status": "processing", "reissue_now": 0}, False),
    ],
)
def test_whether_a_reissue_runs(changes: dict[str, t.Any], is_open: bool | None) -> None:
    assert fetch(changed("active", **changes)).reissue == Reissue(open=is_open)


@pytest.mark.parametrize("nothing", ["", "0000-00-00", None, [], "soon"])
def test_a_term_that_is_not_reported_is_not_guessed(nothing: t.Any) -> None:
    assert fetch({**load("reissue"), "begin_date": nothing, "end_date": nothing}).coverage == Coverage()

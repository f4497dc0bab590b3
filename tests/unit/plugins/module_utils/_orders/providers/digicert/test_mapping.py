# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigiCert: what each body becomes, without any transport. Tables follow the DigiCert fact sheet."""

from __future__ import annotations

import json
import pathlib
import typing as t
from datetime import datetime, timezone

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Check,
    Coverage,
    Order,
    Reissue,
    Status,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.mapping import (
    map_order,
    map_summary,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.reissue import map_snapshot

BODIES = pathlib.Path(__file__).parent / "bodies"
ORDER_ID = "88120034"


def load(name: str) -> t.Any:
    return json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8"))


def fetch(info: t.Any, validation: t.Any) -> Order:
    """The order from an order info body and a validation body."""
    return map_order(info, validation, ORDER_ID)


def with_status(status: t.Any, info: str = "info_pending", validation: str = "validation_dv_pending") -> Order:
    return fetch({**load(info), "status": status}, {**load(validation), "order_status": status})


def first_name(validation: t.Mapping[str, t.Any], **changes: t.Any) -> dict[str, t.Any]:
    """A validation body whose first DNS name has these fields instead."""
    entries = validation["dns_name_validations"]
    return {**validation, "dns_name_validations": [{**entries[0], **changes}] + entries[1:]}


@pytest.mark.parametrize("odd", [None, "www.example.com", [], 5])
def test_an_entry_that_cannot_be_read_is_one_that_is_not_known_to_be_done(odd: t.Any) -> None:
    done = {"dns_names": ["www.example.com"], "status": "approved"}
    listed = {**load("validation_dv_pending"), "dns_name_validations": [done, odd]}
    order = fetch(load("info_pending"), listed)
    assert (order.status, order.dcv_completed) == (Status.VALIDATING, None)


@pytest.mark.parametrize("issued_on", ["0000-00-00", 0, "", "soon", None])
def test_an_old_word_without_a_date_of_issuance_is_not_issued(issued_on: t.Any) -> None:
    info = load("info_issued")
    info = {**info, "status": "approved", "certificate": {**info["certificate"], "date_issued": issued_on}}
    assert fetch(info, load("validation_issued")).status == Status.ISSUING


# -- section 5: status --------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("issued", Status.ISSUED),
        ("Issued", Status.ISSUED),
        (" ISSUED ", Status.ISSUED),
        ("waiting_pickup", Status.ISSUING),
        ("approved", Status.ISSUED),
        ("reissue", Status.ISSUED),
        ("rejected", Status.REJECTED),
        ("denied", Status.REJECTED),
        ("canceled", Status.CANCELED),
        ("CANCELED", Status.CANCELED),
        ("cancelled", Status.CANCELED),
        ("revoked", Status.REVOKED),
        ("expired", Status.EXPIRED),
    ],
)
def test_words_of_an_order_with_a_certificate(word: str, status: str) -> None:
    order = with_status(word, "info_issued", "validation_issued")
    assert order.status == status
    assert order.issued is (status == Status.ISSUED)
    assert order.final is (status != Status.ISSUING)
    assert order.provider_status == word.strip()
    assert order.warnings == ()


@pytest.mark.parametrize("word", ["pending", "processing", "reissue_pending"])
@pytest.mark.parametrize(
    ("validation", "status", "dcv_completed"),
    [
        ("validation_dv_pending", Status.VALIDATING, False),
        ("validation_ov_pending", Status.VALIDATING, True),
        ("validation_two_names", Status.VALIDATING, False),
        ("validation_all_done", Status.ISSUING, True),
        ("validation_empty", Status.VALIDATING, None),
    ],
)
def test_words_under_which_validation_goes_on(
    word: str, validation: str, status: str, dcv_completed: bool | None
) -> None:
    order = with_status(word, validation=validation)
    assert (order.status, order.dcv_completed, order.issued, order.final) == (status, dcv_completed, False, False)
    assert order.checks["dcv"] == {True: "completed", False: "in_progress", None: "unknown"}[dcv_completed]


@pytest.mark.parametrize("word", ["needs_approval", "needs_csr"])
def test_a_person_must_act_and_is_reported_early(word: str) -> None:
    order = with_status(word)
    assert (order.status, order.issued, order.final) == (Status.ACTION_REQUIRED, False, False)
    expected = {"needs_approval": "approval", "needs_csr": "csr"}[word]
    assert [(blocker.check, blocker.actor) for blocker in order.blockers][0] == (expected, "you")


@pytest.mark.parametrize("word", ["something_new", "", "  ", None, 7, True, ["issued"], {"issued": True}])
def test_an_unknown_word_is_never_success_and_never_final(word: t.Any) -> None:
    order = with_status(word, "info_issued", "validation_published_of_order")
    assert (order.status, order.issued, order.final) == (Status.UNKNOWN, False, False)
    assert any("does not know" in warning for warning in order.warnings)


@pytest.mark.parametrize("word", ["approved", "reissue"])
@pytest.mark.parametrize("missing", ["id", "date_issued"])
def test_old_words_mean_issued_only_with_certificate_id_and_date(word: str, missing: str) -> None:
    info = load("info_issued")
    del info["certificate"][missing]
    order = fetch({**info, "status": word}, {**load("validation_issued"), "order_status": word})
    assert (order.status, order.issued) == (Status.ISSUING, False)


def test_an_issued_order_without_certificate_id_cannot_be_collected() -> None:
    info = load("info_issued")
    del info["certificate"]["id"]
    order = fetch(info, load("validation_issued"))
    assert (order.status, order.issued, order.final) == (Status.ISSUED, False, False)
    assert "no certificate id" in order.warnings[0]


def test_a_revoked_certificate_of_a_living_order_is_not_issued() -> None:
    info = load("info_issued")
    info["certificate"]["status"] = "revoked"
    order = fetch(info, load("validation_issued"))
    assert (order.status, order.issued, order.provider_status) == (Status.REVOKED, False, "issued")
    assert order.reason == "the certificate of the order is revoked"


def test_order_info_decides_while_validation_is_behind() -> None:
    order = fetch(load("info_issued"), load("validation_dv_pending"))
    assert (order.status, order.issued, order.dcv_completed, order.blockers) == (Status.ISSUED, True, True, ())
    order = fetch(load("info_pending"), load("validation_issued"))
    assert (order.issued, order.final) == (False, False)


# -- section 4: fields --------------------------------------------------------


def test_an_issued_order_is_mapped_whole() -> None:
    order = fetch(load("info_issued"), load("validation_issued"))
    assert (order.provider, order.order_id, order.provider_status) == ("digicert", ORDER_ID, "issued")
    assert order.certificate.id == "77300981"
    assert order.certificate.serial_number == "A1B2C3D4E5F"
    assert order.certificate.not_before == "2026-03-01T00:00:00Z"
    assert order.certificate.not_after == "2026-09-15T00:00:00Z"
    assert order.ordered_at == "2026-03-01T10:00:00Z"
    assert order.checks == {"caa": "completed", "dcv": "completed", "organization": "not_applicable"}
    assert [(one.name, one.status, one.method, one.validated_until) for one in order.domains] == [
        ("example.org", "completed", "dns-txt-token", "2026-05-01T10:00:00Z"),
        ("www.example.org", "completed", "dns-txt-token", "2026-05-01T10:00:00Z"),
    ]


def test_names_of_which_validation_reports_nothing_are_unknown() -> None:
    validation = first_name(load("validation_dv_pending"), dns_names=["example.org"])
    assert {one.name: one.status for one in fetch(load("info_pending"), validation).domains} == {
        "example.org": Check.IN_PROGRESS,
        "www.example.org": Check.UNKNOWN,
    }


def test_a_scope_without_names_stands_for_the_names_of_the_order_below_it() -> None:
    entry = first_name(load("validation_dv_pending"), dns_names=[], status="approved")
    order = fetch({**load("info_pending")}, entry)
    assert [(one.name, one.status) for one in order.domains] == [
        ("example.org", Check.COMPLETED),
        ("www.example.org", Check.COMPLETED),
    ]


@pytest.mark.parametrize("names", [[" "], [], None, " "])
def test_blank_names_are_no_names(names: t.Any) -> None:
    info = load("info_pending")
    info["certificate"].update(common_name=" ", dns_names=names)
    order = fetch(info, first_name(load("validation_dv_pending"), dns_names=names, name_scope=None))
    assert order.domains == ()
    assert (order.status, order.dcv_completed) == (Status.VALIDATING, False)
    assert [blocker.check for blocker in order.blockers] == ["dcv"]
    assert "not which name" in order.warnings[0]


def test_a_common_name_that_is_a_person_is_no_domain() -> None:
    info = load("info_pending")
    info["certificate"].update(common_name="Jane Doe Inc.", dns_names=[])
    assert fetch(info, load("validation_empty")).domains == ()


def test_blockers_name_who_must_do_what() -> None:
    order = fetch(load("info_pending"), load("validation_two_names"))
    assert [(one.check, one.subject, one.actor) for one in order.blockers] == [("dcv", "www.example.org", "you")]
    order = fetch(load("info_pending"), load("validation_ov_pending"))
    assert [(one.check, one.actor) for one in order.blockers] == [
        ("organization", "provider"),
        ("approval", "provider"),
    ]
    assert "organization_status, address_verification, request_authenticity" in order.blockers[0].message


@pytest.mark.parametrize(
    ("message", "state", "reason"),
    [
        (None, Check.UNKNOWN, None),
        ({}, Check.UNKNOWN, None),
        ([], Check.UNKNOWN, None),
        ("", Check.UNKNOWN, None),
        ({"digicert.com": "issue tag missing"}, Check.IN_PROGRESS, "CAA: digicert.com: issue tag missing"),
        ("CAA lookup failed", Check.IN_PROGRESS, "CAA lookup failed"),
    ],
)
def test_caa(message: t.Any, state: str, reason: str | None) -> None:
    order = fetch({**load("info_pending"), "caa_status_message": message}, load("validation_all_done"))
    assert (order.checks["caa"], order.reason) == (state, reason)
    assert order.status == (Status.VALIDATING if state == Check.IN_PROGRESS else Status.ISSUING)
    assert [one.check for one in order.blockers] == (["caa"] if state == Check.IN_PROGRESS else [])


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("approved", "completed"),
        ("Approved ", "completed"),
        ("pending", "in_progress"),
        ("odd", "unknown"),
        (None, "unknown"),
    ],
)
def test_words_of_a_dns_name(word: t.Any, state: str) -> None:
    order = fetch(load("info_pending"), first_name(load("validation_dv_pending"), status=word))
    assert {one.status for one in order.domains} == {state}
    assert order.dcv_completed == {"completed": True, "in_progress": False, "unknown": None}[state]
    assert bool(order.warnings) is (word == "odd")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("active", "completed"),
        ("complete", "completed"),
        ("approved", "completed"),
        ("pending", "in_progress"),
        ("odd", "unknown"),
        (None, "unknown"),
    ],
)
def test_words_of_an_organization(word: t.Any, state: str) -> None:
    validation = load("validation_ov_pending")
    validation["organization_validations"][0]["status"] = word
    order = fetch(load("info_pending"), validation)
    assert order.checks["organization"] == state
    assert order.status == (Status.ISSUING if state == "completed" else Status.VALIDATING)
    assert order.dcv_completed is True


@pytest.mark.parametrize("value", [None, [], {}, ""])
def test_no_organization_to_validate(value: t.Any) -> None:
    order = fetch(load("info_pending"), {**load("validation_all_done"), "organization_validations": value})
    assert (order.checks["organization"], order.status) == (Check.NOT_APPLICABLE, Status.ISSUING)


def test_the_least_advanced_organization_decides() -> None:
    validation = load("validation_ov_pending")
    validation["organization_validations"].insert(0, {"type": "ev", "status": "active"})
    assert fetch(load("info_pending"), validation).checks["organization"] == Check.IN_PROGRESS


@pytest.mark.parametrize("field", ["dns_names", "dns_name"])
@pytest.mark.parametrize("value", [["example.org", "WWW.example.org"], "example.org, www.example.org"])
def test_both_spellings_of_the_names(field: str, value: t.Any) -> None:
    entry = load("validation_dv_pending")["dns_name_validations"][0]
    # The scope is missing too, which would stand for the same names.
    del entry["dns_names"], entry["name_scope"]
    order = fetch(load("info_pending"), {"order_status": "pending", "dns_name_validations": [{**entry, field: value}]})
    assert [(one.name, one.status) for one in order.domains] == [
        ("example.org", Check.IN_PROGRESS),
        ("www.example.org", Check.IN_PROGRESS),
    ]


@pytest.mark.parametrize("order_id", [88120034, "88120034", "088120034", None])
def test_ids_as_numbers_or_text(order_id: t.Any) -> None:
    validation = {**load("validation_issued"), "order_id": order_id}
    order = fetch({**load("info_issued"), "id": order_id}, validation)
    assert (order.order_id, order.issued) == (ORDER_ID, True)


# -- the certificate's own state ----------------------------------------------


def with_certificate(validation: str = "validation_issued", **fields: t.Any) -> Order:
    info = load("info_issued")
    return fetch({**info, "certificate": {**info["certificate"], **fields}}, load(validation))


@pytest.mark.parametrize("state", ["pending", "Pending", "processing", "reissue_pending"])
@pytest.mark.parametrize(
    ("validation", "status", "dcv_completed"),
    [
        ("validation_two_names", Status.VALIDATING, False),
        ("validation_all_done", Status.ISSUING, True),
        ("validation_empty", Status.VALIDATING, None),
    ],
)
def test_an_issued_order_whose_certificate_is_pending_is_not_issued(
    state: str, validation: str, status: str, dcv_completed: bool | None
) -> None:
    order = with_certificate(validation, status=state)
    assert (order.status, order.issued, order.final) == (status, False, False)
    assert (order.dcv_completed, order.provider_status) == (dcv_completed, "issued")
    assert [blocker.subject for blocker in order.blockers if blocker.check == "dcv"] == (
        ["www.example.org"] if validation == "validation_two_names" else [None] if dcv_completed is False else []
    )


@pytest.mark.parametrize("state", ["issued", "approved", "Active", "reissued", "", None])
def test_an_issued_order_whose_certificate_is_there_is_issued(state: t.Any) -> None:
    assert with_certificate(status=state).issued


@pytest.mark.parametrize(
    ("state", "status"),
    [("revoked", Status.REVOKED), ("expired", Status.EXPIRED), ("canceled", Status.CANCELED), ("odd", Status.UNKNOWN)],
)
def test_an_issued_order_whose_certificate_has_another_state(state: str, status: str) -> None:
    order = with_certificate(status=state)
    assert (order.status, order.issued, order.provider_status) == (status, False, "issued")
    assert any("certificate.status='odd'" in warning for warning in order.warnings) is (state == "odd")


# -- names, by product and by field -------------------------------------------


def names_of(product: t.Any, **certificate: t.Any) -> list[str]:
    info = {**load("info_pending"), "product": product, "certificate": certificate}
    return [domain.name for domain in fetch(info, {}).domains]


@pytest.mark.parametrize(
    "product",
    [
        {"name_id": "code_signing"},
        {"name_id": "code_signing_ev", "type": "code_signing_certificate"},
        {"name_id": "client_premium", "type": "client_certificate"},
        {"name_id": "document_signing_org_1"},
        {"name": "Secure Email for Organization", "name_id": "secure_email_organization"},
    ],
)
@pytest.mark.parametrize("name", ["Example, Inc.", "example.org", "jane@example.org", "Inc."])
def test_a_product_that_is_not_for_servers_has_no_domains(product: t.Any, name: str) -> None:
    assert names_of(product, common_name=name, dns_names=[name]) == []


@pytest.mark.parametrize("name", ["Example, Inc.", "Jane Doe", "Inc.", "jane@example.org", "Example"])
def test_a_common_name_that_is_no_host_name_is_no_domain_whatever_the_product(name: str) -> None:
    assert names_of(None, common_name=name) == []


def test_every_name_in_dns_names_is_kept() -> None:
    listed = ["example.org", "intranet", "2001:db8::10", "192.0.2.1", "*.example.org"]
    assert names_of({"name_id": "private_ssl_plus"}, common_name="example.org", dns_names=listed) == listed
    assert names_of(None, dns_names=listed) == listed
    assert names_of({"type": "ssl_certificate"}, common_name="intranet", dns_names=[]) == ["intranet"]


# -- approvals and reasons ----------------------------------------------------


@pytest.mark.parametrize(
    ("validation", "status"),
    [("validation_two_names", Status.VALIDATING), ("validation_all_done", Status.ACTION_REQUIRED)],
)
@pytest.mark.parametrize("word", ["pending", "reissue_pending"])
def test_a_pending_request_waits_for_approval(word: str, validation: str, status: str) -> None:
    requests = [{"id": 1, "status": "approved"}, {"id": 2, "status": "Pending"}]
    order = fetch({**load("info_pending"), "status": word, "requests": requests}, load(validation))
    assert order.status == status
    assert [(one.check, one.actor) for one in order.blockers][0] == ("approval", "you")
    assert [one.check for one in order.blockers].count("approval") == 1


@pytest.mark.parametrize("requests", [None, [], {}, "pending", [{"status": "approved"}], ["pending"]])
def test_no_pending_request_needs_no_approval(requests: t.Any) -> None:
    order = fetch({**load("info_pending"), "requests": requests}, load("validation_all_done"))
    assert (order.status, order.blockers) == (Status.ISSUING, ())


def test_a_pending_request_of_an_issued_order_blocks_nothing() -> None:
    order = fetch({**load("info_issued"), "requests": [{"status": "pending"}]}, load("validation_issued"))
    assert (order.issued, order.blockers) == (True, ())


def test_the_reason_of_a_rejection_does_not_name_who_wrote_it() -> None:
    processor = {"id": 9, "first_name": "Jane", "last_name": "Doe", "email": "jane@example.org"}
    requests = [
        {"status": "approved", "date": "2026-03-01", "processor": processor, "processor_comment": "fine"},
        {
            "status": "rejected",
            "date": "2026-03-02",
            "processor": processor,
            "processor_comment": "Jane Doe (jane@example.org, joe@example.org): ordered twice",
        },
    ]
    order = fetch({**load("info_pending"), "status": "rejected", "requests": requests}, {})
    assert order.reason is not None and order.reason.endswith(": ordered twice")
    for name in ("Jane", "Doe", "jane@", "joe@"):
        assert name not in order.reason


@pytest.mark.parametrize("word", ["rejected", "canceled", "pending", "needs_approval"])
def test_a_message_is_the_reason(word: str) -> None:
    order = fetch({**load("info_pending"), "status": word, "message": "the organization is unknown"}, {})
    assert order.reason == "the organization is unknown"


# -- section 13: traps --------------------------------------------------------


def test_missing_dates_of_an_organization_are_fine() -> None:
    order = fetch(load("info_pending"), load("validation_ov_pending"))
    assert order.checks["organization"] == Check.IN_PROGRESS


def test_a_certificate_id_is_not_an_issued_certificate() -> None:
    info = load("info_pending")
    info["certificate"]["id"] = 77300981
    order = fetch(info, {**load("validation_dv_pending"), "certificate_id": 77300981})
    assert (order.status, order.issued, order.certificate.id) == (Status.VALIDATING, False, "77300981")


def test_dcv_status_valid_is_not_issued() -> None:
    order = fetch(load("info_pending"), load("check_dcv"))
    assert (order.issued, order.final, order.status) == (False, False, Status.ISSUING)


def test_all_names_done_and_the_organization_pending() -> None:
    order = fetch(load("info_pending"), load("validation_ov_pending"))
    assert (order.status, order.dcv_completed) == (Status.VALIDATING, True)


def test_one_of_two_names_pending() -> None:
    assert fetch(load("info_pending"), load("validation_two_names")).dcv_completed is False


@pytest.mark.parametrize("value", [None, [], {}, ""])
def test_an_empty_list_of_names(value: t.Any) -> None:
    validation = {**load("validation_issued"), "dns_name_validations": value}
    order = fetch(load("info_issued"), validation)
    assert (order.dcv_completed, order.checks["dcv"]) == (True, Check.COMPLETED)
    assert {one.status for one in order.domains} == {Check.COMPLETED}
    order = fetch(load("info_pending"), {**validation, "order_status": "pending"})
    assert (order.dcv_completed, order.checks["dcv"]) == (None, Check.UNKNOWN)


def test_only_unknown_values_left_open_is_not_known() -> None:
    validation = load("validation_two_names")
    validation["dns_name_validations"][1]["status"] = "odd"
    assert fetch(load("info_pending"), validation).dcv_completed is None


@pytest.mark.parametrize("date", ["2017-09-11T06:48:44+00:00", "2017-09-11"])
def test_past_dates(date: str) -> None:
    past = {"approval_expiration_date": date, "status": "approved"}
    order = fetch(load("info_issued"), first_name(load("validation_issued"), **past))
    assert (order.issued, order.dcv_completed, order.blockers) == (True, True, ())
    assert {one.status for one in order.domains} == {Check.COMPLETED}
    order = fetch(load("info_pending"), first_name(load("validation_dv_pending"), **past))
    assert (order.status, order.dcv_completed) == (Status.VALIDATING, False)
    assert [one.subject for one in order.blockers] == ["example.org", "www.example.org"]


@pytest.mark.parametrize("date", ["", None, "soon", "0000-00-00", "9999-99-99T00:00:00+00:00", 7])
def test_odd_dates_count_for_nothing(date: t.Any) -> None:
    entry = {"approval_expiration_date": date, "status": "approved"}
    order = fetch(load("info_pending"), first_name(load("validation_dv_pending"), **entry))
    assert (order.dcv_completed, order.domains[0].validated_until) == (True, None)


def test_a_finished_reissue_shows_another_certificate_id() -> None:
    before = fetch(load("info_issued"), load("validation_issued"))
    info = load("info_issued")
    info["certificate"].update(id=77309999, serial_number="0F")
    after = fetch(info, load("validation_issued"))
    assert (before.certificate.id, after.certificate.id) == ("77300981", "77309999")
    assert after.issued


@pytest.mark.parametrize(
    ("ordered", "word", "validation", "warned"),
    [
        ("2020-01-01T00:00:00+00:00", "pending", "validation_dv_pending", True),
        ("2020-01-01T00:00:00+00:00", "pending", "validation_ov_pending", False),
        ("2020-01-01T00:00:00+00:00", "reissue_pending", "validation_dv_pending", False),
        ("2099-01-01T00:00:00+00:00", "pending", "validation_dv_pending", False),
        (None, "pending", "validation_dv_pending", False),
    ],
)
def test_after_ten_days_digicert_does_not_look_any_more(
    ordered: str | None, word: str, validation: str, warned: bool
) -> None:
    info = {**load("info_pending"), "date_created": ordered, "status": word}
    order = fetch(info, {**load(validation), "order_status": word})
    assert any("ten days" in warning for warning in order.warnings) is warned


# -- coverage and reissue: section 2 of the sheet on orders --------------------


def test_an_open_reissue_and_what_was_paid_for() -> None:
    order = fetch(load("info_reissue_pending"), load("validation_dv_pending"))
    assert order.coverage == Coverage(ends="2028-03-01T00:00:00Z")
    assert order.reissue == Reissue(open=True, requested_at="2026-07-10T06:30:00Z")
    assert (order.reference, order.auto_reissue) == ("shop-2026-03", True)


def test_the_list_of_reissues_adds_the_certificate_that_is_being_made() -> None:
    info, listed = load("info_reissue_pending"), load("reissue_list")["certificates"]
    snapshot = map_snapshot(info, listed, map_order(info))
    assert snapshot.order.reissue == Reissue(True, None, "77300999", "2026-07-10T06:30:05Z")
    assert (snapshot.open, snapshot.open_since) == (True, datetime(2026, 7, 10, 6, 30, 5, tzinfo=timezone.utc))


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({"status": "issued"}, False),
        ({"status": "issued", "has_pending_request": "1"}, True),
        ({"status": "issued", "requests": [{"type": "reissue", "status": "pending"}]}, True),
        ({"status": "issued", "requests": [{"type": "reissue", "status": "rejected"}]}, False),
        ({"status": "reissue_pending"}, True),
        # The request is the one for the first certificate.
        ({"status": "pending", "has_pending_request": True}, False),
        ({"status": "needs_approval", "has_pending_request": True}, False),
        ({"status": ""}, None),
    ],
)
def test_a_reissue_is_told_from_the_first_certificate(changes: dict[str, t.Any], is_open: bool | None) -> None:
    order = map_order({**load("info_issued"), **changes})
    assert order.reissue.open is is_open
    assert (order.coverage, order.reference, order.auto_reissue) == (Coverage(), None, None)


@pytest.mark.parametrize(("word", "is_open"), [("reissue_pending", True), ("pending", False)])
def test_a_bulk_call_shows_a_reissue_by_its_word(word: str, is_open: bool) -> None:
    summary = map_summary({"id": 88120034, "status": word})
    assert summary.order is not None
    assert summary.order.reissue == Reissue(open=is_open)

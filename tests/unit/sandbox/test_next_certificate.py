# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the sandbox makes the next certificate of an order, what that costs, and faults of requests that change it."""

from __future__ import annotations

import typing as t
import urllib.parse

import pytest
import requests
from cryptography import x509

DAY = 86400.0
NAMES = ["www.example.org", "mail.example.org"]


def reissue(wire: t.Any, order: t.Any, names: t.Sequence[str] = tuple(NAMES), **body: t.Any) -> requests.Response:
    """Ask DigiCert for a reissue of an order for its own CSR."""
    certificate = {"common_name": names[0], "dns_names": list(names), "csr": order["csr"]}
    path = f"/order/certificate/{order['order_id']}/reissue"
    return t.cast(requests.Response, wire.digicert("POST", path, json={"certificate": certificate, **body}))


def replace(wire: t.Any, order: t.Any, **fields: t.Any) -> dict[str, str]:
    """Ask Sectigo for a replacement, for the CSR of the order."""
    reply = wire.sectigo("!AutoReplaceSSL", orderNumber=order["order_id"], csr=order["csr"], responseFormat=1, **fields)
    return dict(urllib.parse.parse_qsl(reply.text))


def sectigo_status(wire: t.Any, order: t.Any) -> dict[str, str]:
    reply = wire.sectigo("!GetDetailedOrderStatus", orderNumber=order["order_id"], queryType=2, showValidityPeriod="Y")
    return dict(urllib.parse.parse_qsl(reply.text, keep_blank_values=True))


def gogetssl_status(wire: t.Any, order: t.Any) -> dict[str, t.Any]:
    return dict(wire.gogetssl("GET", f"/orders/status/{order['order_id']}").json())


def kinds(sandbox: t.Any, **wanted: str) -> list[str]:
    """The kinds of the entries of the ledger, in their order."""
    return [entry["kind"] for entry in sandbox.ledger(**wanted)["entries"]]


def test_reissues_are_free_and_in_the_ledger(sandbox: t.Any, wire: t.Any) -> None:
    orders = {name: sandbox.order(name, NAMES, "issued") for name in ("digicert", "gogetssl", "sectigo")}
    assert sandbox.ledger() == {"entries": [], "sum": "0.00"}
    assert reissue(wire, orders["digicert"]).status_code == 201
    form = {"csr": orders["gogetssl"]["csr"], "dns_names": NAMES[1]}
    assert wire.gogetssl("POST", f"/orders/ssl/reissue/{orders['gogetssl']['order_id']}", data=form).json()["success"]
    assert replace(wire, orders["sectigo"], domainNames=",".join(NAMES))["errorCode"] == "0"
    ledger = sandbox.ledger()
    assert [(one["provider"], one["kind"]) for one in ledger["entries"]] == [
        ("digicert", "reissue"), ("gogetssl", "reissue"), ("sectigo", "replacement")
    ]  # fmt: skip
    assert ledger["sum"] == "0.00"
    assert kinds(sandbox, provider="gogetssl", order_id=orders["gogetssl"]["order_id"]) == ["reissue"]
    sandbox.reset()
    assert kinds(sandbox) == []


def test_added_names_cost_money(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", NAMES, "issued")
    assert reissue(wire, order, [*NAMES, "more.example.org"]).status_code == 201
    assert sandbox.ledger(provider="digicert")["sum"] == "25.00"
    other = sandbox.order("sectigo", NAMES, "issued")
    assert replace(wire, other, domainNames=",".join([*NAMES, "more.example.org"]))["errorCode"] == "0"
    assert sandbox.ledger(provider="sectigo")["sum"] == "12.00"


def test_gogetssl_reissues_within_the_slots_that_are_paid_for(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl", NAMES, "issued", paid_names=0)
    path, form = f"/orders/ssl/reissue/{order['order_id']}", {"csr": order["csr"], "dns_names": NAMES[1]}
    assert gogetssl_status(wire, order)["single_san_count"] == 0
    assert "Not enough" in wire.gogetssl("POST", path, data=form).json()["message"]
    assert kinds(sandbox) == []
    bought = {"order_id": order["order_id"], "single_san_count": 1}
    assert wire.gogetssl("POST", "/orders/add_ssl_san_order/", data=bought).json()["order_amount"] == "4.00"
    assert wire.gogetssl("POST", path, data=form).json()["success"]
    assert (kinds(sandbox), sandbox.ledger()["sum"]) == (["names", "reissue"], "4.00")


def test_gogetssl_may_show_the_former_csr_while_a_reissue_is_open(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.patch_account("gogetssl", features={"csr_lags": True})
    order = sandbox.order("gogetssl", ["www.example.org"], "issued")
    other = sandbox.order("gogetssl", ["www.example.org"], "issued")["csr"]
    assert wire.gogetssl("POST", f"/orders/ssl/reissue/{order['order_id']}", data={"csr": other}).json()["success"]
    assert gogetssl_status(wire, order)["csr_code"] == order["csr"]
    sandbox.advance(100)
    assert gogetssl_status(wire, order)["csr_code"].strip() == other.strip()


def test_a_reissue_may_take_time_to_appear(sandbox: t.Any, wire: t.Any) -> None:
    digicert = sandbox.order("digicert", NAMES, "issued", reissue_lag=50)
    gogetssl = sandbox.order("gogetssl", ["www.example.org"], "issued", reissue_lag=50)
    sectigo = sandbox.order("sectigo", NAMES, "issued", reissue_lag=50)
    path = f"/order/certificate/{digicert['order_id']}"
    assert reissue(wire, digicert).status_code == 201
    wire.gogetssl("POST", f"/orders/ssl/reissue/{gogetssl['order_id']}", data={"csr": gogetssl["csr"]})
    replace(wire, sectigo)
    assert wire.digicert("GET", path).json()["status"] == "issued"
    assert wire.digicert("GET", path + "/reissue").json()["certificates"] == []
    assert gogetssl_status(wire, gogetssl)["reissue_now"] == 0
    assert "2_orderNumber" not in sectigo_status(wire, sectigo)
    assert reissue(wire, digicert).status_code == 400  # the order itself knows
    sandbox.advance(51)
    assert wire.digicert("GET", path).json()["status"] == "reissue_pending"
    assert gogetssl_status(wire, gogetssl)["reissue_now"] == 1
    assert sectigo_status(wire, sectigo)["2_1_certificateStatus"] == "Awaiting Validation"


def test_digicert_revokes_three_days_after_a_name_is_gone(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", NAMES, "issued")
    reissue(wire, order, NAMES[:1])
    sandbox.advance(3 * DAY + 80)
    path = f"/order/certificate/{order['order_id']}/reissue"
    listed = wire.digicert("GET", path, params={"show_archived": 1}).json()["certificates"]
    assert [one["status"] for one in listed] == ["issued", "issued"]
    sandbox.advance(20)
    listed = wire.digicert("GET", path, params={"show_archived": 1}).json()["certificates"]
    assert [one["status"] for one in listed] == ["issued", "revoked"]
    known = sandbox.get_order("digicert", order["order_id"])["certificates"]
    assert [one["revoked"] for one in known] == [True, False]


def test_digicert_reissues_by_itself_until_the_order_ends(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", NAMES, "issued", auto_reissue="1", coverage=60 * DAY)
    path = f"/order/certificate/{order['order_id']}"
    sandbox.advance(16.9 * DAY)
    assert wire.digicert("GET", path).json()["status"] == "issued"
    sandbox.advance(0.2 * DAY)
    body = wire.digicert("GET", path).json()
    assert (body["status"], body["auto_reissue"]) == ("reissue_pending", "1")
    sandbox.advance(40 * DAY)
    assert wire.digicert("GET", path).json()["status"] == "issued"  # it ends with the order
    assert kinds(sandbox) == ["auto_reissue"]


@pytest.mark.parametrize("approved", [True, False])
def test_digicert_asks_a_person_to_approve(sandbox: t.Any, wire: t.Any, approved: bool) -> None:
    sandbox.patch_account("digicert", features={"approval": True})
    order = sandbox.order("digicert", NAMES, "issued")
    path = f"/order/certificate/{order['order_id']}"
    reply = reissue(wire, order).json()
    assert reply["requests"][0]["status"] == "pending" and "certificate_id" not in reply
    body = wire.digicert("GET", path).json()
    assert (body["status"], body["has_pending_request"], body["requests"][0]["type"]) == ("issued", True, "reissue")
    assert reissue(wire, order).status_code == 400
    assert kinds(sandbox) == []
    sandbox.patch_order("digicert", order["order_id"], approve=approved)
    body = wire.digicert("GET", path).json()
    assert (body["status"], "requests" in body) == ("reissue_pending" if approved else "issued", False)
    assert kinds(sandbox) == ["reissue"] * approved
    if not approved:
        assert reissue(wire, order, skip_approval=True).json()["certificate_id"]


def test_digicert_may_reject_an_open_reissue_for_the_next(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.patch_account("digicert", features={"reissue_over_reissue": True})
    order = sandbox.order("digicert", NAMES, "issued")
    first, second = reissue(wire, order).json(), reissue(wire, order).json()
    assert first["certificate_id"] != second["certificate_id"]
    path = f"/order/certificate/{order['order_id']}/reissue"
    listed = wire.digicert("GET", path, params={"show_archived": 1}).json()["certificates"]
    assert [one["status"] for one in listed] == ["pending", "issued", "rejected"]
    assert kinds(sandbox) == ["reissue", "reissue"]


def test_sectigo_may_replace_within_the_order(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.patch_account("sectigo", features={"replace_in_order": True})
    sandbox.limits("sectigo", collect_interval=0)
    order = sandbox.order("sectigo", NAMES, "issued")
    before = sectigo_status(wire, order)["1_1_serialNumber"]
    replace(wire, order, domainNames=",".join(NAMES))
    body = sectigo_status(wire, order)
    assert (body["1_1_serialNumber"], body["1_1_certificateStatus"]) == (before, "Replaced")
    assert (body["1_2_serialNumber"], body["1_2_certificateStatus"]) == ("", "Awaiting Validation")
    collected = wire.sectigo("download/CollectSSL", orderNumber=order["order_id"], queryType=2).text
    assert int(before, 16) == x509.load_pem_x509_certificate(collected[2:].encode()).serial_number
    sandbox.advance(100)
    body = sectigo_status(wire, order)
    assert body["1_2_serialNumber"] not in ("", before)
    assert kinds(sandbox) == ["reissue"]


def test_sectigo_reports_what_is_paid_for(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", NAMES, "issued", coverage=3 * 365 * DAY)
    end = int(sandbox.now() + 3 * 365 * DAY)
    assert abs(int(sectigo_status(wire, order)["1_1_productTermEndDate"]) - end) < 60
    replace(wire, order)
    assert abs(int(sectigo_status(wire, order)["2_1_productTermEndDate"]) - end) < 60


@pytest.mark.parametrize("key", ["same", "new"])
def test_cpanel_opens_the_next_item_by_itself(sandbox: t.Any, wire: t.Any, key: str) -> None:
    sandbox.date_certificates_by_clock()
    order = sandbox.order(
        "cpanel", ["shop.example.org"], "issued", follow_up=15 * DAY, follow_up_key=key, coverage=75 * DAY
    )
    sandbox.advance(31.9 * DAY)
    assert wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"] == []
    best = wire.cpanel("fetch_best_for_domain", "SSL", domain="shop.example.org").json()["data"]
    sandbox.advance(0.2 * DAY)
    (item,) = wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"]
    assert str(item["originating_certificate_id"]) == order["certificate_id"]
    assert item["parent_cert_expiry"] and item["order_item_id"] != order["order_id"]
    assert (item["csr"] == order["csr"]) is (key == "same")
    assert sandbox.get_order("cpanel", order["order_id"])["replaced_by"] == item["order_item_id"]
    sandbox.advance(DAY)
    assert wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"] == []
    installed = wire.cpanel("fetch_best_for_domain", "SSL", domain="shop.example.org").json()["data"]
    assert installed["crt"] != best["crt"]
    sandbox.advance(40 * DAY)
    # What is paid for ends with the second certificate.
    assert wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"] == []
    assert kinds(sandbox) == ["follow_up"]


def test_certificates_may_have_dates_of_the_virtual_clock(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.date_certificates_by_clock()
    sandbox.advance(200 * DAY)
    order = sandbox.order("digicert", NAMES, "issued", age=7 * DAY, lifetime=40 * DAY)
    certificate = wire.digicert("GET", f"/order/certificate/{order['order_id']}").json()["certificate"]
    assert certificate["days_remaining"] in (32, 33)


@pytest.mark.parametrize("kind", ["reset", "5xx", "429", "empty", "not_json", "hang"])
@pytest.mark.parametrize("processed", [True, False])
def test_a_fault_comes_before_or_after_the_work(sandbox: t.Any, wire: t.Any, kind: str, processed: bool) -> None:
    order = sandbox.order("digicert", NAMES, "issued")
    sandbox.fault(kind, path="/reissue$", method="POST", times=1, seconds=0.3, processed=processed)
    if kind in ("reset", "hang"):
        with pytest.raises(requests.exceptions.ConnectionError):
            reissue(wire, order)
    else:
        assert reissue(wire, order).status_code in (200, 429, 503)
    assert kinds(sandbox) == ["reissue"] * processed


def test_only_a_fault_in_place_of_an_answer_comes_after_the_work(sandbox: t.Any) -> None:
    with pytest.raises(Exception, match="processed is for faults"):
        sandbox.fault("slow", processed=True)

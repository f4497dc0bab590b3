# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DigiCert dialect is as strict, and as odd, as its fact sheet says."""

from __future__ import annotations

import typing as t

import pytest
from cryptography import x509

WEEK_AND_A_MINUTE = 7 * 24 * 60 + 1


def code(reply: t.Any) -> str:
    return str(reply.json()["errors"][0]["code"])


def test_wrong_key_is_refused(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert")["order_id"]
    reply = wire.digicert("GET", f"/order/certificate/{order}", headers={"X-DC-DEVKEY": "wrong"})
    assert (reply.status_code, code(reply)) == (403, "access_denied|access_denied_invalid_key")
    assert wire.digicert("GET", f"/order/certificate/{order}", headers={"X-DC-DEVKEY": ""}).status_code == 401


def test_keys_belong_to_one_region_and_orders_to_one_account(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert")["order_id"]
    us = sandbox.options("digicert")["api_key"]
    path = f"/order/certificate/{order}"
    assert wire.digicert("GET", path, "digicert_eu", headers={"X-DC-DEVKEY": us}).status_code == 403
    assert code(wire.digicert("GET", path, "digicert_eu")) == "not_found|order"
    assert wire.digicert("GET", path).status_code == 200


def test_view_only_key_may_read_but_not_check(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert")["order_id"]
    sandbox.patch_account("digicert", view_only=True)
    assert wire.digicert("GET", f"/order/certificate/{order}").status_code == 200
    reply = wire.digicert("PUT", f"/order/certificate/{order}/check-dcv")
    assert (reply.status_code, code(reply)) == (403, "access_denied|missing_permission")


def test_check_dcv_finds_nothing_until_the_record_is_published(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", ["a.example.org", "b.example.org"], "stuck_dcv")["order_id"]
    reply = wire.digicert("PUT", f"/order/certificate/{order}/check-dcv")
    assert (reply.status_code, code(reply)) == (400, "invalid_dns_txt")
    sandbox.patch_order("digicert", order, published=True)
    body = wire.digicert("PUT", f"/order/certificate/{order}/check-dcv").json()
    assert (body["dcv_status"], body["order_status"]) == ("valid", "pending")
    assert {entry["status"] for entry in body["dns_name_validations"]} == {"approved"}
    assert sandbox.get_order("digicert", order)["stage"] == "issuing"


def test_the_random_value_stays_while_it_is_valid(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", ["a.example.org"], "stuck_dcv")["order_id"]
    path = f"/order/certificate/{order}/dcv-random-value"
    first = wire.digicert("PUT", path).json()
    sandbox.advance(86400)
    assert wire.digicert("PUT", path).json() == first
    sandbox.advance(30 * 86400)
    later = wire.digicert("PUT", path).json()
    assert later["dcv_random_value"] != first["dcv_random_value"]
    assert later["expiration_date"] > first["expiration_date"]
    sandbox.patch_account("digicert", view_only=True)
    assert wire.digicert("PUT", path).status_code == 403


def test_a_domain_shows_its_token(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", ["a.example.org"], "stuck_dcv", dcv_method="dns-cname")["order_id"]
    validation = wire.digicert("GET", f"/order/certificate/{order}/validation").json()
    path = f"/domain/{validation['dns_name_validations'][0]['domain_id']}"
    assert "dcv_token" not in wire.digicert("GET", path).json()
    body = wire.digicert("GET", path + "?include_dcv=true").json()
    assert (body["dcv_method"], body["dcv_token"]["status"]) == ("dns-cname-token", "pending")
    assert body["dcv_token"]["verification_value"] == "dcv.digicert.com"
    mail = sandbox.order("digicert", ["a.example.org"], "stuck_dcv", dcv_method="email")["order_id"]
    refused = wire.digicert("PUT", f"/order/certificate/{mail}/dcv-random-value")
    assert (refused.status_code, code(refused)) == (400, "invalid_dcv_method")


@pytest.mark.parametrize(
    ("dialect", "id_type", "names", "changes"),
    [("observed", str, "dns_names", dict), ("documented", int, "dns_name", list)],
)
def test_both_shapes(sandbox: t.Any, wire: t.Any, dialect: str, id_type: type, names: str, changes: type) -> None:
    sandbox.patch_account("digicert", dialect=dialect)
    order = sandbox.order("digicert", ["a.example.org"])["order_id"]
    body = wire.digicert("GET", f"/order/certificate/{order}/validation").json()
    assert isinstance(body["order_id"], id_type)
    assert body["dns_name_validations"][0][names] == ["a.example.org"]
    assert "organization_validations" not in body
    assert isinstance(wire.digicert("GET", "/order/certificate/status-changes?minutes=5").json(), changes)


def test_an_order_may_differ_from_its_account(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", dialect="documented")["order_id"]
    assert isinstance(wire.digicert("GET", f"/order/certificate/{order}/validation").json()["order_id"], int)


def test_status_changes(sandbox: t.Any, wire: t.Any) -> None:
    path = "/order/certificate/status-changes"
    order = sandbox.order("digicert", after={"validating": 60, "issuing": 30})["order_id"]
    sandbox.advance(3600)
    assert wire.digicert("GET", path + "?minutes=10").json() == {}
    assert wire.digicert("GET", path + "?minutes=70").json()["orders"][0]["status"] == "issued"
    sandbox.patch_order("digicert", order, stage="revoked")
    assert wire.digicert("GET", path + "?seconds=30").json()["orders"][0]["status"] == "revoked"
    reply = wire.digicert("GET", f"{path}?minutes={WEEK_AND_A_MINUTE}")
    assert (reply.status_code, code(reply)) == (400, "time_frame_too_long")
    assert wire.digicert("GET", path).status_code == 400
    assert wire.digicert("GET", path + "?minutes=soon").status_code == 400


def test_status_changes_takes_a_window_in_mountain_time(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.set_clock(1_750_000_000)  # 2025-06-15T15:06:40Z, 09:06:40 in MDT
    order = sandbox.order("digicert", scenario="issued")["order_id"]
    for window, found in (
        ("2025-06-15 09:00:00...2025-06-15 09:10:00", True),
        ("2025-06-15 15:00:00...2025-06-15 15:10:00", False),
    ):
        reply = wire.digicert(
            "GET", "/order/certificate/status-changes", params={"filters[status_last_updated]": window}
        )
        assert (str(reply.json()["orders"][0]["order_id"]) == order) if found else reply.json() == {}


def test_bulk_call_can_be_forbidden(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.patch_account("digicert", features={"bulk": False})
    assert wire.digicert("GET", "/order/certificate/status-changes?minutes=5").status_code == 403


def test_list_is_filtered_and_paged(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.orders("digicert", 7, "issued")
    sandbox.orders("digicert", 3)
    reply = wire.digicert("GET", "/order/certificate", params={"filters[status]": "issued", "limit": 5, "offset": 5})
    assert reply.json()["page"] == {"total": 7, "limit": 5, "offset": 5}
    assert [entry["status"] for entry in reply.json()["orders"]] == ["issued"] * 2
    assert wire.digicert("GET", "/order/certificate", params={"limit": 1001}).status_code == 400


def test_certificate_id_is_there_before_the_certificate(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert")["order_id"]
    certificate = wire.digicert("GET", f"/order/certificate/{order}").json()["certificate"]
    assert certificate["id"] and "date_issued" not in certificate
    reply = wire.digicert("GET", f"/certificate/{certificate['id']}/download/format/pem_all")
    assert (reply.status_code, code(reply)) == (404, "not_found")
    approval = sandbox.order("digicert", scenario="needs_approval")["order_id"]
    body = wire.digicert("GET", f"/order/certificate/{approval}").json()
    assert body["status"] == "needs_approval" and "id" not in body["certificate"]


@pytest.mark.parametrize(
    ("kind", "media", "count"),
    [
        ("pem_all", "application/x-pem-file", 3),
        ("pem_noroot", "application/x-pem-file", 2),
        ("pem_nointermediate", "application/x-pem-file", 1),
    ],
)
def test_download_formats(sandbox: t.Any, wire: t.Any, kind: str, media: str, count: int) -> None:
    order = sandbox.order("digicert", scenario="issued")
    reply = wire.digicert("GET", f"/certificate/{order['certificate_id']}/download/format/{kind}")
    assert reply.headers["Content-Type"] == media
    certificates = x509.load_pem_x509_certificates(reply.content)
    assert len(certificates) == count
    assert f"{order['serial_number']}" in {f"{item.serial_number:X}" for item in certificates}


def test_during_a_reissue_the_previous_certificate_is_served(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", scenario="reissue")
    path = f"/order/certificate/{order['order_id']}"
    before = wire.digicert("GET", path).json()
    assert before["status"] == "reissue_pending"
    assert before["certificate"]["serial_number"] == order["previous_serial_number"]
    old = wire.digicert("GET", f"/certificate/{before['certificate']['id']}/download/format/pem_nointermediate")
    assert f"{x509.load_pem_x509_certificate(old.content).serial_number:X}" == order["previous_serial_number"]
    sandbox.advance(120)
    after = wire.digicert("GET", path).json()
    assert after["status"] == "issued" and after["certificate"]["id"] != before["certificate"]["id"]
    listed = wire.digicert("GET", path + "/reissue", params={"show_archived": 1}).json()["certificates"]
    assert [entry["status"] for entry in listed] == ["issued", "issued"]


def test_reissuing(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", ["www.example.org"])
    wanted = {"certificate": {"common_name": "www.example.org", "csr": order["csr"]}, "dcv_method": "dns-txt-token"}
    path = f"/order/certificate/{order['order_id']}"
    assert wire.digicert("POST", path + "/reissue", json=wanted).status_code == 400
    sandbox.advance(200)
    bad = wire.digicert("POST", path + "/reissue", json={"certificate": {"common_name": "a", "csr": "x"}})
    assert code(bad) == "csr_invalid_cannot_parse"
    assert wire.digicert("POST", path + "/reissue", json=wanted).json()["requests"]
    assert wire.digicert("GET", path).json()["status"] == "reissue_pending"


def test_a_form_body_is_refused_and_so_is_an_unknown_accept(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert")["order_id"]
    path = f"/order/certificate/{order}"
    assert code(wire.digicert("PUT", path + "/dcv-method", data={"dcv_method": "email"})) == "bad_request_format"
    assert wire.digicert("GET", path, headers={"Accept": "text/fancy"}).status_code == 406
    assert code(wire.digicert("GET", path + "/nothing")) == "not_found|route"
    assert wire.digicert("PUT", path + "/dcv-method", json={"dcv_method": "http-token"}).json()["dcv_random_value"]


def test_the_random_value_of_an_order_stays_the_same(sandbox: t.Any, wire: t.Any) -> None:
    path = f"/order/certificate/{sandbox.order('digicert')['order_id']}/dcv-random-value"
    first, second = (wire.digicert("PUT", path).json() for _time in range(2))
    assert first["dcv_random_value"] == second["dcv_random_value"]
    assert first["expiration_date"]


def test_wildcards_cannot_use_http(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", ["*.example.org"])["order_id"]
    reply = wire.digicert("PUT", f"/order/certificate/{order}/dcv-method", json={"dcv_method": "http-token"})
    assert reply.status_code == 400


def test_domain_level_validation(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", ["a.example.org", "b.example.org"], "ov")["order_id"]
    entries = wire.digicert("GET", f"/order/certificate/{order}/validation").json()["dns_name_validations"]
    path = f"/domain/{entries[1]['domain_id']}"
    assert wire.digicert("GET", path).json()["name"] == "b.example.org"
    assert wire.digicert("PUT", path + "/dcv/validate-token").status_code == 400
    sandbox.patch_order("digicert", order, published=["b.example.org"])
    assert wire.digicert("PUT", path + "/dcv/validate-token").json()["status"] == "active"
    assert "dcv_expiration_datetime" in wire.digicert("GET", path, params={"include_dcv": "true"}).json()


def test_caa_status_only_when_asked_for(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert", ["a.example.org"], "caa", after={"validating": 0})["order_id"]
    path = f"/order/certificate/{order}"
    assert "caa_status_message" not in wire.digicert("GET", path).json()
    assert wire.digicert("GET", path + "?include_caa_status=true").json()["caa_status_message"]["a.example.org"]


def test_rate_limit_of_a_key(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.limits("digicert", per_180s=10)
    statuses = [wire.digicert("GET", "/order/certificate").status_code for dummy in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    assert code(wire.digicert("GET", "/order/certificate")) == "request_limit_exceeded"
    assert wire.digicert("GET", "/order/certificate", "digicert_eu").status_code == 200  # each key by itself
    assert sandbox.summary()["rate_limited"] == 3


def test_errors_as_an_object(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.patch_account("digicert", features={"errors_as_object": True})
    assert wire.digicert("GET", "/order/certificate/1").json()["errors"]["code"] == "not_found|order"

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GoGetSSL dialect is as strict, and as odd, as its fact sheet says."""

from __future__ import annotations

import typing as t

import pytest
from cryptography import x509


def test_login(sandbox: t.Any, wire: t.Any) -> None:
    url = sandbox.base_urls["gogetssl"] + "/auth/"
    options = sandbox.options("gogetssl")
    right = {"user": options["username"], "pass": options["password"]}
    assert len(wire.http.post(url, data=right).json()["key"]) == 40
    empty = wire.http.post(url, data={})
    assert (empty.status_code, empty.json()["message"]) == (200, "Username and/or password not supplied")
    assert wire.http.post(url, json=right).json()["error"] is True  # a form is due
    assert wire.http.post(url, data={**right, "pass": "wrong"}).status_code == 403
    assert wire.http.post(url[:-1], data=right).status_code == 404  # the slash matters
    assert sandbox.summary()["accounts"]["gogetssl"]["logins"] == 1


def test_key_is_needed_and_can_expire(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl")["order_id"]
    wrong = wire.gogetssl("GET", f"/orders/status/{order}", key="0" * 40)
    assert (wrong.status_code, wrong.json()["message"]) == (403, "Auth key is not valid")
    key = wire.gogetssl_key()
    assert wire.gogetssl("GET", f"/orders/status/{order}", key).json()["success"] is True
    sandbox.patch_account("gogetssl", expire_sessions=True)
    assert wire.gogetssl("GET", f"/orders/status/{order}", key).status_code == 403
    key = wire.gogetssl_key()
    sandbox.patch_account("gogetssl", rotate=True)
    assert wire.gogetssl("GET", f"/orders/status/{order}", key).status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/orders/statuses"), ("GET", "/orders/statuses/"), ("GET", "/orders"),
     ("POST", "/orders/status/1"), ("GET", "/orders/ssl/download/1")],
)  # fmt: skip
def test_slashes_and_verbs_matter(sandbox: t.Any, wire: t.Any, method: str, path: str) -> None:
    reply = wire.gogetssl(method, path)
    assert reply.status_code == 404 and reply.json()["message"].startswith("The requested method")


def test_unknown_order_is_an_error_in_the_body(sandbox: t.Any, wire: t.Any) -> None:
    assert wire.gogetssl("GET", "/orders/status/1").json()["error"] is True
    sandbox.patch_account("gogetssl", dialect="observed")
    reply = wire.gogetssl("GET", "/orders/status/1")
    assert reply.status_code == 200 and reply.json()["error"] is True


def test_shapes_of_2020_and_2018(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl", ["example.org", "www.example.org"])["order_id"]
    newer = wire.gogetssl("GET", f"/orders/status/{order}").json()
    assert newer["order_id"] == int(order) and newer["dcv_status"] == 1 and newer["reissue_now"] == 0
    assert newer["san"][0]["san_name"] == "www.example.org" and newer["san"][0]["validation"]
    assert newer["valid_from"] == "0000-00-00" and newer["crt_code"] == ""
    sandbox.patch_order("gogetssl", order, dialect="observed")
    older = wire.gogetssl("GET", f"/orders/status/{order}").json()
    assert older["order_id"] == order and older["manual_check"] == "0"
    assert not {"dcv_status", "reissue_now", "internal_id", "time_stamp"} & set(older)


@pytest.mark.parametrize(("method", "shape"), [("http", dict), ("dns-cname", dict), ("dns-txt", dict), ("email", str)])
def test_dcv_data(sandbox: t.Any, wire: t.Any, method: str, shape: type) -> None:
    order = sandbox.order("gogetssl", ["example.org"], dcv_method=method)["order_id"]
    (data,) = wire.gogetssl("GET", f"/orders/status/{order}").json()["approver_method"].values()
    assert isinstance(data, shape)
    if method == "http":
        assert "\r\n" in data["content"]
    if method.startswith("dns"):
        assert (" CNAME " in data["record"]) is (method == "dns-cname")


def test_certificate_and_empty_chain(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl", scenario="no_chain_yet", after={"validating": 0, "issuing": 0})
    first = wire.gogetssl("GET", f"/orders/status/{order['order_id']}").json()
    assert first["status"] == "active" and first["crt_code"] and first["ca_code"] == ""
    sandbox.advance(120)
    body = wire.gogetssl("GET", f"/orders/status/{order['order_id']}").json()
    leaf = x509.load_pem_x509_certificate(body["crt_code"].encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(body["ca_code"].encode()))
    assert "\r\n" in body["crt_code"] and f"{leaf.serial_number:X}" == order["serial_number"]


def test_batch(sandbox: t.Any, wire: t.Any) -> None:
    issued, pending = sandbox.orders("gogetssl", 1, "issued")[0], sandbox.orders("gogetssl", 1)[0]
    reply = wire.gogetssl("POST", "/orders/statuses/", data={"cids": f"{pending},{issued},99"}).json()
    assert [(entry["order_id"], entry["status"], "expires" in entry) for entry in reply["certificates"]] == [
        (issued, "active", True),
        (pending, "processing", False),
    ]
    assert wire.gogetssl("POST", "/orders/statuses/", json={"cids": issued}).json()["error"] is True
    sandbox.patch_account("gogetssl", features={"bulk": False})
    assert wire.gogetssl("POST", "/orders/statuses/", data={"cids": issued}).json()["error"] is True


def test_lists(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.orders("gogetssl", 3, "issued")
    sandbox.orders("gogetssl", 1, "unpaid")
    everything = wire.gogetssl("GET", "/orders/ssl/all", params={"limit": 2, "offset": 2}).json()
    assert everything["count"] == 4 and len(everything["orders"]) == 2
    assert len(wire.gogetssl("GET", "/orders/", params={"status": "active"}).json()["orders"]) == 3
    assert wire.gogetssl("GET", "/orders/", params={"status": "revoked"}).json()["message"] == "Not supported status"


def test_reissue_serves_the_old_certificate(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl", ["www.example.org"], "reissue")
    body = wire.gogetssl("GET", f"/orders/status/{order['order_id']}").json()
    assert (body["status"], body["reissue_now"]) == ("active", 1)
    assert (
        f"{x509.load_pem_x509_certificate(body['crt_code'].encode()).serial_number:X}"
        == order["previous_serial_number"]
    )
    sandbox.advance(120)
    body = wire.gogetssl("GET", f"/orders/status/{order['order_id']}").json()
    assert body["reissue_now"] == 0
    assert f"{x509.load_pem_x509_certificate(body['crt_code'].encode()).serial_number:X}" == order["serial_number"]
    reply = wire.gogetssl("POST", f"/orders/ssl/reissue/{order['order_id']}", data={"csr": order["csr"]}).json()
    assert reply["success"] and wire.gogetssl("GET", f"/orders/status/{order['order_id']}").json()["reissue_now"] == 1


def test_rechecks_and_changes(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl", ["example.org", "www.example.org"], "stuck_dcv")["order_id"]
    path = "/orders/ssl/{}/" + order
    assert wire.gogetssl("POST", path.format("revalidate"), data={}).json()["error"] is True
    sandbox.patch_order("gogetssl", order, published=True)
    for name in ("example.org", "www.example.org"):
        assert wire.gogetssl("POST", path.format("revalidate"), data={"domain": name}).json()["success"]
    body = wire.gogetssl("GET", f"/orders/status/{order}").json()
    assert (body["dcv_status"], body["san"][0]["status"]) == (2, "2")
    change = {"domains": "example.org,www.example.org", "new_methods": "http,admin@example.org"}
    assert wire.gogetssl("POST", path.format("change_domains_validation_method"), data=change).json()["success"]
    body = wire.gogetssl("GET", f"/orders/status/{order}").json()
    assert "http" in body["approver_method"] and body["san"][0]["validation"] == {"email": "admin@example.org"}
    assert wire.gogetssl("GET", path.format("resend_validation_email")).json()["success"]


def test_caa_check_once_in_ten_minutes(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl", scenario="caa", after={"validating": 0})["order_id"]
    body = wire.gogetssl("GET", f"/orders/status/{order}").json()
    assert body["status"] == "processing" and "PRE-SIGN FAILED!!!" in body["status_description"]
    path = f"/orders/ssl/recheck-caa/{order}"
    assert wire.gogetssl("GET", path).json()["success"]
    assert wire.gogetssl("GET", path).json()["error"] is True
    sandbox.patch_order("gogetssl", order, caa_fixed=True)
    sandbox.advance(601)
    assert wire.gogetssl("GET", path).json()["success"]
    sandbox.advance(60)
    assert wire.gogetssl("GET", f"/orders/status/{order}").json()["status"] == "active"

# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cPanel dialect is as strict, and as odd, as its fact sheet says."""

from __future__ import annotations

import typing as t

import pytest
from cryptography import x509

DETAILS, CERTIFICATE = "get_certificate_status_details", "get_ssl_certificate_if_available"


def item(order_id: str, **more: str) -> dict[str, str]:
    return {"provider": "cPStore", "order_item_id": order_id, **more}


def test_three_envelopes_say_the_same(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("cpanel", ["shop.example.org"])["order_id"]
    flat = wire.cpanel(DETAILS, **item(order)).json()
    assert set(flat) == {"status", "data", "errors", "messages", "metadata", "warnings"}
    own, whm = sandbox.options("cpanel"), sandbox.options("cpanel", "cpanel_whm")
    token = {"Authorization": f"cpanel {own['username']}:{own['api_key']}"}
    root = {"Authorization": f"whm {whm['username']}:{whm['api_key']}"}
    api3 = {
        "cpanel_jsonapi_apiversion": 3, "cpanel_jsonapi_module": "Market", "cpanel_jsonapi_func": DETAILS, **item(order)
    }  # fmt: skip
    url = sandbox.url + "/json-api/cpanel"
    nested = wire.http.get(url, params=api3, headers=token).json()
    assert nested["result"] == flat and (nested["apiversion"], nested["func"]) == (3, DETAILS)
    by_whm = wire.http.get(url, params={**api3, "cpanel_jsonapi_user": own["username"]}, headers=root).json()
    assert by_whm == nested
    proxy = {
        "api.version": 1,
        "cpanel.user": own["username"],
        "cpanel.module": "Market",
        "cpanel.function": DETAILS,
        **item(order),
    }
    wrapped = wire.http.post(sandbox.url + "/json-api/uapi_cpanel", data=proxy, headers=root).json()
    assert wrapped["data"]["uapi"] == flat and wrapped["metadata"]["result"] == 1
    nobody = wire.http.post(
        sandbox.url + "/json-api/uapi_cpanel", data={**proxy, "cpanel.user": "nobody"}, headers=root
    )
    assert nobody.json()["data"] is None and nobody.json()["metadata"]["result"] == 0
    api2 = wire.http.get(url, params={**api3, "cpanel_jsonapi_apiversion": 2}, headers=token).json()
    assert "cpanelresult" in api2


def test_authentication(sandbox: t.Any, wire: t.Any) -> None:
    own, whm = sandbox.options("cpanel"), sandbox.options("cpanel", "cpanel_whm")
    password = next(account for account in sandbox.accounts() if account["name"] == "cpanel")["password"]
    url = sandbox.url + "/execute/Market/get_pending_ssl_certificates?provider=cPStore"
    assert wire.http.get(url, auth=(own["username"], password)).json()["status"] == 1
    for header in (
        f"cpanel {own['username']}:wrong",
        f"cpanel {own['username']}:{password}",
        f"whm {whm['username']}:{whm['api_key']}",
        f"cpanel {whm['username']}:{whm['api_key']}",
        "",
    ):
        reply = wire.http.get(url, headers={"Authorization": header})
        assert reply.status_code == 401 and "html" in reply.headers["Content-Type"], header
    denied = wire.http.get(sandbox.url + "/json-api/cpanel")
    assert denied.status_code == 403 and denied.json()["cpanelresult"]["error"] == "Access denied"
    token = {"Authorization": f"cpanel {own['username']}:{own['api_key']}"}
    assert wire.http.get(sandbox.url + "/json-api/uapi_cpanel", headers=token).status_code == 403
    sandbox.patch_account("cpanel", features={"two_factor": True})
    assert wire.http.get(url, auth=(own["username"], password)).status_code == 401
    assert wire.http.get(url, headers=token).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"provider": "cPStore"}, "Provide the \u201corder_item_id\u201d argument."),
        ({"order_item_id": "1"}, "Provide the \u201cprovider\u201d argument."),
        ({"provider": "cPStore", "order_item_id": "abc"}, "\u201cabc\u201d is not a valid order item ID."),
        ({"provider": "cPStore", "order_item_id": "0"}, "\u201c0\u201d is not a valid order item ID."),
        (
            {"provider": "cPStore", "order_item_id": "40017"},
            "No entry exists for provider \u201ccPStore\u201d and order item ID \u201c40017\u201d.",
        ),
    ],
)
def test_mistakes(sandbox: t.Any, wire: t.Any, arguments: dict[str, str], message: str) -> None:
    reply = wire.cpanel(DETAILS, **arguments)
    assert reply.status_code == 200
    assert (reply.json()["status"], reply.json()["errors"], reply.json()["data"]) == (0, [message], None)


def test_unknown_things_are_named(sandbox: t.Any, wire: t.Any) -> None:
    assert "\u201ccpstore\u201d" in wire.cpanel(DETAILS, provider="cpstore", order_item_id="1").json()["errors"][0]
    function = wire.cpanel("no_such_thing").json()["errors"][0]
    assert function.startswith("The system could not find the function \u201cno_such_thing\u201d")
    assert function.endswith(" in the module \u201cMarket\u201d.")
    assert wire.cpanel("x", "Nonsense").json()["errors"][0].startswith("Failed to load module \u201cNonsense\u201d")
    json_body = wire.http.post(
        sandbox.url + "/execute/Market/" + DETAILS, json=item("1"),
        headers={"Authorization": "cpanel {username}:{api_key}".format(**sandbox.options("cpanel"))},
    )  # fmt: skip
    assert json_body.json()["errors"] == ["Provide the \u201cprovider\u201d argument."]
    sandbox.patch_account("cpanel", features={"market": False})
    assert "\u201cmarket\u201d" in wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["errors"][0]


def test_an_issued_order_leaves_the_queue_at_the_next_poll(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("cpanel", ["shop.example.org"])
    pending = wire.cpanel(CERTIFICATE, **item(order["order_id"])).json()["data"]
    assert pending == {
        "certificate_pem": None, "status_code": None, "status_message": None, "encrypted_action_urls": None
    }  # fmt: skip
    (queued,) = wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"]
    assert queued["order_item_id"] == order["order_id"] != queued["order_id"]
    sandbox.advance(120)
    # The store has the certificate, and cPanel does not know it yet.
    assert wire.cpanel(CERTIFICATE, **item(order["order_id"])).json()["data"]["certificate_pem"]
    assert wire.cpanel(DETAILS, **item(order["order_id"])).json()["status"] == 1
    (queued,) = wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"]
    assert queued["last_status_code"] is None
    sandbox.advance(180)
    gone = wire.cpanel(DETAILS, **item(order["order_id"])).json()
    assert gone["status"] == 0 and "No entry exists" in gone["errors"][0]
    assert wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"] == []
    leaf = wire.cpanel(CERTIFICATE, **item(order["order_id"])).json()["data"]["certificate_pem"]
    assert leaf.count("BEGIN CERTIFICATE") == 1
    bundle = wire.cpanel("get_cabundle", "SSL", "POST", cert=leaf).json()["data"]["cab"]
    x509.load_pem_x509_certificate(leaf.encode()).verify_directly_issued_by(
        x509.load_pem_x509_certificate(bundle.encode())
    )
    best = wire.cpanel("fetch_best_for_domain", "SSL", domain="shop.example.org").json()["data"]
    assert (best["crt"], best["key"]) == (leaf, order["private_key"])


def test_a_failed_order_stays_in_the_queue_until_the_next_poll(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("cpanel", scenario="canceled", after={"validating": 10})["order_id"]
    sandbox.advance(20)
    silent = wire.cpanel(DETAILS, **item(order)).json()
    assert silent["status"] == 1 and silent["data"] == {"action_urls": {}, "domain_details": [], "status_details": {}}
    assert wire.cpanel(CERTIFICATE, **item(order)).json()["data"]["status_code"] == "OrderCanceled"
    sandbox.advance(300)
    assert wire.cpanel(DETAILS, **item(order)).json()["status"] == 0


@pytest.mark.parametrize(
    ("scenario", "code"),
    [("rejected", "CA:rejected"), ("revoked", "CA:revoked"), ("canceled", "OrderCanceled"),
     ("manual_fraud_check", "RequiresApproval"), ("unknown_word", "CA:pondering"), ("stuck_dcv", None)],
)  # fmt: skip
def test_status_codes(sandbox: t.Any, wire: t.Any, scenario: str, code: str | None) -> None:
    order = sandbox.order("cpanel", scenario=scenario)["order_id"]
    sandbox.advance(1000)
    data = wire.cpanel(CERTIFICATE, **item(order)).json()["data"]
    assert data["status_code"] == code and bool(data["status_message"]) is str(code).startswith("CA:")


def test_unknown_item_and_unpaid_and_expired_ones(sandbox: t.Any, wire: t.Any) -> None:
    assert wire.cpanel(CERTIFICATE, **item("77")).json()["data"]["status_code"] == "ItemNotFound"
    sandbox.order("cpanel", scenario="unpaid")
    (entry,) = wire.cpanel("get_pending_ssl_certificates", provider="anything").json()["data"]
    assert entry["status"] == "unconfirmed"


def test_documented_shape(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.patch_account("cpanel", dialect="documented")
    order = sandbox.order("cpanel", ["a.example.org", "b.example.org"], "brand", after={"validating": 0})["order_id"]
    body = wire.cpanel(DETAILS, **item(order)).json()
    data = body["result"]["data"]
    assert data["domain_details"] == {"domain": "a.example.org", "status": "AWAITINGBRAND"}
    assert data["status_details"]["dcvStatus"] == "completed"
    assert data["status_details"]["ovCallbackStatus"] == "not applicable" and "actionUrls" in data


def test_ev_order_offers_links(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("cpanel", scenario="ev")["order_id"]
    data = wire.cpanel(DETAILS, **item(order)).json()["data"]
    assert set(data["action_urls"]) == {"evClickThroughStatus", "ovCallbackStatus"}
    assert data["status_details"]["evClickThroughStatus"] == "not-completed"
    assert wire.cpanel(CERTIFICATE, **item(order)).json()["data"]["encrypted_action_urls"]["evClickThroughStatus"]


def test_pem_belongs_into_the_body(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("cpanel", scenario="issued")["order_id"]
    leaf = wire.cpanel(CERTIFICATE, **item(order)).json()["data"]["certificate_pem"]
    assert wire.cpanel("get_cabundle", "SSL", cert=leaf * 3).status_code == 414
    assert wire.cpanel("get_cabundle", "SSL", "POST", cert=leaf * 3).json()["data"]["cab"]


def test_a_reissue_is_a_new_item_and_the_old_certificate_goes_on(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("cpanel", ["shop.example.org"], "reissue")
    (queued,) = wire.cpanel("get_pending_ssl_certificates", provider="cPStore").json()["data"]
    assert queued["originating_certificate_id"] and queued["certificate_id"] == order["certificate_id"]
    (listed,) = wire.cpanel("list_certs", "SSL").json()["data"]
    (host,) = wire.cpanel("installed_hosts", "SSL").json()["data"]
    assert listed["serial"] == host["certificate"]["serial"] == order["previous_serial_number"]
    sandbox.advance(120)
    serials = [
        f"{x509.load_pem_x509_certificate(text.encode()).serial_number:X}"
        for text in (
            wire.cpanel("fetch_best_for_domain", "SSL", domain="shop.example.org").json()["data"]["crt"],
            wire.cpanel(CERTIFICATE, **item(order["order_id"])).json()["data"]["certificate_pem"],
        )
    ]
    assert serials == [order["previous_serial_number"], order["serial_number"]]
